"""The drawings of one dialogue: probabilities, changes, gates, and who is compared with whom."""

from __future__ import annotations

import numpy as np

from empathic_sdk.lab.evaluation.dialogue_metrics import changed
from empathic_sdk.lab.reports import drawing as draw
from empathic_sdk.lab.reports.drawing import Frame
from empathic_sdk.lab.reports.markup import Group, Html, details, join, percent, table, tag
from empathic_sdk.lab.reports.one_dialogue import Depth, Inside
from empathic_sdk.lab.reports.words import Subject

_LEFT, _WIDTH = 118.0, 820.0


def in_depth(subject: Subject, found: Depth) -> Html:
    """Return the whole section on one dialogue."""
    n = len(found.dialogue)
    gold = found.dialogue.labels
    hit = int((found.probabilities.argmax(1) == gold)[gold >= 0].sum())
    people = len(set(found.dialogue.speakers))
    lead = (
        f"Dialogue {found.dialogue.id}: {n} utterances of {people} "
        f"{'people' if people > 1 else 'person'}, {hit} of {int((gold >= 0).sum())} labels right. "
        f"Predictions: {found.source}."
    )
    if found.picked:
        lead += (
            " It was picked by its gold labels alone: among the shorter ones, that in which the "
            "label of a speaker changes most often."
        )
    parts = [tag("p", lead), _legend(subject), trajectory(subject, found), _said(subject, found)]
    if subject.runs.data_set != "mosi":  # a sentence's sentiment is no state that changes
        parts += [tag("h3", "Did the emotion change?"), changes(found)]
    parts.append(tag("h3", "Inside the network"))
    if found.inside is None:
        return join(*parts, tag("p", found.absent, class_="note"))
    parts.append(gates(found, found.inside))
    if found.inside.change is not None:
        parts.append(tag("h3", "Which utterances differ in emotion?"))
        parts.append(transfer(found, found.inside.change))
    return join(*parts)


def _legend(subject: Subject) -> Html:
    items = [
        tag("li", tag("span", "", class_=f"swatch b{subject.colour(k)}"), name)
        for k, name in enumerate(subject.classes)
    ]
    return tag("ul", *items, class_="legend")


def _columns(n: int) -> tuple[float, float, float]:
    """Return the width of one utterance's column, of the drawing, and the least of the latter."""
    wide = max(17.0, min(40.0, _WIDTH / n))
    return wide, _LEFT + wide * n + 12, min(_LEFT + wide * n + 12, 720.0)


def _short(classes: tuple[str, ...]) -> list[str]:
    """Return the shortest beginnings that tell classes apart."""
    length = next(k for k in range(1, 20) if len({c[:k] for c in classes}) == len(classes))
    return [c[:length] for c in classes]


def _letters(speakers: list[str]) -> dict[str, str]:
    """Return one letter a speaker, by first appearance."""
    names = list(dict.fromkeys(speakers))
    return {name: chr(65 + i) if i < 26 else "…" for i, name in enumerate(names)}


def trajectory(subject: Subject, found: Depth) -> Html:
    """Return the probabilities of every utterance, stacked, over its gold label and speaker."""
    d, p = found.dialogue, found.probabilities
    wide, width, least = _columns(len(d))
    top, tall = 12.0, 220.0
    frame = Frame(left=_LEFT, top=top, width=wide * len(d), height=tall, x=(0, 1), y=(0, 1))
    parts = [
        draw.words(_LEFT - 10, frame.at_y(y) + 4, f"{100 * y:.0f}", anchor="end")
        for y in (0.0, 0.5, 1.0)
    ]
    names, letters = _short(subject.classes), _letters(d.speakers)
    strip = top + tall + 10
    for i in range(len(d)):
        x, up = _LEFT + wide * i, 0.0
        for k in range(len(subject.classes)):
            share = float(p[i, k])
            said = f"{i + 1}. {subject.classes[k]} {percent(share)} %"
            parts.append(
                draw.box(x + 1, frame.at_y(up + share), wide - 2, tall * share - 1,
                         f"c{subject.colour(k)}", title=said)
            )  # fmt: skip
            up += share
        gold = int(d.labels[i])
        middle = x + wide / 2
        for row, label in enumerate((gold, int(p[i].argmax()))):
            y = strip + 24 * row
            if label >= 0:
                said = f"{i + 1}. {('gold', 'predicted')[row]}: {subject.classes[label]}"
                hue = subject.colour(label)
                parts.append(draw.box(x + 1, y, wide - 2, 20, f"c{hue}", radius=3, title=said))
                parts.append(draw.words(middle, y + 14, names[label], f"on o{hue}"))
        if gold >= 0 and gold != int(p[i].argmax()):
            parts.append(draw.words(middle, strip + 60, "×", "miss"))
        parts.append(draw.words(middle, strip + 76, letters[d.speakers[i]]))
        if wide > 22 or i % 5 == 4 or i == 0:
            parts.append(draw.words(middle, strip + 92, str(i + 1), "faint"))
    for text, y in (("probability, %", top + tall / 2 + 26), ("gold", strip + 14),
                    ("predicted", strip + 38), ("wrong", strip + 59), ("speaker", strip + 76),
                    ("utterance", strip + 92)):  # fmt: skip
        parts.append(draw.words(0, y, text, "label", anchor="start"))
    title = "Probabilities of every utterance, its gold label, the predicted one and the speaker"
    return draw.svg(title, width, strip + 98, *parts, least=least)


def _said(subject: Subject, found: Depth) -> Html:
    d, p = found.dialogue, found.probabilities
    letters = _letters(d.speakers)
    rows, wrong = [], set()
    for i in range(len(d)):
        gold, top = int(d.labels[i]), int(p[i].argmax())
        if gold >= 0 and gold != top:
            wrong.add(i)
        rows.append([
            str(i + 1), f"{letters[d.speakers[i]]} · {d.speakers[i]}", d.texts[i],
            subject.classes[gold] if gold >= 0 else "–", subject.classes[top],
            percent(float(p[i, top]), 0),
            percent(float(found.shift[i]), 0) if not np.isnan(found.shift[i]) else "–",
        ])  # fmt: skip
    head = ["", "Speaker", "Said", "Gold", "Predicted", "Sure, %", "Changed, %"]
    caption = "Every utterance; where the prediction is wrong, the row is marked."
    whole = table(caption, head, [Group("", rows, frozenset(wrong))], words=5, label="Utterances")
    return details("What was said", tag("div", whole, class_="said"), opened=len(d) <= 16)


def changes(found: Depth) -> Html:
    """Return the probability of a change since the speaker's last utterance, beside the truth."""
    if np.isnan(found.shift).all():
        return tag("p", "This model has no transfer module that could say.", class_="note")
    d = found.dialogue
    truth = changed(d.labels, d.speakers)
    wide, width, least = _columns(len(d))
    frame = Frame(left=_LEFT, top=14, width=wide * len(d), height=150, x=(0, 1), y=(0, 1))
    parts = [
        frame.axes(ys=(0, 0.5, 1), label=_whole),
        draw.words(0, 94, "changed, %", "label", anchor="start"),
        draw.line(_LEFT, frame.at_y(found.threshold), _LEFT + wide * len(d),
                  frame.at_y(found.threshold), "ideal"),
    ]  # fmt: skip
    right = 0
    for i, value in enumerate(found.shift.tolist()):
        x = _LEFT + wide * (i + 0.5)
        if wide > 22 or i % 5 == 4 or i == 0:
            parts.append(draw.words(x, 184, str(i + 1), "faint"))
        if np.isnan(value) or truth[i] < 0:
            continue
        moved = truth[i] == 1
        right += int((value >= found.threshold) == moved)
        said = f"{i + 1}. {percent(value)} %, gold: {'changed' if moved else 'the same'}"
        parts.append(draw.line(x, frame.at_y(0), x, frame.at_y(value), "stem"))
        parts.append(draw.dot(x, frame.at_y(value), 5.5, "moved" if moved else "stayed", said))
    parts.append(draw.words(0, 184, "utterance", "label", anchor="start"))
    drawn = draw.svg("Probability that this speaker’s emotion changed", width, 190, *parts,
                     least=least)  # fmt: skip
    told = int((truth >= 0).sum())
    note = (
        "Calibrated probability of the transfer module that the speaker’s emotion is not that of "
        "their last utterance; none on their first. Full: it changed; hollow: it did not. From "
        f"the dashed line on, {percent(found.threshold)} % (chosen on dev), it counts as changed: "
        f"{right} of {told} right."
    )
    return join(drawn, tag("p", note, class_="note"))


def _whole(value: float) -> str:
    return f"{100 * value:.0f}"


def gates(found: Depth, inside: Inside) -> Html:
    """Return how far every gate is open over the dialogue."""
    n, count = len(found.dialogue), len(inside.names)
    if not count:
        return tag("p", "All gates of this network are taken away.", class_="note")
    wide, _, _ = _columns(n)
    left, down = 218.0, 24.0
    low, high = float(np.nanmin(inside.gates)), float(np.nanmax(inside.gates))

    def said(i: int, k: int) -> str:
        return f"{inside.names[i]}, utterance {k + 1}: {inside.gates[i, k]:.2f}"

    parts = [draw.heat(inside.gates, left=left, top=8, cell=(wide, down), low=low, high=high,
                       title=said)]  # fmt: skip
    for i, name in enumerate(inside.names):
        parts.append(draw.words(0, 8 + down * i + 16, name, "label", anchor="start"))
        mean = f"{np.nanmean(inside.gates[i]):.2f}"
        parts.append(draw.words(left + wide * n + 34, 8 + down * i + 16, mean, "value",
                                anchor="end"))  # fmt: skip
    bottom = 8 + down * count
    for k in range(n):
        if wide > 22 or k % 5 == 4 or k == 0:
            parts.append(draw.words(left + wide * (k + 0.5), bottom + 14, str(k + 1), "faint"))
    parts.append(draw.scale(left + 30, bottom + 28, f"{low:.2f}", f"{high:.2f}"))
    width = left + wide * n + 40
    drawn = draw.svg("How far every gate is open, utterance by utterance", width, bottom + 42,
                     *parts, least=min(width, 720.0))  # fmt: skip
    note = (
        "How far each gate is open at each utterance, 0 to 1, mean over its numbers; at the right "
        "the mean over the dialogue. GUE: the share of what was said itself, against what the "
        "recurrence makes of it. ACME and fusion: how much of a modality goes on. EETM: how much "
        "a pair counts."
    )
    rows = [[name, *(f"{v:.2f}" if not np.isnan(v) else "–" for v in row)]
            for name, row in zip(inside.names, inside.gates.tolist(), strict=True)]  # fmt: skip
    same = table("Mean of each gate by utterance", ["Gate", *(str(k + 1) for k in range(n))],
                 [Group("", rows)], label="Gates")  # fmt: skip
    return join(drawn, tag("p", note, class_="note"), details("The same as a table", same))


def transfer(found: Depth, change: np.ndarray) -> Html:
    """Return the transfer module's matrix of all pairs beside the truth."""
    labels = found.dialogue.labels
    known = (labels[:, None] >= 0) & (labels[None] >= 0) & ~np.isnan(change)
    truth = np.where(known, (labels[:, None] != labels[None]).astype(float), np.nan)
    n = len(labels)
    size = max(9.0, min(26.0, 380.0 / n))
    off = ~np.eye(n, dtype=bool) & known
    right = float(((change >= 0.5) == (truth == 1))[off].mean()) if off.any() else 0.0

    def drawn(values: np.ndarray, title: str, name: str) -> Html:
        def said(i: int, j: int) -> str:
            gold = {0.0: "gold: the same", 1.0: "gold: differs"}.get(float(truth[i, j]), "no gold")
            return f"{i + 1} with {j + 1}: {percent(float(values[i, j]))} %, {gold}"

        parts = [draw.heat(values, left=30, top=26, cell=(size, size), low=0, high=1, title=said,
                           gap=1.0), draw.words(30, 14, name, "label", anchor="start")]  # fmt: skip
        for k in range(n):
            if size > 18 or k % 5 == 4 or k == 0:
                parts.append(draw.words(24, 26 + size * (k + 0.5) + 4, str(k + 1), "faint",
                                        anchor="end"))  # fmt: skip
                parts.append(draw.words(30 + size * (k + 0.5), 40 + size * n, str(k + 1), "faint"))
        return draw.svg(title, 40 + size * n, 50 + size * n, *parts)

    pair = tag(
        "div",
        drawn(change, "Transfer matrix: probability that two utterances differ in emotion",
              "predicted"),
        drawn(truth, "Which pairs of utterances differ in emotion, gold", "gold"),
        class_="pair",
    )  # fmt: skip
    key = draw.svg("Scale", 260, 14, draw.scale(34, 3, "0 %", "100 % differ"))
    note = (
        "The transfer module compares every utterance (row) with every other that it may look at "
        f"(column); raw, not calibrated. {percent(right)} % of the pairs are on the right side of "
        "50 %, the diagonal not counted."
    )
    return join(pair, key, tag("p", note, class_="note"))
