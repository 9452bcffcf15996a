"""Linear equations in x: one step, two steps, x on both sides, brackets."""

from __future__ import annotations

from random import Random
from typing import Any

from empathic_sdk.tutoring.problems import Line, Problem, Skill, Step, mistakes, text_of


def draw(level: int, seed: int, dice: Random) -> Problem | None:
    """Draw one exercise; ``None`` if the draw is unsuitable."""
    return (_one_step, _two_steps, _both_sides, _brackets)[level - 1](seed, dice)


def _one_step(seed: int, dice: Random) -> Problem | None:
    from sympy import Rational

    x = dice.choice([n for n in range(-9, 13) if n not in (0, 1)])
    if dice.random() < 0.5:
        a = dice.choice([n for n in range(-9, 13) if n])
        task = f"x {_signed(a)} = {x + a}"
        opposite, size = ("subtract" if a > 0 else "add"), str(abs(a))
        return _problem(
            1, seed, task, Rational(x),
            hints=(Line("hint_alone"), Line(f"hint_{opposite}", {"a": size}),
                   Line("hint_so_far", {"math": f"x = {x + a} {_signed(-a)}"})),
            steps=[Step(Line(f"step_{opposite}", {"a": size}), f"x = {x + a} {_signed(-a)}")],
            wrong={"sign_moved": x + 2 * a, "sign": -x},
        )  # fmt: skip
    a = dice.choice((2, 3, 4, 5, 6, 7, 8, 9, -2, -3, -4))
    return _problem(
        1, seed, f"{a}x = {a * x}", Rational(x),
        hints=(Line("hint_alone"), Line("hint_factor", {"a": str(a)}),
               Line("hint_so_far", {"math": f"x = {a * x}/{_factor(a)}"})),
        steps=[Step(Line("step_divide", {"a": str(a)}), f"x = {a * x}/{_factor(a)}")],
        wrong={"forgot_to_divide": a * x, "subtracted_factor": a * x - a, "sign": -x,
               "multiplied_instead": a * a * x},
    )  # fmt: skip


def _two_steps(seed: int, dice: Random) -> Problem | None:
    from sympy import Rational

    x = dice.choice([n for n in range(-9, 13) if n])
    a = dice.choice((2, 3, 4, 5, 6, 7, 8, -2, -3, -5))
    b = dice.choice([n for n in range(-12, 13) if n])
    c = a * x + b
    return _problem(
        2, seed, f"{a}x {_signed(b)} = {c}", Rational(x),
        hints=(Line("hint_undo"), Line("hint_number_first", {"a": text_of(abs(b))}),
               Line("hint_so_far", {"math": f"{a}x = {c} {_signed(-b)}"})),
        steps=[_move(b, f"{a}x = {c} {_signed(-b)}"), Step(Line("step_tidy"), f"{a}x = {c - b}"),
               Step(Line("step_divide", {"a": str(a)}), f"x = {c - b}/{_factor(a)}")],
        wrong={"sign_moved": Rational(c + b, a), "forgot_to_divide": c - b,
               "subtracted_factor": c - b - a, "divided_first": Rational(c, a) - b, "sign": -x},
    )  # fmt: skip


def _both_sides(seed: int, dice: Random) -> Problem | None:
    from sympy import Rational

    a, c = dice.randint(2, 9), dice.choice((1, 2, 3, 4, 5, 6, -1, -2, -3))
    b, d = (dice.choice([n for n in range(-12, 13) if n]) for _ in range(2))
    if a - c < 2 or a + c == 0 or b == d:
        return None
    x = Rational(d - b, a - c)
    if x.q > 3 or abs(x) > 15:
        return None
    return _problem(
        3, seed, f"{a}x {_signed(b)} = {_times_x(c)} {_signed(d)}", x,
        hints=(Line("hint_collect"), _hint_move_x(c),
               Line("hint_so_far", {"math": f"{a - c}x {_signed(b)} = {d}"})),
        steps=_collect(a, b, c, d),
        wrong={"x_added": Rational(d - b, a + c), "sign_moved": Rational(d + b, a - c),
               "forgot_to_divide": d - b, "sign": -x},
    )  # fmt: skip


def _brackets(seed: int, dice: Random) -> Problem | None:
    from sympy import Rational

    a, b = dice.randint(2, 6), dice.choice([n for n in range(-7, 8) if n])
    c, d = dice.choice((1, 2, 3, -1, -2, -3)), dice.choice([n for n in range(-15, 16) if n])
    if a - c < 2 or a + c == 0 or a * b == d or b == d:
        return None
    x = Rational(d - a * b, a - c)
    if x.q > 3 or abs(x) > 20:
        return None
    opened = f"{a}x {_signed(a * b)} = {_times_x(c)} {_signed(d)}"
    return _problem(
        4, seed, f"{a}(x {_signed(b)}) = {_times_x(c)} {_signed(d)}", x,
        hints=(Line("hint_open"), Line("hint_each", {"a": str(a)}), Line("hint_collect"),
               Line("hint_so_far", {"math": opened})),
        steps=[Step(Line("step_open", {"a": str(a)}), opened), *_collect(a, a * b, c, d)],
        wrong={"bracket_first_only": Rational(d - b, a - c), "x_added": Rational(d - a * b, a + c),
               "sign_moved": Rational(d + a * b, a - c), "forgot_to_divide": d - a * b, "sign": -x},
    )  # fmt: skip


def _problem(
    level: int, seed: int, task: str, x: Any, *, hints: tuple[Line, ...], steps: list[Step],
    wrong: dict[str, Any],
) -> Problem:  # fmt: skip
    last = f"x = {text_of(x)}"
    if steps[-1].math != last:
        steps = [*steps, Step(Line("step_result"), last)]
    return Problem(
        skill=Skill.EQUATIONS,
        level=level,
        seed=seed,
        kind="equation",
        ask=Line("solve", {"task": task}),
        task=task,
        answer=x,
        hints=hints,
        steps=tuple(steps),
        mistakes=mistakes(x, wrong),
    )


def _collect(a: int, b: int, c: int, d: int) -> list[Step]:
    """Return the steps from ``ax + b = cx + d`` to ``x = .../...``."""
    way = "subtract" if c > 0 else "add"
    return [
        Step(Line(f"step_{way}", {"a": _times_x(abs(c))}), f"{a - c}x {_signed(b)} = {d}"),
        _move(b, f"{a - c}x = {d} {_signed(-b)}"),
        Step(Line("step_tidy"), f"{a - c}x = {d - b}"),
        Step(Line("step_divide", {"a": str(a - c)}), f"x = {d - b}/{a - c}"),
    ]


def _move(b: int, math: str) -> Step:
    return Step(Line("step_subtract" if b > 0 else "step_add", {"a": str(abs(b))}), math)


def _hint_move_x(c: int) -> Line:
    return Line("hint_subtract" if c > 0 else "hint_add", {"a": _times_x(abs(c))})


def _signed(n: int) -> str:
    return f"+ {n}" if n >= 0 else f"- {-n}"


def _times_x(n: int) -> str:
    return {1: "x", -1: "-x"}.get(n, f"{n}x")


def _factor(n: int) -> str:
    return str(n) if n > 0 else f"({n})"
