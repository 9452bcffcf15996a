"""Checks the form of an answer: a finished number, an expanded polynomial."""

from __future__ import annotations

from math import gcd

from empathic_sdk.tutoring.reading import Node


def is_number(node: Node) -> bool:
    """Whether this is one number as written: ``7``, ``-0.75``, ``3/4``, ``1 1/2``."""
    node = _unsigned(node)
    return node.kind in ("number", "mixed") or _is_fraction(node)


def is_lowest(node: Node) -> bool:
    """Whether a number is written without a common factor above and below: not ``6/8``."""
    node = _unsigned(node)
    if node.kind == "mixed":
        over, under = map(int, node.text.split("/"))
        return 0 < over < under and gcd(over, under) == 1
    if _is_fraction(node):
        over, under = (int(_unsigned(part).text) for part in node.parts)
        return under > 1 and gcd(over, under) == 1
    return node.kind == "number"


def decimals(node: Node) -> int | None:
    """Return how many digits stand behind the point of a decimal number, else ``None``."""
    node = _unsigned(node)
    if node.kind != "number" or "." not in node.text:
        return None
    return len(node.text.partition(".")[2])


def is_polynomial(node: Node) -> bool:
    """Whether this is a sum of terms, one an exponent, each one number times one power."""
    seen: set[int] = set()
    for term in _terms(node):
        degree = _degree(term)
        if degree is None or degree in seen:
            return False
        seen.add(degree)
    return True


def _terms(node: Node) -> list[Node]:
    if node.kind in ("add", "subtract"):
        return [*_terms(node.parts[0]), *_terms(node.parts[1])]
    if node.kind == "negative":
        return _terms(node.parts[0])
    return [node]


def _degree(term: Node) -> int | None:
    """Return the exponent of a finished term, ``None`` where something is left to do."""
    factors = [_unsigned(f) for f in _factors(term)]
    numbers = [f for f in factors if f.constant]
    powers = [f for f in factors if not f.constant]
    if len(numbers) > 1 or len(powers) > 1 or not all(is_number(n) for n in numbers):
        return None
    if not powers:
        return 0
    power = powers[0]
    if power.kind == "variable":
        return 1
    if power.kind == "power" and power.parts[0].kind == "variable" and power.value != 0:
        return int(power.value)
    return None


def _factors(node: Node) -> list[Node]:
    if node.kind == "multiply":
        return [*_factors(node.parts[0]), *_factors(node.parts[1])]
    if node.kind == "divide" and not node.constant and node.parts[1].constant:
        return [*_factors(node.parts[0]), node.parts[1]]
    return [node]


def _is_fraction(node: Node) -> bool:
    below = [_unsigned(part) for part in node.parts]  # "-3/4" reads as (-3)/4
    return node.kind == "divide" and all(p.kind == "number" and p.text.isdigit() for p in below)


def _unsigned(node: Node) -> Node:
    return node.parts[0] if node.kind == "negative" else node
