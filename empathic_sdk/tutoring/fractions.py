"""Fractions: like denominators, unlike ones, products and quotients, mixed numbers."""

from __future__ import annotations

from random import Random
from typing import Any

from empathic_sdk.tutoring.problems import Line, Problem, Skill, Step, mistakes, text_of


def draw(level: int, seed: int, dice: Random) -> Problem | None:
    """Draw one exercise; ``None`` if the draw is unsuitable."""
    return (_like, _unlike, _product, _mixed)[level - 1](seed, dice)


def _like(seed: int, dice: Random) -> Problem | None:
    from sympy import Rational

    d = dice.choice((5, 6, 7, 8, 9, 10, 11, 12))
    a, b = dice.randint(1, d - 1), dice.randint(1, d - 1)
    plus = dice.random() < 0.6
    if not plus and a <= b:
        return None
    total = a + b if plus else a - b
    sign = "+" if plus else "-"
    answer = Rational(total, d)
    if answer.q == 1:
        return None
    slots = {"a": str(a), "b": str(b), "c": str(d)}
    name = "add" if plus else "subtract"
    return Problem(
        skill=Skill.FRACTIONS,
        level=1,
        seed=seed,
        kind="number",
        ask=Line("work_out", {"task": f"{a}/{d} {sign} {b}/{d}"}),
        task=f"{a}/{d} {sign} {b}/{d}",
        answer=answer,
        hints=(
            Line("hint_same_size"),
            Line(f"hint_{name}_tops", slots),
            Line("hint_so_far", {"math": f"({a} {sign} {b})/{d}"}),
        ),
        steps=_finished([Step(Line(f"step_{name}_tops", slots), f"({a} {sign} {b})/{d}")],
                        total, d, answer),
        mistakes=mistakes(answer, {
            "added_denominators": Rational(a + b, 2 * d) if plus else Rational(a - b, 2 * d),
            "other_operation": Rational(a - b if plus else a + b, d),
            "tops_multiplied": Rational(a * b, d),
        }),
    )  # fmt: skip


def _unlike(seed: int, dice: Random) -> Problem | None:
    from sympy import Rational, ilcm

    b, d = dice.sample((2, 3, 4, 5, 6, 8, 9, 10, 12), 2)
    one, two = Rational(dice.randint(1, b - 1), b), Rational(dice.randint(1, d - 1), d)
    low = int(ilcm(b, d))
    plus = dice.random() < 0.6
    if one.q != b or two.q != d or low > 40 or (not plus and one <= two):
        return None
    return _sum(seed, 2, one, two, plus, f"{one} {'+' if plus else '-'} {two}", [], {})


def _product(seed: int, dice: Random) -> Problem | None:
    from sympy import Rational

    one = Rational(dice.randint(1, 9), dice.randint(2, 10))
    two = Rational(dice.randint(1, 9), dice.randint(2, 10))
    if one.q == 1 or two.q == 1 or one == two:
        return None
    times = dice.random() < 0.5
    answer = one * two if times else one / two
    if answer.q == 1 or (two.p == 1 and not times):
        return None
    task = f"{one} {'×' if times else '÷'} {two}"
    turned = Rational(two.q, two.p)
    by = two if times else turned
    product = f"({one.p} × {by.p})/({one.q} × {by.q})"
    steps = [Step(Line("step_multiply_across"), product)]
    tops = {"a": str(one.p), "b": str(by.p), "c": str(one.q), "d": str(by.q)}
    hints = [Line("hint_multiply_across"), Line("hint_tops_and_bottoms", tops),
             Line("hint_so_far", {"math": product})]  # fmt: skip
    if not times:
        flipped = f"{one} × {turned.p}/{turned.q}"
        steps = [
            Step(Line("step_flip", {"a": str(two), "b": f"{turned.p}/{turned.q}"}), flipped),
            *steps,
        ]
        hints = [Line("hint_divide"), Line("hint_flip", {"a": str(two)}),
                 Line("hint_so_far", {"math": flipped})]  # fmt: skip
    wrong = {
        "cross_multiplied": one / two,
        "added_instead": one + two,
        "straight_across_added": Rational(one.p + two.p, one.q + two.q),
    } if times else {
        "not_inverted": one * two,
        "inverted_first": two / one,
        "subtracted_instead": one - two,
    }  # fmt: skip
    return Problem(
        skill=Skill.FRACTIONS,
        level=3,
        seed=seed,
        kind="number",
        ask=Line("work_out", {"task": task}),
        task=task,
        answer=answer,
        hints=tuple(hints),
        steps=_finished(steps, one.p * by.p, one.q * by.q, answer),
        mistakes=mistakes(answer, wrong),
    )


def _mixed(seed: int, dice: Random) -> Problem | None:
    from sympy import Rational, ilcm

    b, d = dice.choice((2, 3, 4, 5, 6, 8)), dice.choice((2, 3, 4, 5, 6, 8))
    parts = Rational(dice.randint(1, b - 1), b), Rational(dice.randint(1, d - 1), d)
    wholes = dice.randint(1, 4), dice.randint(1, 3)
    one, two = wholes[0] + parts[0], wholes[1] + parts[1]
    plus = dice.random() < 0.5
    if parts[0].q != b or parts[1].q != d or b == d or ilcm(b, d) > 30:
        return None
    if not plus and one <= two:
        return None
    sign = "+" if plus else "-"
    left, right = (f"{w} {p}" for w, p in zip(wholes, parts, strict=True))
    improper = Step(
        Line("step_improper", {"a": left, "b": str(one), "c": right, "d": str(two)}),
        f"{one} {sign} {two}",
    )
    wrong = {
        "wholes_forgotten": parts[0] + parts[1] if plus else parts[0] - parts[1],
        "fractions_forgotten": Rational(wholes[0] + wholes[1] if plus else wholes[0] - wholes[1]),
    }
    return _sum(seed, 4, one, two, plus, f"{left} {sign} {right}", [improper], wrong)


def _sum(
    seed: int, level: int, one: Any, two: Any, plus: bool, task: str, steps: list[Step],
    wrong: dict[str, Any],
) -> Problem | None:  # fmt: skip
    """Make a sum or difference of fractions with unlike denominators."""
    from sympy import Rational, ilcm

    low = int(ilcm(one.q, two.q))
    over, under = one.p * low // one.q, two.p * low // two.q
    total = over + under if plus else over - under
    answer = Rational(total, low)
    if answer.q == 1:
        return None
    sign = "+" if plus else "-"
    rewritten = f"{over}/{low} {sign} {under}/{low}"
    slots = {"a": str(one.q), "b": str(two.q), "c": str(low)}
    tops = Line("step_tops" if plus else "step_tops_minus")
    hints = [Line("hint_unlike"), Line("hint_common", slots), Line("hint_common_is", slots)]
    if level == 4:
        hints = [Line("hint_improper"), *hints]
    return Problem(
        skill=Skill.FRACTIONS,
        level=level,
        seed=seed,
        kind="number",
        ask=Line("work_out", {"task": task}),
        task=task,
        answer=answer,
        hints=(*hints, Line("hint_so_far", {"math": rewritten})),
        steps=_finished(
            [
                *steps,
                Step(Line("step_common", slots), rewritten),
                Step(tops, f"({over} {sign} {under})/{low}"),
            ],
            total, low, answer,
        ),
        mistakes=mistakes(answer, {
            **_across(one, two, plus),
            "tops_not_rewritten": Rational(one.p + two.p if plus else one.p - two.p, low),
            "other_operation": one - two if plus else one + two,
            **wrong,
        }),
    )  # fmt: skip


def _across(one: Any, two: Any, plus: bool) -> dict[str, Any]:
    """Return the wrong result of combining numerators and denominators separately."""
    from sympy import Rational

    if plus:
        return {"added_denominators": Rational(one.p + two.p, one.q + two.q)}
    if one.q == two.q:
        return {}
    return {"subtracted_denominators": Rational(one.p - two.p, one.q - two.q)}


def _finished(steps: list[Step], total: int, below: int, answer: Any) -> tuple[Step, ...]:
    """Add the result, and its simplification where there is one."""
    out = [*steps, Step(Line("step_result"), f"{total}/{below}")]
    factor = below // answer.q
    if factor > 1:
        out.append(Step(Line("step_lowest", {"a": str(factor)}), text_of(answer)))
    return tuple(out)
