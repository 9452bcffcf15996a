"""Derivatives: one power, a polynomial, a power of a bracket, a product with one."""

from __future__ import annotations

from random import Random
from typing import Any

from empathic_sdk.tutoring.problems import Line, Problem, Skill, Step, mistakes, text_of


def draw(level: int, seed: int, dice: Random) -> Problem | None:
    """Draw one exercise; ``None`` if the draw is unsuitable."""
    return (_power, _polynomial, _chain, _product)[level - 1](seed, dice)


def _power(seed: int, dice: Random) -> Problem | None:
    from sympy import Symbol

    x = Symbol("x")
    a, n = dice.choice((2, 3, 4, 5, 6, 7, 8, 9, -2, -3, -4)), dice.randint(2, 7)
    f = a * x**n
    unfinished = f"{n} × {text_of(a * x ** (n - 1))}" if a > 0 else f"-{n} × {-a}{_power_of(n - 1)}"
    return _problem(
        1, seed, text_of(f), f,
        hints=(Line("hint_power_rule"), Line("hint_exponent_down", {"a": str(n)}),
               Line("hint_so_far", {"math": unfinished})),
        steps=[Step(Line("step_power_rule", {"a": str(n), "b": str(n - 1)}), unfinished)],
        wrong={"factor_forgotten": a * x ** (n - 1), "power_kept": n * a * x**n,
               "coefficient_lost": n * x ** (n - 1), "integrated": a * x ** (n + 1) / (n + 1)},
        finished=True,
    )  # fmt: skip


def _polynomial(seed: int, dice: Random) -> Problem | None:
    from sympy import Symbol

    x = Symbol("x")
    n = dice.randint(3, 5)
    m = dice.randint(2, n - 1)
    # With a factor of one, the last hint would be the answer.
    a, b = dice.randint(2, 6), dice.choice([k for k in range(-6, 7) if abs(k) > 1])
    c, d = (
        dice.choice([k for k in range(-9, 10) if k]),
        dice.choice([k for k in range(-9, 10) if k]),
    )
    f = a * x**n + b * x**m + c * x + d
    terms = [f"{n} × {text_of(a * x ** (n - 1))}", f"{'+' if b > 0 else '-'} {m} × "
             f"{text_of(abs(b) * x ** (m - 1))}", f"{'+' if c > 0 else '-'} {abs(c)}"]  # fmt: skip
    unfinished = " ".join(terms)
    right = f.diff(x)
    return _problem(
        2, seed, text_of(f), f,
        hints=(Line("hint_term_by_term"), Line("hint_constants"),
               Line("hint_so_far", {"math": unfinished})),
        steps=[Step(Line("step_term_by_term"), unfinished)],
        wrong={"constant_kept": right + d, "line_kept": right - c + c * x,
               "factor_forgotten": a * x ** (n - 1) + b * x ** (m - 1) + c,
               "power_kept": n * a * x**n + m * b * x**m + c,
               "one_term_missed": right - c},
        finished=True,
    )  # fmt: skip


def _chain(seed: int, dice: Random) -> Problem | None:
    from sympy import Symbol

    x = Symbol("x")
    a, b = dice.choice((2, 3, 4, 5, -2, -3)), dice.choice([k for k in range(-7, 8) if k])
    n = dice.randint(2, 5)
    inner = a * x + b
    bracket = f"({text_of(inner)})"
    outer = f"{n} × {_raised(bracket, n - 1)}"
    unfinished = f"{outer} × {_factor(a)}"
    return _problem(
        3, seed, f"{bracket}^{n}", inner**n,
        hints=(Line("hint_chain"), Line("hint_outer", {"a": str(n)}),
               Line("hint_inner", {"b": text_of(inner)}),
               Line("hint_outer_part", {"math": outer})),
        steps=[Step(Line("step_chain", {"b": text_of(inner), "a": str(a)}), unfinished)],
        last=f"{n * a}{_raised(bracket, n - 1)}",
        wrong={"chain_forgotten": n * inner ** (n - 1), "factor_forgotten": a * inner ** (n - 1),
               "power_kept": n * a * inner**n},
    )  # fmt: skip


def _product(seed: int, dice: Random) -> Problem | None:
    from sympy import Symbol

    x = Symbol("x")
    m, n = dice.randint(1, 3), dice.randint(2, 3)
    a, b = dice.choice((1, 2, 3, -1, -2)), dice.choice([k for k in range(-5, 6) if k])
    inner = a * x + b
    bracket = f"({text_of(inner)})"
    u, v = x**m, inner**n
    du, dv = u.diff(x), n * inner ** (n - 1) * a
    dv_text = f"{_factor(n * a)}{_raised(bracket, n - 1)}"
    first = f"{bracket}^{n}" if m == 1 else f"{text_of(du)} × {bracket}^{n}"
    whole = f"{first} + {text_of(u)} × {dv_text}"
    parts = {"a": text_of(u), "b": f"{bracket}^{n}"}
    # u'v + uv' with the common powers taken out.
    rest = text_of((m * inner + n * a * x).expand())
    front = {1: "", 2: "x"}.get(m, f"x^{m - 1}")
    return _problem(
        4, seed, f"{text_of(u)} × {bracket}^{n}", u * v,
        hints=(Line("hint_product"), Line("hint_two_parts", parts),
               Line("hint_second_chain", {"b": text_of(inner)}),
               Line("hint_first_part", {"math": first})),
        steps=[Step(Line("step_product", parts), whole)],
        last=f"{front}{_raised(bracket, n - 1)} × ({rest})",
        wrong={"product_of_derivatives": du * dv,
               "chain_forgotten": du * v + u * n * inner ** (n - 1),
               "first_part_only": du * v, "second_part_only": u * dv},
    )  # fmt: skip


def _problem(
    level: int, seed: int, task: str, f: Any, *, hints: tuple[Line, ...], steps: list[Step],
    wrong: dict[str, Any], last: str = "", finished: bool = False,
) -> Problem:  # fmt: skip
    from sympy import Symbol

    answer = f.diff(Symbol("x"))
    return Problem(
        skill=Skill.DERIVATIVES,
        level=level,
        seed=seed,
        kind="derivative",
        ask=Line("differentiate_out" if finished else "differentiate", {"task": task}),
        task=task,
        answer=answer,
        hints=hints,
        steps=(*steps, Step(Line("step_result"), last or text_of(answer))),
        mistakes=mistakes(answer, wrong),
        finished=finished,
    )


def _raised(bracket: str, n: int) -> str:
    return bracket if n == 1 else f"{bracket}^{n}"


def _power_of(n: int) -> str:
    return "x" if n == 1 else f"x^{n}"


def _factor(n: int) -> str:
    return str(n) if n > 0 else f"({n})"
