"""The report's headline and its tables: models, modalities, ablations, emotion shift."""

from __future__ import annotations

from collections.abc import Sequence

from empathic_sdk.lab.baselines.mdget import ABLATIONS
from empathic_sdk.lab.evaluation.published import ABLATION_NAMES, PUBLISHED
from empathic_sdk.lab.evaluation.tables import Row, Spread
from empathic_sdk.lab.recipes.dialogue_numbers import BASE, default_features
from empathic_sdk.lab.reports import drawing as draw
from empathic_sdk.lab.reports.drawing import Frame
from empathic_sdk.lab.reports.markup import Group, Html, join, percent, table, tag, with_spread
from empathic_sdk.lab.reports.words import (
    DIRECTIONS,
    HEADLINES,
    MODELS,
    Subject,
    features,
    modalities,
    why_they_differ,
)

CARDS = {
    "weighted_f1": ("Weighted F1", "F1 of each class, weighted by how often it occurs"),
    "accuracy": ("Accuracy", "share of right labels"),
    "macro_f1": ("Macro F1", "all classes counting the same"),
    "uar": ("UAR", "recall, all classes counting the same"),
    "ece": ("Calibration error", "of the top label; 0 is best"),
    "shift_f1": ("Shift F1", "“this speaker’s emotion changed”, transfer module"),
}


def cell(found: Spread | None) -> Html:
    """Return one figure of a row."""
    return join("–") if found is None else with_spread(*found)


def headline(subject: Subject) -> Html:
    """Return the figures that count, large."""
    row = subject.row
    order = [subject.key, *(k for k in CARDS if k != subject.key)]
    cards = []
    for k in order:
        if k not in row.test:
            continue
        name, what = CARDS[k]
        mean, std = row.test[k]
        extra = f"dev {percent(row.dev.mean)} ± {percent(row.dev.std)}" if k == subject.key else ""
        figure = join(tag("span", percent(mean), class_="big"),
                      tag("span", f"± {percent(std)}", class_="sd"))  # fmt: skip
        cards.append(
            tag(
                "div", tag("dt", name), tag("dd", figure, class_="figure"),
                tag("dd", what, class_="what"), tag("dd", extra, class_="what") if extra else None,
                class_="card first" if k == subject.key else "card",
            )
        )  # fmt: skip
    return tag("dl", *cards, class_="cards")


def comparison(subject: Subject) -> Html:
    """Return all compared models, best features first, with how far MDGET is ahead of each."""
    runs, key = subject.runs, subject.key
    other = "macro_f1" if key == "weighted_f1" else "weighted_f1"
    compared = _compared(subject)
    order = list(dict.fromkeys((r.features, r.direction, bool(r.beside)) for r in compared))
    order.sort(key=lambda f: (f[0] != subject.row.features, not f[2], f[0] != "joint"))
    known = PUBLISHED.get(runs.data_set)
    frame = _frame(compared, key, known.weighted_f1[0] / 100 if known else None)
    groups = []
    for place in order:
        here = [r for r in compared if (r.features, r.direction, bool(r.beside)) == place]
        here.sort(key=lambda r: -r.test[key].mean)
        ours = next((r for r in here if r.model == "mdget"), None)
        rows = []
        for r in here:
            ahead = runs.compare(ours.name, r.name) if ours and r is not ours else None
            better = _interval(ahead) if ahead else join("–")
            rows.append([
                _named(r, subject.row.tested), _size(r.parameters),
                cell(r.dev), cell(r.test[key]), _strip(frame, r, key),
                cell(r.test[other]), cell(r.test["ece"]), better,
            ])  # fmt: skip
        title = f"{DIRECTIONS[place[1]].capitalize()} · {features(place[0])}"
        title += " · further corpora beside" if place[2] else ""
        marked = frozenset(i for i, r in enumerate(here) if r.model == "mdget")
        groups.append(Group(title, rows, marked))
    if known:
        groups.append(_published(subject, frame))
    name = HEADLINES[key]
    head = ["Model", "Size", f"{name}, dev", f"{name}, test", _axis(frame),
            f"{CARDS[other][0]}, test", "Calibration error", "MDGET ahead by"]  # fmt: skip
    caption = (
        f"Models compared on {subject.corpus}: percent, mean ± standard deviation over "
        f"{subject.row.tested} runs where no other number is given. “Ahead by”: probabilities "
        "averaged over the runs, whole dialogues drawn anew 2,000 times; in brackets the middle "
        "95 %."
    )
    return table(caption, head, groups, label="Models compared")


def _compared(subject: Subject) -> list[Row]:
    """Return what is compared, and the subject itself, whatever it is."""
    return [
        r for r in subject.rows
        if r.tested and (r.compared(subject.runs.data_set) or r.name == subject.row.name)
    ]  # fmt: skip


def _interval(found: dict[str, float]) -> Html:
    low, high = (percent(found[k], signed=True) for k in ("low", "high"))
    p = "p < 0.001" if found["p"] < 0.001 else f"p = {found['p']:.3f}"
    return join(
        percent(found["difference"], signed=True), tag("span", f"[{low}, {high}], {p}", class_="p")
    )


def _size(parameters: int | None) -> str:
    """Write a number of parameters."""
    if not parameters:
        return "–"
    return f"{parameters / 1e6:.2f} M" if parameters >= 1e5 else f"{parameters / 1e3:.1f} k"


def _named(row: Row, runs: int) -> str:
    """Name a model, and how many runs it has where that is another number than the subject's."""
    if row.tested == runs:
        return MODELS[row.model]
    return f"{MODELS[row.model]} ({row.tested} {'runs' if row.tested > 1 else 'run'})"


def _published(subject: Subject, frame: Frame) -> Group:
    known = PUBLISHED[subject.runs.data_set]
    dash = join("–")

    def row(name: str, f1: float, std: float | None) -> list[str]:
        spread = Spread(f1 / 100, (std or 0.0) / 100)
        shown = with_spread(f1 / 100, None if std is None else std / 100, 2)
        point = _mark(frame, spread, "published", name)
        return [name, dash, dash, shown, point, dash, dash, dash]

    rows = [row("MDGET-MER, as published", *known.weighted_f1),
            row("CFN-ESA, as they print it", known.rival[1], None)]  # fmt: skip
    return Group("Chen et al. · three modalities, whole dialogue, RoBERTa", rows)


def _frame(rows: Sequence[Row], key: str, paper: float | None) -> Frame:
    low = min(r.test[key].mean - r.test[key].std for r in rows)
    high = max(r.test[key].mean + r.test[key].std for r in rows)
    low, high = min(low, paper or low), max(high, paper or high)
    edge = 0.06 * (high - low) + 0.002
    return Frame(left=8, top=0, width=132, height=20, x=(low - edge, high + edge), y=(0, 1))


def _strip(frame: Frame, row: Row, key: str) -> Html:
    return _mark(frame, row.test[key], "ours" if row.model == "mdget" else "other", row.name)


def _mark(frame: Frame, found: Spread, style: str, name: str) -> Html:
    title = f"{name}: {percent(found.mean)} ± {percent(found.std)}"
    lines = [draw.line(frame.at_x(x), 0, frame.at_x(x), 20, "grid") for x in _steps(frame)]
    point = draw.whisker(frame, found.mean, found.std, 10, style, title)
    return draw.svg(title, 148, 20, *lines, point)


def _steps(frame: Frame) -> list[float]:
    return draw.ticks(*frame.x, about=3)


def _axis(frame: Frame) -> Html:
    numbers = [draw.words(frame.at_x(x), 12, f"{100 * x:g}") for x in _steps(frame)]
    return draw.svg("The same, on a scale", 148, 14, *numbers)


def by_modality(subject: Subject) -> Html:
    """Return what each subset of the modalities is worth, beside Table 5."""
    data_set, key = subject.runs.data_set, subject.key
    shown = _features(subject)
    plain = [
        r for r in subject.rows
        if r.model == "mdget" and r.ablation == "full" and r.tested and r.features == shown
        and not r.timing and not r.beside
    ]  # fmt: skip
    known = PUBLISHED.get(data_set)
    every = BASE[data_set].modalities
    sets = sorted(
        {r.modalities for r in plain}, key=lambda some: (len(some), [every.index(m) for m in some])
    )
    lines = [(modalities(m), [r for r in plain if r.modalities == m], m) for m in sets]
    own = subject.row
    if own.model == "mdget" and own.ablation == "full" and not own.timing and own not in plain:
        # What ships stands alone: it has features of its own, or further corpora.
        about = f"{modalities(own.modalities)} · {features(own.features)}"
        about += f" · {', '.join(own.beside)} beside" if own.beside else ""
        lines.insert(0, (about, [own], own.modalities))
    body, marked = [], set()
    for i, (label, some, names) in enumerate(lines):
        found = {r.direction: r for r in some}
        if own in some:
            marked.add(i)
        paper = known.modalities.get("+".join(names)) if known else None
        body.append([
            label, *(cell(found[d].test[key] if d in found else None) for d in DIRECTIONS),
            *([f"{paper:.2f}" if paper else "–"] if known else []),
        ])  # fmt: skip
    if known:
        rest = [m for m in known.modalities if tuple(m.split("+")) not in sets and m != "text+face"]
        whole = "text+speech+face"
        if whole in rest:
            best = f"{known.modalities[whole]:.2f}"
            body.append(["text + speech + face", join("–"), join("–"), best])
    head = ["Modalities", *(f"MDGET, {d}" for d in DIRECTIONS.values())]
    if known:
        head.append("Paper, Table 5")
    caption = (
        f"What each modality is worth on {subject.corpus}: {HEADLINES[key]}, test, percent. "
        f"Features: {features(shown)}."
    )
    return table(caption, head, [Group("", body, frozenset(marked))], label="Modalities")


def ablations(subject: Subject) -> Html:
    """Return Table 6's rows, ours in both directions beside the paper's, with the differences."""
    data_set, key = subject.runs.data_set, subject.key
    shown = _features(subject)
    found = {
        (r.ablation, r.direction): r.test[key]
        for r in subject.rows
        if r.model == "mdget" and r.compared_but_for_ablation(data_set) and r.tested
        and r.features == shown
    }  # fmt: skip
    known = PUBLISHED.get(data_set)
    if not any(a != "full" for a, _ in found):
        said = f"No part of the model was taken away on {subject.corpus} here."
        if known:
            least = min(known.ablations.values())
            said += (
                f" The paper’s Table 6: {known.ablations['full']:.2f} whole, "
                f"between {least:.2f} and {sorted(known.ablations.values())[-2]:.2f} with a part "
                "taken away."
            )
        return tag("p", said)
    steps = [
        found[a, d].mean - found["full", d].mean
        for a, d in found if a != "full" and ("full", d) in found
    ]  # fmt: skip
    if known:
        steps += [(v - known.ablations["full"]) / 100 for v in known.ablations.values()]
    widest = max(map(abs, steps), default=0.01)
    body = []
    for name in ABLATIONS:
        cells: list[str] = [ABLATION_NAMES[name]]
        for direction in DIRECTIONS:
            here, whole = found.get((name, direction)), found.get(("full", direction))
            step = here.mean - whole.mean if here and whole and name != "full" else None
            cells += [cell(here), _step(step, widest)]
        if known:
            paper = known.ablations[name]
            step = (paper - known.ablations["full"]) / 100 if name != "full" else None
            cells += [f"{paper:.2f}", _step(step, widest, 2)]
        body.append(cells)
    head = ["MDGET-MER"]
    for name in [*DIRECTIONS.values(), *(["paper, Table 6"] if known else [])]:
        head += [name[:1].upper() + name[1:], "Difference"]
    caption = (
        f"What taking a part away does on {subject.corpus}: {HEADLINES[key]}, test, percent. "
        f"Features: {features(shown)}. A bar to the left: the part was of use."
    )
    return table(caption, head, [Group("", body, frozenset({0}))], label="Ablations")


def _step(step: float | None, widest: float, digits: int = 1) -> Html:
    if step is None:
        return join("")
    middle, reach = 34.0, 32.0 * abs(step) / widest
    bar = draw.box(middle - reach if step < 0 else middle, 4, reach, 8,
                   "loss" if step < 0 else "gain")  # fmt: skip
    title = f"{percent(step, digits, signed=True)} points"
    drawn = draw.svg(title, 68, 16, bar, draw.line(middle, 0, middle, 16, "axis"))
    number = tag("span", percent(step, digits, signed=True))
    return tag("span", drawn, number, class_="step")


def _features(subject: Subject) -> str:
    """Return the features of the tables of parts: the subject's, if the whole model has them."""
    data_set, own = subject.runs.data_set, subject.row.features
    plain = (r for r in subject.rows if r.model == "mdget" and r.compared(data_set))
    there = own != "joint" and any(r.features == own for r in plain)
    return own if there else default_features(data_set)


def shift(subject: Subject) -> Html:
    """Return how well a change of emotion is told, in three ways."""
    names = {
        "transfer": "Transfer module",
        "labels": "Labels of the two utterances compared",
        "independent": "The same, from two independent predictions",
    }
    shown = [r for r in _compared(subject) if r.model == "mdget"]
    body = []
    for row in shown:
        told = subject.runs.shift(row.name, subject.rows)
        name = f"{DIRECTIONS[row.direction].capitalize()} · {features(row.features)}"
        name += " · further corpora beside" if row.beside else ""
        body.append([name, *(cell(told[k]) for k in names)])
    own = frozenset(i for i, r in enumerate(shown) if r.name == subject.row.name)
    caption = (
        "“Did this speaker’s emotion change since their last utterance?” F1 of “yes” on "
        f"{subject.corpus}, test, percent. Independent predictions are those of the linear model "
        "that reads each utterance alone, on the same features."
    )
    head = ["MDGET-MER", *names.values()]
    return table(caption, head, [Group("", body, own)], label="Emotion shift")


def losses(subject: Subject) -> Html:
    """Say how the losses were weighed, and how many pairs counted."""
    row = subject.row
    said = []
    if row.loss_weights:
        weights = row.loss_weights
        said.append(
            f"The emotion loss counted {weights['emotion']:.2f} times, the transfer loss "
            f"{weights['transfer']:.2f} times."
        )
    if row.passed and row.model == "mdget":
        said.append(f"{percent(row.passed)} % of the pairs passed the gate in the chosen epoch.")
    if row.tuning:
        chosen = ", ".join(f"{k.replace('_', ' ')} {v:g}" for k, v in row.tuning.items())
        said.append(f"Chosen on dev: {chosen}.")
    said.append(f"A run took {row.seconds:,.0f} seconds.")
    return tag("p", " ".join(said), class_="note")


def paper_note(subject: Subject) -> Html:
    """Return the paragraph on how ours and the paper's experiment differ, if there is one."""
    said = why_they_differ(subject.runs.data_set)
    return tag("p", said, class_="note") if said else join()
