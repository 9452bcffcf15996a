"""The report's charts of a whole test split: classes, confusions, calibration, learning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from empathic_sdk.lab.evaluation.published import PUBLISHED
from empathic_sdk.lab.evaluation.tables import Record, Spread, spread
from empathic_sdk.lab.reports import drawing as draw
from empathic_sdk.lab.reports.drawing import Frame
from empathic_sdk.lab.reports.markup import Group, Html, details, join, percent, table, tag
from empathic_sdk.lab.reports.words import COLOURS, HEADLINES, Subject

BINS = 15


def class_bars(subject: Subject) -> Html:
    """Return F1 by class, mean and spread over runs, beside the paper's where it has some."""
    gold, _ = subject.flat()
    found = {c: spread([_f1(m, c) for m in subject.measured]) for c in subject.classes}
    known = PUBLISHED.get(subject.runs.data_set)
    counts = {c: int((gold == k).sum()) for k, c in enumerate(subject.classes)}
    order = sorted(subject.classes, key=lambda c: -counts[c])
    row, left, right = 34.0, 150.0, 672.0
    frame = Frame(left=left, top=8, width=470, height=row * len(order), x=(0, 1), y=(0, 1))
    parts: list[Html] = []
    for x in (0.0, 0.2, 0.4, 0.6, 0.8, 1.0):
        parts.append(draw.line(frame.at_x(x), 8, frame.at_x(x), 8 + frame.height, "grid"))
        parts.append(draw.words(frame.at_x(x), frame.height + 26, f"{100 * x:.0f}"))
    for i, c in enumerate(order):
        y, (mean, std) = 8 + row * i, found[c]
        paper = known.f1.get(c) if known else None
        said = f"{c}: F1 {percent(mean)} ± {percent(std)}"
        said += f"; the paper {paper:.1f}" if paper else ""
        bar = draw.box(left, y + 8, frame.at_x(mean) - left, row - 16, f"c{COLOURS[c]}",
                       title=said, radius=2)  # fmt: skip
        parts += [draw.words(left - 52, y + 21, c, "label", anchor="end"),
                  draw.words(left - 10, y + 21, f"{counts[c]:,}", anchor="end"), bar,
                  _spread(frame, mean, std, y + row / 2)]  # fmt: skip
        parts.append(draw.words(right, y + 21, percent(mean), "value", anchor="end"))
        if paper:
            x = frame.at_x(paper / 100)
            parts.append(draw.line(x, y + 4, x, y + row - 4, "paper"))
            parts.append(draw.words(right + 56, y + 21, f"{paper:.1f}", anchor="end"))
    parts.append(draw.words(right, frame.height + 26, "here", anchor="end"))
    if known:
        parts.append(draw.words(right + 56, frame.height + 26, "paper", anchor="end"))
    drawn = draw.svg(f"F1 by class, {subject.corpus} test, percent", right + 60, frame.height + 34,
                     *parts)  # fmt: skip
    legend = "F1, percent. Bar: mean over the runs, with its standard deviation; beside the name "
    legend += "how often the class occurs."
    if known:
        legend += " Upright line: the paper’s mean, three modalities and the whole dialogue."
    rows = [[c, f"{counts[c]:,}", *_figures(found[c]),
             *([f"{known.f1[c]:.2f}"] if known else [])] for c in order]  # fmt: skip
    head = ["Class", "Utterances", "F1", "±", *(["Paper"] if known else [])]
    same = table("F1 by class, percent", head, [Group("", rows)], label="F1 by class")
    return _beside(drawn, legend, same)


def _beside(drawn: Html, note: str, same: Html) -> Html:
    """Return a drawing, and beside it what it shows and the same as a table."""
    words = join(tag("p", note, class_="note"), details("The same as a table", same))
    return tag("div", drawn, tag("div", words, class_="aside"), class_="pair")


def _f1(measured: Mapping[str, Any], name: str) -> float:
    return float(measured["f1"][name])


def _figures(found: Spread) -> list[str]:
    return [percent(found.mean), percent(found.std)]


def _spread(frame: Frame, mean: float, std: float, y: float) -> Html:
    return draw.line(frame.at_x(mean - std), y, frame.at_x(mean + std), y, "whisker dark")


def confusion(subject: Subject) -> Html:
    """Return what was taken for what, as a table: counts, and shares of each gold class."""
    gold, p = subject.flat()
    names, k = subject.classes, len(subject.classes)
    counts = np.bincount(gold * k + p.argmax(1), minlength=k * k).reshape(k, k)
    share = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    head = tag("tr", tag("td"), *(tag("th", n, scope="col") for n in names),
               tag("th", "all", scope="col"))  # fmt: skip
    rows = []
    for i, name in enumerate(names):
        cells = []
        for j in range(k):
            shown = join(f"{counts[i, j]:,}", tag("span", f"{100 * share[i, j]:.0f} %"))
            cells.append(
                tag("td", shown, class_="right" if i == j else None,
                    style=f"--share:{100 * share[i, j]:.0f}%")
            )  # fmt: skip
        total = tag("td", f"{counts[i].sum():,}", class_="sum")
        rows.append(tag("tr", tag("th", name, scope="row"), *cells, total))
    caption = tag("caption", "Gold in rows, predicted in columns")
    whole = tag("table", caption, tag("thead", head), tag("tbody", *rows), class_="confusion")
    scrolled = tag("div", whole, class_="scroll", role="region", aria_label="Confusions",
                   tabindex="0")  # fmt: skip
    note = (
        "How many utterances of a class were taken for which, and their share of the row. "
        f"Run {subject.record['name']}, the one in the middle."
    )
    aside = tag("div", tag("p", note, class_="note"), class_="aside")
    return tag("div", scrolled, aside, class_="pair")


def reliability(subject: Subject) -> Html:
    """Return how often the top label is right, by how sure the model is."""
    gold, p = subject.flat()
    sure, right = p.max(1), p.argmax(1) == gold
    bin_of = np.minimum((sure * BINS).astype(int), BINS - 1)
    frame = Frame(left=72, top=26, width=360, height=280, x=(0, 1), y=(0, 1))
    wide = frame.width / BINS
    parts = [frame.axes(ys=(0, 0.25, 0.5, 0.75, 1), y_name="of these right",
                        label=_whole)]  # fmt: skip
    parts.append(frame.line((0, 1), (0, 1), "ideal"))
    rows, most = [], max(np.bincount(bin_of).max(), 1)
    below = frame.top + frame.height + 12
    for b in range(BINS):
        there = bin_of == b
        n = int(there.sum())
        if not n:
            continue
        hit, mean, x = right[there].mean(), sure[there].mean(), frame.left + b * wide
        said = f"sure {percent(mean)}: right {percent(hit)} of {n:,}"
        top = frame.at_y(hit)
        parts.append(draw.box(x + 1, top, wide - 2, frame.top + frame.height - top, "bar",
                              title=said))  # fmt: skip
        parts.append(draw.dot(frame.at_x(mean), top, 3.2, "dot", said))
        tall = 56 * n / most
        parts.append(draw.box(x + 1, below + 56 - tall, wide - 2, tall, "count", title=said))
        rows.append([f"{b / BINS:.2f} – {(b + 1) / BINS:.2f}", f"{n:,}", percent(mean),
                     percent(hit)])  # fmt: skip
    for x in (0, 0.25, 0.5, 0.75, 1):
        parts.append(draw.words(frame.at_x(x), below + 74, _whole(x)))
    middle = frame.left + frame.width / 2
    parts.append(draw.words(middle, below + 94, "confidence, percent", "name"))
    parts.append(draw.words(frame.left - 8, below + 60, "how many", anchor="end"))
    drawn = draw.svg(f"Reliability of the top label, {subject.corpus} test", 450, below + 104,
                     *parts)  # fmt: skip
    ece = subject.runs.measured(subject.record)["ece"]
    assert isinstance(ece, float)
    note = (
        "Bars above the line: it is right more often than it claims; below it: less often. "
        f"Expected calibration error {percent(ece)}; the temperature was fixed on dev. "
        f"Run {subject.record['name']}."
    )
    head = ["Confidence", "Utterances", "Mean, percent", "Right, percent"]
    same = table("Reliability", head, [Group("", rows)], label="Reliability")
    return _beside(drawn, note, same)


def _whole(value: float) -> str:
    return f"{100 * value:.0f}"


def learning(subject: Subject) -> Html:
    """Return dev over epochs for every run, and the losses of the one in the middle."""
    records = subject.runs.records(subject.row.name)
    key = _scored(records[0]["run"]["history"], subject)
    at = "epoch" if "epoch" in records[0]["run"]["history"][0] else "step"
    every = [v for r in records for v in _column(r, key)]
    low, high = min(every), max(every)
    edge = 0.05 * (high - low) or 0.01
    last = max(v for r in records for v in _column(r, at))
    frame = Frame(left=52, top=26, width=400, height=240,
                  x=(min(_column(records[0], at)), last), y=(low - edge, high + edge))  # fmt: skip
    parts = [
        frame.axes(xs=_counted(frame), ys=draw.ticks(*frame.y), x_name=at,
                   y_name=f"dev {HEADLINES[subject.key]}, percent", label=_ours(frame, at))
    ]  # fmt: skip
    for i, r in enumerate(records):
        xs, ys = _column(r, at), _column(r, key)
        chosen = xs.index(r["run"][f"chosen_{at}"])
        seed = r["configuration"]["seed"]
        said = f"seed {seed}: {at} {xs[chosen]:g} chosen, {percent(ys[chosen])}"
        parts.append(frame.line(xs, ys, f"run s{i % 5}"))
        parts.append(draw.dot(frame.at_x(xs[chosen]), frame.at_y(ys[chosen]), 5, f"pick s{i % 5}",
                              said))  # fmt: skip
    name = f"{HEADLINES[subject.key]} on dev by {at}, one line a run"
    charts = [draw.svg(name, 470, 320, *parts)]
    if "emotion_loss" in records[0]["run"]["history"][0]:
        charts.append(_losses(subject.record, at))
    seeds = [
        tag("li", tag("span", "", class_=f"swatch run{i % 5}"),
            f"seed {r['configuration']['seed']}: {at} {r['run'][f'chosen_{at}']:g}")
        for i, r in enumerate(records)
    ]  # fmt: skip
    longest = max(records, key=lambda r: len(r["run"]["history"]))
    rows = [[f"{x:g}", *(percent(_column(r, key)[i]) if i < len(_column(r, key)) else "–"
                         for r in records)]
            for i, x in enumerate(_column(longest, at))]  # fmt: skip
    head = [at.capitalize(), *(f"seed {r['configuration']['seed']}" for r in records)]
    same = table(f"{name}, percent", head, [Group("", rows)], label="Learning")
    said = tag("p", f"Dots: the {at} that dev chose; its weights are kept.", class_="note")
    beside = [tag("ul", *seeds, class_="legend"), said, details("The same as a table", same)]
    return tag("div", *charts, tag("div", *beside, class_="aside"), class_="pair")


def _scored(history: Sequence[Mapping[str, float]], subject: Subject) -> str:
    together = f"{subject.runs.data_set}_dialogue_{subject.key}"
    return next((k for k in (subject.key, together) if k in history[0]), "objective")


def _column(record: Record, key: str) -> list[float]:
    return [h[key] for h in record["run"]["history"]]


def _counted(frame: Frame) -> list[float]:
    return [x for x in draw.ticks(*frame.x, about=6) if x == int(x)]


def _ours(frame: Frame, at: str) -> Any:
    """Return how numbers at the axes are written: counts as they are, shares in percent."""
    counted = set(_counted(frame))
    return lambda v: f"{v:g}" if v in counted and v >= 1 else f"{100 * v:.3g}"


def _losses(record: Record, at: str) -> Html:
    xs = _column(record, at)
    both = {name: _column(record, f"{name}_loss") for name in ("emotion", "transfer")}
    shown = {k: v for k, v in both.items() if any(v)}
    high = max(v for ys in shown.values() for v in ys)
    frame = Frame(left=52, top=26, width=330, height=240, x=(xs[0], xs[-1]), y=(0, high * 1.05))
    parts = [
        frame.axes(xs=_counted(frame), ys=draw.ticks(0, high * 1.05), x_name=at,
                   y_name="training loss", label="{:g}".format)
    ]  # fmt: skip
    for i, (name, ys) in enumerate(shown.items()):
        parts.append(frame.line(xs, ys, f"run loss{i}"))
        parts.append(draw.words(frame.at_x(xs[-1]) + 8, frame.at_y(ys[-1]) + 4, name, "value",
                                anchor="start"))  # fmt: skip
    return draw.svg(f"Training losses by {at} of {record['name']}", 450, 320, *parts)
