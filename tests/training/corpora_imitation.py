"""Tiny corpora in their owners' layout, written by hand here."""

from __future__ import annotations

import csv
import gzip
import json
import random
from pathlib import Path

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
