"""The charts of a report: classes, calibration, learning, and the course of one dialogue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter, MaxNLocator

from empathic_sdk.lab.evaluation.spread import Spread
from empathic_sdk.lab.reports.inline_svg import COLOURS, Chart
from empathic_sdk.lab.reports.one_dialogue import Depth
from empathic_sdk.lab.reports.subject import COLOUR_OF_CLASS, HEADLINES, Subject, percent

RUNS = tuple(COLOURS[name] for name in ("accent", "k5", "k1", "k4", "k3"))
"""Colours of the lines of runs, in turn."""
_PERCENT = FuncFormatter(lambda value, _: f"{100 * value:.3g}")
_BOLD: dict[str, Any] = {"color": COLOURS["ink"], "fontweight": "bold"}


def _within(
    chart: Chart, left: float, bottom: float, width: float, height: float, **given: Any
) -> Axes:
    """Return axes at this place of the chart, in pixels."""
    wide, high = 72 * chart.figure.get_size_inches()
    return chart.figure.add_axes((left / wide, bottom / high, width / wide, height / high), **given)


def class_bars(
    subject: Subject, order: Sequence[str], f1: Mapping[str, Spread], counts: Mapping[str, int]
) -> Markup:
    """Draw F1 by class, mean and spread over runs, beside the paper's where it has some."""
    high = 34 * len(order)
    chart = Chart(f"F1 by class, {subject.corpus} test, percent", 732, high + 42)
    axes = _within(chart, 150, 34, 470, high)
    axes.set(xlim=(0, 1), ylim=(len(order) - 0.5, -0.5), yticks=[])
    axes.xaxis.set_major_formatter(_PERCENT)
    axes.grid(axis="x")
    aside = axes.get_yaxis_transform()
    known = subject.published
    for y, name in enumerate(order):
        mean, std = f1[name]
        paper = known.f1.get(name) if known else None
        (bar,) = axes.barh(y, mean, 0.53, color=COLOURS[f"k{COLOUR_OF_CLASS[name]}"])
        said = f"{name}: F1 {percent(mean)} ± {percent(std)}"
        chart.tell(bar, said + (f"; the paper {paper:.1f}" if paper else ""))
        axes.hlines(y, mean - std, mean + std, color=COLOURS["ink"], linewidth=1.5)
        place: dict[str, Any] = {"transform": aside, "ha": "right", "va": "center"}
        axes.text(-0.11, y, name, color=COLOURS["ink"], size=13, **place)
        axes.text(-0.02, y, f"{counts[name]:,}", **place)
        axes.text(1.11, y, percent(mean), **place, **_BOLD)
        if paper:
            axes.vlines(paper / 100, y - 0.38, y + 0.38, color=COLOURS["bad"], linewidth=2.5)
            axes.text(1.23, y, f"{paper:.1f}", **place)
    below: dict[str, Any] = {"transform": axes.transAxes, "ha": "right", "va": "top"}
    axes.text(1.11, -5 / high, "here", **below)
    if known:
        axes.text(1.23, -5 / high, "paper", **below)
    return chart.svg()


def reliability(subject: Subject, bins: Sequence[Mapping[str, Any]]) -> Markup:
    """Draw how often the top label is right, by how sure the model is, and how often it is so."""
    chart = Chart(f"Reliability of the top label, {subject.corpus} test", 450, 422)
    axes = _within(chart, 72, 116, 360, 280, xlim=(0, 1), ylim=(0, 1))
    axes.set(xticks=[], yticks=np.linspace(0, 1, 5))
    axes.yaxis.set_major_formatter(_PERCENT)
    axes.grid(axis="y")
    axes.set_title("of these right", loc="left", size=12, color=COLOURS["soft"])
    axes.plot((0, 1), (0, 1), "--", color=COLOURS["soft"], linewidth=1.5)
    counts = _within(chart, 72, 48, 360, 56, xlim=(0, 1), xticks=np.linspace(0, 1, 5), yticks=[])
    counts.xaxis.set_major_formatter(_PERCENT)
    counts.set_xlabel("confidence, percent")
    counts.set_ylabel("how many", rotation=0, ha="right", va="bottom", y=0)
    for b in bins:
        low, wide = b["low"] + 0.003, b["high"] - b["low"] - 0.006
        said = f"sure {percent(b['sure'])}: right {percent(b['right'])} of {b['n']:,}"
        bars = [
            *axes.bar(low, b["right"], wide, align="edge", color=COLOURS["heat"], alpha=0.45),
            *counts.bar(low, b["n"], wide, align="edge", color=COLOURS["soft"], alpha=0.45),
            *axes.plot(b["sure"], b["right"], "o", color=COLOURS["accent"], markersize=6),
        ]
        for bar in bars:
            chart.tell(bar, said)
    return chart.svg()


def learning(subject: Subject, runs: Sequence[Mapping[str, Any]], at: str) -> Markup:
    """Draw dev over epochs (or steps) for every run, and which was chosen."""
    name = f"{HEADLINES[subject.key]} on dev by {at}, one line a run"
    chart = Chart(name, 470, 320)
    axes = _within(chart, 52, 54, 400, 240)
    for run, colour in zip(runs, _cycled(len(runs)), strict=True):
        axes.plot(run["at"], run["dev"], color=colour, linewidth=2)
        best = run["at"].index(run["chosen"])
        (dot,) = axes.plot(
            run["chosen"], run["dev"][best], "o", color=colour, markersize=10,
            markeredgecolor=COLOURS["panel"], markeredgewidth=2,
        )  # fmt: skip
        chosen = f"{at} {run['chosen']:g} chosen, {percent(run['dev'][best])}"
        chart.tell(dot, f"seed {run['seed']}: {chosen}")
    axes.yaxis.set_major_formatter(_PERCENT)
    _labelled(axes, at, f"dev {HEADLINES[subject.key]}, percent")
    return chart.svg()


def losses(subject: Subject, run: Mapping[str, Any], at: str) -> Markup:
    """Draw the training losses of the run in the middle."""
    chart = Chart(f"Training losses by {at} of {subject.record['name']}", 450, 320)
    axes = _within(chart, 52, 54, 330, 240)
    shown = {name: ys for name, ys in run["losses"].items() if any(ys)}
    for (name, ys), colour in zip(shown.items(), RUNS, strict=False):
        axes.plot(run["at"], ys, color=colour, linewidth=2)
        axes.annotate(
            name, (run["at"][-1], ys[-1]), (8, 0), textcoords="offset points", va="center", **_BOLD
        )
    axes.set_ylim(0, 1.05 * max(map(max, shown.values())))
    _labelled(axes, at, "training loss")
    return chart.svg()


def _labelled(axes: Axes, x: str, y: str) -> None:
    axes.grid(axis="y")
    axes.set_xlabel(x)
    axes.set_title(y, loc="left", size=12, color=COLOURS["soft"])
    axes.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10], integer=True))
    axes.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))


def _cycled(n: int) -> list[str]:
    return [RUNS[i % len(RUNS)] for i in range(n)]


def trajectory(subject: Subject, found: Depth, letters: Sequence[str]) -> Markup:
    """Draw the probabilities of every utterance, stacked, over its gold label and speaker."""
    n, p, gold = len(found.dialogue), found.probabilities, found.dialogue.labels
    chart, axes, least = _over_utterances(
        "Probabilities of every utterance, its gold label, the predicted one and the speaker",
        n, bottom=108, height=220,
    )  # fmt: skip
    axes.set(ylim=(0, 1), yticks=(0, 0.5, 1))
    axes.yaxis.set_major_formatter(_PERCENT)
    axes.set_ylabel("probability, %", rotation=0, ha="right", va="center")
    x, colours = np.arange(n), [COLOURS[f"k{subject.colour(k)}"] for k in range(p.shape[1])]
    for k, name in enumerate(subject.classes):
        bars = axes.bar(x, p[:, k], 0.94, p[:, :k].sum(1), color=colours[k])
        for i, bar in enumerate(bars):
            chart.tell(bar, f"{i + 1}. {name} {percent(p[i, k])} %")
    strip = _within(chart, *_place(axes, chart, 4, 100), xlim=(-0.5, n - 0.5), ylim=(100, 0))
    strip.set_axis_off()
    for y, text in ((12, "gold"), (36, "predicted"), (57, "wrong"), (74, "speaker"),
                    (91, "utterance")):  # fmt: skip
        strip.text(-0.7, y, text, ha="right", va="center", color=COLOURS["ink"])
    short = _short(subject.classes)
    size: dict[str, Any] = {"ha": "center", "va": "center"}
    for i in range(n):
        said = int(p[i].argmax())
        for y, kind, label in ((2, "gold", int(gold[i])), (26, "predicted", said)):
            if label >= 0:
                box = Rectangle((i - 0.47, y), 0.94, 20, color=colours[label], linewidth=0)
                strip.add_patch(box)
                chart.tell(box, f"{i + 1}. {kind}: {subject.classes[label]}")
                ink = COLOURS["dark" if subject.colour(label) == 1 else "on"]
                strip.text(i, y + 10, short[label], color=ink, size=11, fontweight="bold", **size)
        if 0 <= gold[i] != said:
            strip.text(i, 57, "×", color=COLOURS["bad"], size=15, fontweight="bold", **size)
        strip.text(i, 74, letters[i], **size)
    _numbered(strip, n, 91)
    return chart.svg(least=least)


def changes(found: Depth, truth: np.ndarray) -> Markup:
    """Draw the probability of a change since the speaker's last utterance, beside the truth."""
    n = len(found.dialogue)
    chart, axes, least = _over_utterances(
        "Probability that this speaker’s emotion changed", n, bottom=26, height=150
    )
    axes.set(ylim=(0, 1.04), yticks=(0, 0.5, 1))
    axes.yaxis.set_major_formatter(_PERCENT)
    axes.grid(axis="y")
    axes.set_ylabel("changed, %", rotation=0, ha="right", va="center")
    axes.axhline(found.threshold, linestyle="--", color=COLOURS["soft"], linewidth=1.5)
    for i, value in enumerate(found.shift.tolist()):
        if np.isnan(value) or truth[i] < 0:
            continue
        moved = truth[i] == 1
        axes.vlines(i, 0, value, color=COLOURS["rule"], linewidth=1.5)
        (dot,) = axes.plot(
            i, value, "o", markersize=11, markeredgewidth=2, markeredgecolor=COLOURS["accent"],
            color=COLOURS["accent" if moved else "panel"], clip_on=False,
        )  # fmt: skip
        gold = "changed" if moved else "the same"
        chart.tell(dot, f"{i + 1}. {percent(value)} %, gold: {gold}")
    axes.text(-0.7, -0.12, "utterance", ha="right", va="center", color=COLOURS["ink"])
    _numbered(axes, n, -0.12)
    return chart.svg(least=least)


def _over_utterances(
    title: str, n: int, *, bottom: float, height: float
) -> tuple[Chart, Axes, float]:
    """Return a chart with a column for each utterance, its axes, and its least width."""
    wide = max(17.0, min(40.0, 820 / n)) * n
    chart = Chart(title, 130 + wide, bottom + height + 12)
    axes = _within(chart, 118, bottom, wide, height, xlim=(-0.5, n - 0.5), xticks=[])
    return chart, axes, min(130 + wide, 720.0)


def _place(
    axes: Axes, chart: Chart, bottom: float, height: float
) -> tuple[float, float, float, float]:
    """Return the pixels of a strip as wide as ``axes``."""
    box, wide = axes.get_position(), 72 * chart.figure.get_size_inches()[0]
    return box.x0 * wide, bottom, box.width * wide, height


def _numbered(axes: Axes, n: int, y: float) -> None:
    """Number the utterances; every fifth where there are many."""
    for i in range(n):
        if n <= 37 or i % 5 == 4 or i == 0:
            axes.text(i, y, str(i + 1), ha="center", va="center", size=10.5)


def _short(classes: Sequence[str]) -> list[str]:
    """Return the shortest beginnings that tell classes apart."""
    length = next(k for k in range(1, 20) if len({c[:k] for c in classes}) == len(classes))
    return [c[:length] for c in classes]
