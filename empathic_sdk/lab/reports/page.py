"""``empathic report``: all that is known of a dialogue model, on one page."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from empathic_sdk.lab.reports import sections
from empathic_sdk.lab.reports import subject as words
from empathic_sdk.lab.reports.inline_svg import style
from empathic_sdk.lab.reports.one_dialogue import Depth, depth
from empathic_sdk.lab.reports.subject import Subject, features, percent
from empathic_sdk.recognition.recognizer import EmotionRecognizer

# What XML and HTML have no place for, whatever a corpus holds.
_NO_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


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
    templates = Environment(
        loader=PackageLoader("empathic_sdk.lab.reports"), autoescape=True, trim_blocks=True,
        lstrip_blocks=True, undefined=StrictUndefined, finalize=_clean,
    )  # fmt: skip
    templates.filters |= {"percent": percent, "features": features}
    made = {
        "Models": sections.models, "Modalities": sections.modalities,
        "Ablations": sections.ablations, "Classes": sections.classes,
        "Confusions": sections.confusions, "Calibration": sections.calibration,
        "Learning": sections.learning, "Change": sections.change,
    }  # fmt: skip
    if subject.runs.data_set == "mosi":  # a sentence's sentiment is no state that changes
        del made["Change"]
    with style():
        shown: dict[str, Any] = {title: section(subject) for title, section in made.items()}
        shown["One dialogue"] = sections.dialogue(subject, found)
    return templates.get_template("page.html").render(
        subject=subject,
        row=subject.row,
        words=words,
        header=sections.header(subject),
        sections=shown,
    )


def _clean(value: Any) -> Any:
    """Return what may stand in a page; called on every value that a template writes."""
    if isinstance(value, str) and _NO_TEXT.search(value):
        return type(value)(_NO_TEXT.sub("\ufffd", value))
    return value
