"""Percentages: part of a number, one number in terms of another, changes, and back from them."""

from __future__ import annotations

from random import Random
from typing import Any

from empathic_sdk.tutoring.problems import Line, Problem, Skill, Step, decimal, mistakes


def draw(level: int, seed: int, dice: Random) -> Problem | None:
    """Draw one exercise; ``None`` if the draw is unsuitable."""
    return (_part, _share, _change, _back)[level - 1](seed, dice)


def _part(seed: int, dice: Random) -> Problem | None:
    from sympy import Rational

    p, n = dice.choice((5, 10, 15, 20, 25, 30, 40, 60, 75, 80)), 4 * dice.randint(3, 60)
    answer = Rational(p * n, 100)
    if answer.q > 1:  # the wordings speak of people and pages
        return None
    return _problem(
        1, seed, "number", f"{p}/100 × {n}", answer,
        Line("part_of", {"a": str(p), "b": str(n)}),
        hints=(Line("hint_hundredth"), Line("hint_of_means_times", {"a": str(p)}),
               Line("hint_so_far", {"math": f"{p}/100 × {n}"})),
        steps=[Step(Line("step_hundredth", {"a": str(p)}), f"{p}/100 × {n}"),
               Step(Line("step_multiply"), f"{p * n}/100")],
        wrong={"hundred_forgotten": Rational(p * n), "divided_by_percent": Rational(n, p),
               "rest_taken": n - answer, "place_value": answer * 10,
               "place_value_down": answer / 10},
    )  # fmt: skip


def _share(seed: int, dice: Random) -> Problem | None:
    from sympy import Rational

    base = dice.choice((16, 20, 25, 32, 40, 48, 50, 60, 64, 75, 80, 120, 125, 150, 160, 200, 250))
    part = dice.randint(2, base - 1)
    answer = Rational(part * 100, base)
    if answer.q > 2 or answer in (100, 50):
        return None
    return _problem(
        2, seed, "percent", f"{part}/{base} × 100", answer,
        Line("share_of", {"a": str(part), "b": str(base)}),
        hints=(Line("hint_share"), Line("hint_base_below", {"b": str(base)}),
               Line("hint_so_far", {"math": f"{part}/{base} × 100"})),
        steps=[Step(Line("step_share", {"a": str(part), "b": str(base)}), f"{part}/{base} × 100"),
               Step(Line("step_multiply"), f"{part * 100}/{base}")],
        wrong={"wrong_base": Rational(base * 100, part), "rest_taken": 100 - answer,
               "difference_taken": Rational(base - part), "place_value": answer * 10,
               "place_value_down": answer / 10},
    )  # fmt: skip


def _change(seed: int, dice: Random) -> Problem | None:
    from sympy import Rational

    p, n = dice.choice((5, 10, 15, 20, 25, 30, 40, 50, 60)), 4 * dice.randint(5, 80)
    up = dice.random() < 0.5
    by = Rational(p * n, 100)
    answer = n + by if up else n - by
    if answer.q > 1 or p == n:
        return None
    rate, sign = (100 + p, "+") if up else (100 - p, "-")
    slots = {"a": str(n), "b": str(p), "c": str(rate)}
    return _problem(
        3, seed, "number", f"{n} {sign} {p}/100 × {n}", answer,
        Line("goes_up" if up else "goes_down", slots),
        hints=(Line("hint_change_up" if up else "hint_change_down"),
               Line("hint_whole_rate_up" if up else "hint_whole_rate_down", {"b": str(p)}),
               Line("hint_so_far", {"math": f"{rate}/100 × {n}"})),
        steps=[Step(Line("step_change_up" if up else "step_change_down", slots),
                    f"{rate}/100 × {n}"),
               Step(Line("step_multiply"), f"{rate * n}/100")],
        wrong={"change_only": by, "other_direction": n - by if up else n + by,
               "points_as_units": Rational(n + p if up else n - p),
               "hundred_forgotten": Rational(rate * n)},
    )  # fmt: skip


def _back(seed: int, dice: Random) -> Problem | None:
    from sympy import Rational

    p, n = dice.choice((10, 15, 20, 25, 30, 40, 50, 60)), 4 * dice.randint(5, 80)
    up = dice.random() < 0.5
    rate = 100 + p if up else 100 - p
    now, answer = Rational(rate * n, 100), Rational(n)
    if not _round(now) or p == n:
        return None
    by = now * Rational(p, 100)
    slots = {"a": decimal(now), "b": str(p), "c": str(rate)}
    return _problem(
        4, seed, "number", f"{decimal(now)} ÷ ({rate}/100)", answer,
        Line("was_before_up" if up else "was_before_down", slots),
        hints=(Line("hint_back"), Line("hint_back_rate_up" if up else "hint_back_rate_down", slots),
               Line("hint_so_far", {"math": f"{decimal(now)} ÷ ({rate}/100)"})),
        steps=[Step(Line("step_back", slots), f"{decimal(now)} ÷ ({rate}/100)"),
               Step(Line("step_multiply"), f"{decimal(now * 100)}/{rate}")],
        wrong={"wrong_base": now - by if up else now + by, "change_only": by,
               "other_direction": now + by if up else now - by,
               "points_as_units": now - p if up else now + p},
    )  # fmt: skip


def _problem(
    level: int, seed: int, kind: Any, task: str, answer: Any, ask: Line, *,
    hints: tuple[Line, ...], steps: list[Step], wrong: dict[str, Any],
) -> Problem:  # fmt: skip
    return Problem(
        skill=Skill.PERCENTAGES,
        level=level,
        seed=seed,
        kind=kind,
        ask=ask,
        task=task,
        answer=answer,
        hints=hints,
        steps=(*steps, Step(Line("step_result"), decimal(answer))),
        mistakes=mistakes(answer, wrong),
        lowest=False,
    )


def _round(value: Any) -> bool:
    """Say whether a value has at most one decimal, to avoid long division."""
    return bool((value * 10).q == 1)
