"""The grammar: what people type, and what must not do any harm."""

# Tables of cases stay tables.
# ruff: noqa: E501

from __future__ import annotations

import time
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from empathic_sdk.tutoring.checking import attempt
from empathic_sdk.tutoring.reading import Unread, exact, expression, read


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3/4", "3/4"), ("0.75", "3/4"), (".75", "3/4"), ("0,75", "3/4"), ("¾", "3/4"),
        ("1 1/2", "3/2"), ("1½", "3/2"), ("1 ½", "3/2"), ("-1 1/2", "-3/2"), ("−2", "-2"),
        ("– 3", "-3"), ("2 × 3", "6"), ("6 ÷ 4", "3/2"), ("6 : 4", None), ("3⁄4", "3/4"),
        ("50 %", "1/2"), ("12.5%", "1/8"), ("(1 + 2)/4", "3/4"), ("2(3)", "6"), ("2^-1", "1/2"),
        ("2**3", "8"), ("2³", "8"), ("10⁻²", "1/100"), (r"\frac{3}{4}", "3/4"), ("-2^2", "-4"),
        ("8/4/2", "1"), ("1-1/2", "1/2"), ("+5", "5"), ("--5", "5"), ("", None), ("3/", None),
        ("2x+3y", None), ("1 2", None),
    ],
)  # fmt: skip
def test_numbers(text: str, value: str | None) -> None:
    readings = read(text)
    if value is None:
        assert isinstance(readings, Unread)
    else:
        assert not isinstance(readings, Unread)
        assert exact(readings[0].sides[-1]) == Fraction(value)


def test_a_comma_may_mean_two_things() -> None:
    readings = read("1,200")
    assert not isinstance(readings, Unread)
    assert [exact(r.sides[0]) for r in readings] == [Fraction("1.2"), 1200]


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("2x+3", "2*x + 3"), ("2*x + 3", "2*x + 3"), ("3x^2", "3*x**2"), ("3x²", "3*x**2"),
        ("X^2", "x**2"), ("-x^2", "-x**2"), ("2(x+1)(x-1)", "2*x**2 - 2"), ("x/2", "x/2"),
        ("x(x+1)", "x**2 + x"), ("(2x+1)^3", "(2*x+1)**3"), ("x^{-1}", "1/x"), ("x x", "x**2"),
        ("6 · x", "6*x"), ("1/2 x", "x/2"),
    ],
)  # fmt: skip
def test_expressions(text: str, same: str) -> None:
    import sympy

    readings = read(text)
    assert not isinstance(readings, Unread)
    difference = expression(readings[0].sides[0]) - sympy.sympify(same)
    assert sympy.simplify(difference) == 0


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("9**9**9**9", "too_big"), ("9^9^9", "too_big"), ("x^1000000", "too_big"),
        ("((((((9^12)^12)^12)^12)^12)^12)", "too_big"), ("(x+1)^12*(x+1)^12*(x+1)^12", "too_big"),
        ("1" * 100 + "^9", "too_big"), ("1" * 121, "too_long"), ("(" * 60 + "1" + ")" * 60, "too_long"),
        ("(" * 30 + "1" + ")" * 30, "too_big"), ("-" * 60 + "1", "too_big"), ("y + 1", "name"),
        ("__import__('os')", "syntax"), ("x.__class__", "syntax"), ("lambda", "name"),
        ("1;2", "syntax"), ("5//6", "syntax"), ("x =", "syntax"), ("1/0 3", "syntax"),
    ],
)  # fmt: skip
def test_what_is_refused_is_refused_at_once(text: str, problem: str) -> None:
    start = time.process_time()
    assert read(text) == Unread(problem)  # type: ignore[arg-type]
    assert time.process_time() - start < 0.2


@pytest.mark.parametrize(
    "text",
    [
        ":" * 900 + "x1",
        " ,: " * 300 + "z",
        "is it " * 200,
        "- " * 400,
        "½" * 300,
        "a half " * 150,
        "€" * 900 + "?",
    ],
)
def test_no_pattern_takes_for_ever(text: str) -> None:
    start = time.process_time()
    attempt(text)
    assert time.process_time() - start < 1.0


def test_division_by_zero_has_no_value() -> None:
    for text in ("1/0", "2/(1-1)", "0^-1", "x/(x-x)", "(x-x)^-2"):
        readings = read(text)
        assert not isinstance(readings, Unread)
        assert expression(readings[0].sides[0]) is None
    assert read("1 1/0") == Unread("zero")


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="0123456789x+-*/^()=%., ½²−×yi'[]{}\\n", max_size=140) | st.text())
def test_any_text_is_read_or_refused_quickly(text: str) -> None:
    start = time.process_time()
    readings = read(text)
    if not isinstance(readings, Unread):
        for reading in readings:
            for side in reading.sides:
                expression(side)
    attempt(text)
    assert time.process_time() - start < 1.0


@settings(max_examples=200, deadline=None)
@given(st.fractions(max_denominator=500).filter(lambda f: abs(f) < 10**6))
def test_a_fraction_comes_back(value: Fraction) -> None:
    readings = read(str(value))
    assert not isinstance(readings, Unread)
    assert exact(readings[0].sides[0]) == value


@pytest.mark.parametrize(
    ("message", "meant"),
    [
        ("I think it's 3/4?", "3/4"), ("ok so x is 5", "5"), ("hmm, I hate this. Is it 5/6?", "5/6"),
        ("2x = 8, x = 4", "x = 4"), ("three quarters", "3/4"), ("one and a half", "1 1/2"),
        ("a half", "1/2"), ("minus two", "- 2"), ("12 euros", "12"), ("€12.50", "12.50"),
        ("f'(x) = 3x^2", "3x^2"), ("dy/dx = 3x", "3x"), ("x=4 right?", "x=4"), ("5 percent", "5 %"),
        ("the answer is 7", "7"), ("is it -3", "-3"), ("Maybe 0.5...", "0.5"), ("= 9", "9"),
        ("I don't know, 5?", "5"), ("3 or 4", "3 or 4"), ("x squared", "x ^2"),
        ("i have 2 exams tomorrow", None), ("give me 2 more", None), ("idk", None), ("no", None),
        ("what is 3/4 + 1/2", None), ("I am 15", None), ("another one", None), ("hi", None),
        ("chapter 3 is hard", None), ("", None), ("5 apples", None),
    ],
)  # fmt: skip
def test_the_answer_in_a_message(message: str, meant: str | None) -> None:
    assert attempt(message) == meant
