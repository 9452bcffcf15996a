"""Tiny corpora in their owners' layout, written by hand here."""

from __future__ import annotations

import csv
import gzip
import json
import random
from pathlib import Path

import numpy as np

WORDS = {
    "neutral": ["table", "meeting", "window", "train"],
    "joy": ["happy", "wonderful", "love", "great"],
    "sadness": ["sad", "lonely", "cry", "lost"],
    "anger": ["furious", "hate", "angry", "idiot"],
    "surprise": ["wow", "unexpected", "suddenly", "what"],
    "fear": ["scared", "afraid", "terrified", "panic"],
    "disgust": ["gross", "disgusting", "mould", "vomit"],
}
EKMAN = ["anger", "disgust", "fear", "joy", "neutral", "sadness", "surprise"]
FILLERS = ["the", "a", "it", "is", "was", "we", "i", "you", "so", "very", "and", "here", "there"]
TELLING = [word for words in WORDS.values() for word in words]
VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *TELLING, *FILLERS]


def sentence(rng: random.Random, emotion: str) -> str:
    filler = rng.choices(
        ["the", "a", "it", "is", "was", "we", "i", "you", "so", "very", "and", "here", "there"], k=3
    )
    words = [*filler, rng.choice(WORDS[emotion]), rng.choice(WORDS[emotion])]
    rng.shuffle(words)
    return " ".join(words)


def write(folder: Path, *, n: int = 210, seed: int = 0) -> Path:
    """Write MELD, GoEmotions and EmoBank look-alikes of ``n`` training items each."""
    rng = random.Random(seed)
    names = list(WORDS)
    for sub in ("meld", "goemotions/ekman", "goemotions/original", "emobank"):
        (folder / sub).mkdir(parents=True, exist_ok=True)
    for split, size in (("train", n), ("dev", n // 2), ("test", n // 2)):
        rows = [(i, names[i % 7]) for i in range(size)]
        with (folder / "meld" / f"{split}_sent_emo.csv").open("w", newline="") as f:
            out = csv.writer(f)
            out.writerow(["Sr No.", "Utterance", "Speaker", "Emotion", "Sentiment",
                          "Dialogue_ID", "Utterance_ID"])  # fmt: skip
            for i, e in rows:
                out.writerow([i, sentence(rng, e), "Ada", e, "x", i // 5, i % 5])
        lines = [f"{sentence(rng, e)}\t{EKMAN.index(e)}\tid{i}\n" for i, e in rows]
        (folder / "goemotions" / "ekman" / f"{split}.tsv").write_text("".join(lines))
        fine = [f"x\t{i % 28}\tid{i}\n" for i, _ in rows]
        (folder / "goemotions" / "original" / f"{split}.tsv").write_text("".join(fine))
    (folder / "goemotions" / "ekman" / "labels.txt").write_text("\n".join(EKMAN))
    with (folder / "emobank" / "emobank.csv").open("w", newline="") as f:
        out = csv.writer(f)
        out.writerow(["id", "split", "V", "A", "D", "text"])
        for i in range(2 * n):
            e = names[i % 7]
            v = {"joy": 4.5, "neutral": 3.0, "surprise": 3.0}.get(e, 1.5)
            a = {"neutral": 2.0, "sadness": 2.5}.get(e, 4.0)
            split = ("train", "train", "dev", "test")[(i // 7) % 4]
            out.writerow([f"e{i}", split, v, a, 3, sentence(rng, e)])
    return folder


def write_dialogues(folder: Path) -> Path:
    """Write a DailyDialog and an EmpatheticDialogues of three dialogues each."""
    for sub in ("dailydialog", "empatheticdialogues"):
        (folder / sub).mkdir(parents=True, exist_ok=True)
    daily = [
        {"id": "d0", "split": "train", "turns": [
            {"speaker": "user", "text": "Hi.", "emotion": "no emotion"},
            {"speaker": "system", "text": "Great!", "emotion": "happiness"}]},
        {"id": "d1", "split": "validation", "turns": [
            {"speaker": "user", "text": "Ugh.", "emotion": "disgust"}]},
        {"id": "d2", "split": "test", "turns": [
            {"speaker": "user", "text": "No!", "emotion": "anger"}]},
    ]  # fmt: skip
    talks = [
        {"id": f"hit:{h}_conv:{i}", "emotion": e, "situation": "s", "turns": [
            {"speaker": "speaker", "text": f"well_comma_ talk {i}"},
            {"speaker": "listener", "text": "oh"}]}
        for i, (h, e) in enumerate([(1, "afraid"), (1, "proud"), (2, "nostalgic"), (3, "lonely")])
    ]  # fmt: skip
    for name, rows in (("dailydialog", daily), ("empatheticdialogues", talks)):
        with gzip.open(folder / name / f"{name}.jsonl.gz", "wt") as f:
            f.write("\n".join(map(json.dumps, rows)) + "\n")
    return folder


# The words that the imitation of IEMOCAP puts into the mouth of each of its labels.
SIX = {
    "happy": "joy", "sad": "sadness", "neutral": "neutral", "angry": "anger",
    "excited": "surprise", "frustrated": "disgust",
}  # fmt: skip


def write_iemocap(folder: Path, *, seed: int = 0) -> Path:
    """Write an IEMOCAP of 6, 3 and 3 dialogues; the eight acoustic numbers tell the label.

    Answers overlap what they answer. The first utterance of the first dialogue stands second in
    the file, and the third has no acoustic numbers.
    """
    rng = random.Random(seed)
    names = list(SIX)
    lines = []
    for number, split in enumerate(["train"] * 6 + ["dev"] * 3 + ["test"] * 3):
        end, said = 0.0, []
        for i in range(rng.randint(4, 9)):
            label = rng.randrange(6)
            start = round(end + (-0.5 if i % 2 else 1.0), 3)
            end = round(start + rng.uniform(1.0, 3.0), 3)
            speaker = "FM"[i % 2]
            said.append({
                "id": f"Ses{number}_{speaker}{i:03d}", "speaker": speaker,
                "text": sentence(rng, SIX[names[label]]), "emotion": names[label],
                "start": start, "end": end, "valence": 2.5, "arousal": 2.5, "dominance": 2.5,
                "acoustic": [round((k == label) + rng.gauss(0, 0.2), 6) for k in range(8)],
            })  # fmt: skip
        if number == 0:
            del said[2]["acoustic"]
            said[:2] = said[1::-1]
        lines.append(json.dumps({"id": f"Ses{number}", "split": split, "utterances": said}))
    (folder / "iemocap").mkdir(parents=True, exist_ok=True)
    with gzip.open(folder / "iemocap" / "iemocap.jsonl.gz", "wt") as f:
        f.write("\n".join(lines) + "\n")
    return folder


def write_mosi(folder: Path, *, seed: int = 0) -> Path:
    """Write a MOSI of 10 train and 12 test videos of 3 to 6 utterances, its rows shuffled.

    Train videos are ``a00`` to ``a09``, test videos ``b00`` to ``b11``. In each of the three
    vectors the first ten numbers are around 1 where the label is positive, around -1 otherwise.
    """
    rng = random.Random(seed)
    rows = []
    for name in [f"a{i:02d}" for i in range(10)] + [f"b{i:02d}" for i in range(12)]:
        for position in range(1, rng.randint(3, 6) + 1):
            label = rng.randrange(2)
            text = sentence(rng, ("sadness", "joy")[label]).upper()
            rows.append((name, position, "train" if name < "b" else "test", text, label))
    rng.shuffle(rows)
    videos, positions, splits, texts, labels = zip(*rows, strict=True)
    noise = np.random.default_rng(seed)
    sign = 2.0 * np.array(labels)[:, None] - 1.0

    def vectors(width: int) -> np.ndarray:
        return (noise.normal(0, 0.5, (len(rows), width)) + sign * (np.arange(width) < 10)).astype(
            np.float32
        )

    (folder / "mosi").mkdir(parents=True, exist_ok=True)
    np.savez(
        folder / "mosi" / "mosi.npz",
        video_id=np.array(videos),
        position=np.array(positions, np.int16),
        split=np.array(splits),
        transcript=np.array(texts),
        label=np.array(labels, np.int8),
        text_features=vectors(100),
        audio_features=vectors(73),
        video_features=vectors(100),
    )
    return folder


def write_minilm(folder: Path) -> Path:
    """Write a tiny BERT as sentence-transformers keeps one."""
    import torch
    from safetensors.torch import save_file
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import BertConfig, BertModel

    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    sizes = {
        "vocab_size": len(VOCABULARY), "hidden_size": 32, "num_hidden_layers": 2,
        "num_attention_heads": 4, "intermediate_size": 64, "max_position_embeddings": 64,
        "hidden_dropout_prob": 0.1,
    }  # fmt: skip
    model = BertModel(BertConfig(**sizes), add_pooling_layer=False)
    torch.nn.init.normal_(model.embeddings.word_embeddings.weight, std=1.0)
    save_file(
        {k: v.contiguous() for k, v in model.state_dict().items() if v.is_floating_point()},
        folder / "model.safetensors",
    )
    (folder / "config.json").write_text(json.dumps(sizes))
    tokenizer = Tokenizer(
        models.WordPiece({w: i for i, w in enumerate(VOCABULARY)}, unk_token="[UNK]")
    )
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder
