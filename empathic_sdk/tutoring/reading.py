"""Parses a learner's input as mathematics, with its own grammar.

Nothing is ever evaluated as code. The grammar knows numbers, one variable, ``+ - * / ^ ( ) = %``,
mixed numbers and implicit products; a text is bounded in length, an exponent and the degree and
size of a value in magnitude, and all of that is checked before anything is computed.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal, NamedTuple, TypeVar

LONGEST = 120
"""Maximum characters of an answer."""
EXPONENT = 12
"""Largest exponent, up or down."""
DEGREE = 24
"""Largest degree that an expression may reach."""
BITS = 400
"""Largest number that an expression may reach."""
_DEPTH = 20

Problem = Literal["too_long", "too_big", "name", "syntax", "zero"]


class Unread(NamedTuple):
    """Why a text that looks like mathematics cannot be read."""

    problem: Problem


@dataclass(frozen=True)
class Node:
    """One node of a parsed expression.

    Attributes:
        kind: ``number variable mixed negative percent add subtract multiply divide power``.
        parts: Nodes below.
        value: Of a number or a mixed number, exactly as typed; the exponent of a power.
        text: A number as typed; for a mixed number its fraction ("3/4").
    """

    kind: str
    parts: tuple[Node, ...] = ()
    value: Fraction = Fraction(0)
    text: str = ""

    @property
    def constant(self) -> bool:
        """Whether the variable does not occur in it."""
        return self.kind != "variable" and all(p.constant for p in self.parts)


class Reading(NamedTuple):
    """A text that could be read: the sides of its equal signs, at least one, in order."""

    sides: tuple[Node, ...]


_Part = TypeVar("_Part")


class _StopError(Exception):
    def __init__(self, problem: Problem) -> None:
        self.problem = problem


_SIGNS = str.maketrans({
    "−": "-", "–": "-", "—": "-", "‒": "-", "﹣": "-", "－": "-", "＋": "+", "×": "*", "·": "*",
    "⋅": "*", "∙": "*", "✕": "*", "∗": "*", "÷": "/", "∕": "/", "⁄": "/", "：": "/", "＝": "=",
    "（": "(", "）": ")", "[": "(", "]": ")", "％": "%", "\u00a0": " ", "\u202f": " ",
    "\u2009": " ", "’": "'", "‘": "'", "′": "'", "″": "''", "\t": " ",
})  # fmt: skip
_HALVES = {
    "½": "1/2", "⅓": "1/3", "⅔": "2/3", "¼": "1/4", "¾": "3/4", "⅕": "1/5", "⅖": "2/5",
    "⅗": "3/5", "⅘": "4/5", "⅙": "1/6", "⅚": "5/6", "⅐": "1/7", "⅛": "1/8", "⅜": "3/8",
    "⅝": "5/8", "⅞": "7/8", "⅑": "1/9", "⅒": "1/10",
}  # fmt: skip
_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+")
_SUPERSCRIPT = re.compile("[⁻⁺]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+")
_LATEX = tuple(
    (re.compile(pattern), to)
    for pattern, to in (
        (r"\\[dt]?frac\s*\{([^{}]*)\}\s*\{([^{}]*)\}", r"(\1)/(\2)"),
        (r"\\(?:cdot|times)", "*"),
        (r"\\div", "/"),
        (r"\^\s*\{([^{}]*)\}", r"^(\1)"),
        (r"\\[,;! ]|[$`]", " "),
    )
)
_THOUSANDS = re.compile(r"(?<![\d.,])(\d{1,3}),(\d{3})(?![\d,])")
_TOKEN = re.compile(
    r"(?P<space>\s*)(?:(?P<number>\d+(?:\.\d+)?|\.\d+)|(?P<name>[^\W\d_]+)|(?P<sign>\*\*|.))", re.S
)


def tidy(text: str) -> str:
    """Return ``text`` in lower case with one spelling for signs, fractions and exponents."""
    s = text.translate(_SIGNS)
    for pattern, to in _LATEX:
        s = pattern.sub(to, s)
    s = _SUPERSCRIPT.sub(lambda m: f"^({m[0].translate(_RAISED)})", s)
    for sign, written in _HALVES.items():
        if sign in s:
            s = re.sub(rf"(?<=\d)\s*{sign}", f" {written}", s).replace(sign, written)
    return s.lower().strip()


def read(text: str, variable: str | None = "x") -> tuple[Reading, ...] | Unread:
    """Parse a text that consists only of mathematics.

    Args:
        text: What was typed.
        variable: The one name that may occur; ``None`` allows none.

    Returns:
        Every way to read it: one, or two where a comma may be decimal or part thousands off
        ("1,200"). Otherwise why it cannot be read.
    """
    s = tidy(text[: 4 * LONGEST])
    if len(s) > LONGEST:
        return Unread("too_long")
    spellings = [re.sub(r"(?<=\d),(?=\d)", ".", s)]
    if _THOUSANDS.search(s):
        spellings.append(_THOUSANDS.sub(r"\1\2", s))
    found: list[Reading] = []
    problem: Problem = "syntax"
    for spelling in spellings:
        try:
            found.append(_Parser(spelling, variable).parse())
        except _StopError as stop:
            problem = stop.problem
    return tuple(found) or Unread(problem)


class _Token(NamedTuple):
    kind: str  # number, name, or the sign itself; "" at the end
    text: str
    spaced: bool


class _Parser:
    """Recursive descent: sum, product, signed, power, atom."""

    def __init__(self, text: str, variable: str | None) -> None:
        self._variable = variable
        self._tokens: list[_Token] = []
        for match in _TOKEN.finditer(text):
            kind = match.lastgroup or ""
            word = match[kind]
            if kind == "sign":
                word = "^" if word == "**" else word
                kind = word
            self._tokens.append(_Token(kind, word, bool(match["space"])))
        self._at = 0
        self._depth = 0

    def parse(self) -> Reading:
        sides = [self._sum()]
        while self._take("="):
            sides.append(self._sum())
        if self._peek().kind:
            raise _StopError("syntax")
        for side in sides:
            _measure(side)
        return Reading(tuple(sides))

    def _peek(self, ahead: int = 0) -> _Token:
        at = self._at + ahead
        return self._tokens[at] if at < len(self._tokens) else _Token("", "", False)

    def _take(self, *kinds: str) -> _Token | None:
        token = self._peek()
        if token.kind not in kinds:
            return None
        self._at += 1
        return token

    def _sum(self) -> Node:
        left = self._product()
        while sign := self._take("+", "-"):
            kind = "add" if sign.kind == "+" else "subtract"
            left = Node(kind, (left, self._product()))
        return left

    def _product(self) -> Node:
        left = self._signed()
        while True:
            if sign := self._take("*", "/"):
                kind = "multiply" if sign.kind == "*" else "divide"
                left = Node(kind, (left, self._signed()))
            elif self._peek().kind in ("name", "("):
                left = Node("multiply", (left, self._power()))
            else:
                return left

    def _signed(self) -> Node:
        if self._take("+"):
            return self._deeper(self._signed)
        if self._take("-"):
            return Node("negative", (self._deeper(self._signed),))
        return self._power()

    def _power(self) -> Node:
        base = self._atom()
        if not self._take("^"):
            return base
        exponent = self._deeper(self._exponent)
        return Node("power", (base,), Fraction(exponent))

    def _exponent(self) -> int:
        negative = False
        while sign := self._take("-", "+"):
            negative ^= sign.kind == "-"
        if self._take("("):
            inner = self._deeper(self._exponent)
            if not self._take(")"):
                raise _StopError("syntax")
        else:
            number = self._take("number")
            if number is None or not number.text.isdigit() or self._peek().kind == "^":
                # A tower of powers is never an answer here.
                raise _StopError("too_big" if number else "syntax")
            inner = int(number.text) if len(number.text) <= 3 else 1000
        if abs(inner) > EXPONENT:
            raise _StopError("too_big")
        return -inner if negative else inner

    def _atom(self) -> Node:
        node = self._bare()
        while self._take("%"):
            node = Node("percent", (node,))
        return node

    def _bare(self) -> Node:
        if self._take("("):
            inside = self._deeper(self._sum)
            if not self._take(")"):
                raise _StopError("syntax")
            return inside
        if name := self._take("name"):
            if name.text != self._variable:
                raise _StopError("name")
            return Node("variable")
        number = self._take("number")
        if number is None:
            raise _StopError("syntax")
        return self._mixed(number) or Node("number", (), Fraction(number.text), number.text)

    def _mixed(self, whole: _Token) -> Node | None:
        """Read ``1 3/4`` as one number: an integer, a space, a fraction."""
        over, slash, under = (self._peek(i) for i in range(3))
        is_one = (
            whole.text.isdigit()
            and over.kind == "number"
            and over.spaced
            and over.text.isdigit()
            and slash.kind == "/"
            and under.kind == "number"
            and under.text.isdigit()
        )
        if not is_one:
            return None
        self._at += 3
        if not int(under.text):
            raise _StopError("zero")
        value = int(whole.text) + Fraction(int(over.text), int(under.text))
        return Node("mixed", (), value, f"{over.text}/{under.text}")

    def _deeper(self, step: Callable[[], _Part]) -> _Part:
        self._depth += 1
        if self._depth > _DEPTH:
            raise _StopError("too_big")
        try:
            return step()
        finally:
            self._depth -= 1


def _measure(node: Node) -> tuple[int, int]:
    """Return a bound on degree and bits of a node's value; raise where it is too large."""
    below = [_measure(part) for part in node.parts]
    degree = max((d for d, _ in below), default=0)
    bits = max((b for _, b in below), default=0)
    if node.kind in ("number", "mixed"):
        bits = node.value.numerator.bit_length() + node.value.denominator.bit_length()
    elif node.kind == "variable":
        degree, bits = 1, 1
    elif node.kind == "percent":
        bits += 7
    elif node.kind == "power":
        degree, bits = (abs(int(node.value)) * max(1, size) for size in (degree, bits))
        degree = degree if not node.parts[0].constant else 0
    elif node.kind != "negative":
        bits = sum(b for _, b in below) + 1
        if node.kind in ("multiply", "divide"):
            degree = sum(d for d, _ in below)
    if degree > DEGREE or bits > BITS:
        raise _StopError("too_big")
    return degree, bits


def exact(node: Node) -> Fraction | None:
    """Return the value of a constant, ``None`` where something is divided by zero."""
    below = [exact(part) for part in node.parts]
    numbers = [b for b in below if b is not None]
    if len(numbers) < len(below):
        return None
    match node.kind:
        case "number" | "mixed":
            return node.value
        case "negative":
            return -numbers[0]
        case "percent":
            return numbers[0] / 100
        case "add":
            return numbers[0] + numbers[1]
        case "subtract":
            return numbers[0] - numbers[1]
        case "multiply":
            return numbers[0] * numbers[1]
        case "divide":
            return numbers[0] / numbers[1] if numbers[1] else None
        case "power" if numbers[0] or node.value > 0:
            return numbers[0] ** int(node.value)
    return None


def expression(node: Node, variable: str = "x") -> Any:
    """Return a node as a SymPy expression, ``None`` where something is divided by zero."""
    import sympy

    if node.constant:
        value = exact(node)
        return None if value is None else sympy.Rational(value.numerator, value.denominator)
    if node.kind == "variable":
        return sympy.Symbol(variable)
    below = [expression(part, variable) for part in node.parts]
    if any(b is None for b in below):
        return None
    one, other = below[0], below[-1]
    match node.kind:
        case "negative":
            return -one
        case "percent":
            return one / 100
        case "add":
            return one + other
        case "subtract":
            return one - other
        case "multiply":
            return one * other
        case "divide":
            return None if sympy.expand(other) == 0 else one / other
    if node.value <= 0 and sympy.expand(one) == 0:
        return None
    return one ** int(node.value)
