"""``empathic report``: all that is known of a dialogue model, on one page."""

from __future__ import annotations

from dataclasses import replace
from importlib import resources
from pathlib import Path
from string import Template

from empathic_sdk.lab.reports import figures, tables
from empathic_sdk.lab.reports.depth import in_depth
from empathic_sdk.lab.reports.markup import Html, join, tag
from empathic_sdk.lab.reports.one_dialogue import Depth, depth
from empathic_sdk.lab.reports.words import Subject, describe
from empathic_sdk.recognition.recognizer import EmotionRecognizer

TITLES = {
    "meld": "How well emotion is recognised in dialogue",
    "mosi": "How well sentiment is recognised, sentence by sentence",
}


def write_report(
    name: str,
    *,
    out: Path,
    data: Path,
    results: Path,
    cache: Path,
    configuration: str | None = None,
    dialogue: str | None = None,
    live: bool = False,
    recognizer: EmotionRecognizer | None = None,
) -> Path:
    """Write the report of one data set as a single HTML file.

    It holds the texts of one test dialogue, so its reader needs a right to the corpus.

    Args:
        name: ``meld``, ``iemocap`` or ``mosi``.
        out: The file.
        data: Folder of the corpora.
        results: Folder of the run records.
        cache: Folder of text vectors, for ``live``.
        configuration: What the report is about; default: the whole causal MDGET.
        dialogue: Which test dialogue is shown in depth; default: one with many changes.
        live: Train the configuration once more, to look inside the network.
        recognizer: With the dialogue model that ships; default: loaded where it is needed.

    Raises:
        DataError: There are no such runs.
        ConfigurationError: There is no such dialogue.
    """
    subject = Subject.of(name, data=data, results=results, configuration=configuration)
    if recognizer is None and name == "meld":
        recognizer = EmotionRecognizer()
    found = depth(subject, name=dialogue, data=data, cache=cache, live=live, recognizer=recognizer)
    found = replace(found, picked=dialogue is None)
    out.parent.mkdir(parents=True, exist_ok=True)
    part = out.with_name(out.name + ".part")
    part.write_text(page(subject, found), encoding="utf-8")
    part.replace(out)
    return out


def page(subject: Subject, found: Depth) -> str:
    """Return the whole page."""
    sections = {
        "Models": join(tables.comparison(subject), tables.paper_note(subject)),
        "Modalities": tables.by_modality(subject),
        "Ablations": tables.ablations(subject),
        "Classes": figures.class_bars(subject),
        "Confusions": figures.confusion(subject),
        "Calibration": figures.reliability(subject),
        "Learning": join(figures.learning(subject), tables.losses(subject)),
        "Change": tables.shift(subject) if subject.runs.data_set != "mosi" else None,
        "One dialogue": in_depth(subject, found),
    }
    shown = {title: inside for title, inside in sections.items() if inside is not None}
    links = [tag("a", title, href=f"#{_anchor(title)}") for title in shown]
    body = [
        tag("section", tag("h2", title), inside, id=_anchor(title))
        for title, inside in shown.items()
    ]
    files = resources.files("empathic_sdk.lab.reports")
    template = Template((files / "report.html").read_text(encoding="utf-8"))
    return template.substitute(
        title=join(f"{subject.corpus} · {subject.row.name}"),
        style=(files / "report.css").read_text(encoding="utf-8"),
        header=_header(subject),
        contents=join(*links),
        body=join(*body),
        footer=_footer(subject),
    )


def _anchor(title: str) -> str:
    return title.lower().replace(" ", "-")


def _header(subject: Subject) -> Html:
    test = subject.runs.test
    n = int(sum((d.labels >= 0).sum() for d in test.dialogues))
    row = subject.row
    kind = "videos" if subject.runs.data_set == "mosi" else "dialogues"
    about = (
        f"{describe(row)} {n:,} labelled utterances in {len(test.dialogues):,} test {kind}; "
        f"figures are percent, mean ± standard deviation over {row.tested} "
        f"{'runs' if row.tested != 1 else 'run'}."
    )
    return join(
        tag("p", f"{subject.corpus}, test", class_="eyebrow"),
        tag("h1", TITLES.get(subject.runs.data_set, TITLES["meld"])),
        tag("p", about, class_="lead"), tables.headline(subject),
    )  # fmt: skip


def _footer(subject: Subject) -> Html:
    where = subject.record.get("environment")
    made = f" Trained with Python {where['python']}, PyTorch {where['torch']}." if where else ""
    names = ", ".join(r["name"] for r in subject.runs.tested(subject.row.name))
    return join(
        tag(
            "p", "Every test figure was computed now, from the stored predictions of each run and "
            f"the corpus. Runs: {names}.{made}",
        ),
        tag(
            "p", "“Chen et al.”: Multi-Level Dynamic Gating and Emotion Transfer for Multi-Modal "
            "Emotion Recognition. Texts belong to the owners of the corpus; do not pass this page "
            "on without a right to them.",
        ),
    )  # fmt: skip
