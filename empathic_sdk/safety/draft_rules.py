"""Applies the rules for drafts of a language model, with their exceptions.

The rules are in ``patterns/drafts.toml`` and are matched on text from
``language/normalization.py``. A match is excused if the words before it negate it or quote the
person: "you said that nobody would miss you".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from empathic_sdk.language.normalization import flatten, segments, spell, unmask
from empathic_sdk.safety.pattern_files import DraftRule, Pattern, draft_rules

_RULES, _TABLES = draft_rules()
_OF_CLAUSES = tuple(rule for rule in _RULES if rule.read == "clauses")
_GRAVE = tuple(rule for rule in _RULES if rule.grave and rule.read != "clauses")
_LIGHT = tuple(rule for rule in _RULES if not rule.grave and rule.read != "clauses")
_BEFORE = ("denial", "told", "not")
_CUES = {name: table.regex for name, table in _TABLES.items()}
# What somebody else says, or may say: "tell her: 'I miss you'" claims nothing.
_QUOTED = re.compile(r'["\u201c\u00ab][^"\u201c\u201d\u00ab\u00bb]{2,300}["\u201d\u00bb]')
_PARTS = re.compile(r"[^.!?\n]+[.!?\n]*")


class Clause(NamedTuple):
    """A text that rules are matched on, and whether it is a question."""

    text: str
    question: bool


class DraftSentence:
    """One sentence of a draft, in the forms that rules are matched on."""

    def __init__(self, text: str) -> None:
        self.flat = flatten(unmask(text))
        self.plain = _blanked(self.flat)
        self.unquoted = (
            _blanked(flatten(rest)) if (rest := _without_quotes(unmask(text))) else self.plain
        )
        self.question = text.rstrip().endswith("?")

    def clauses(self) -> Iterator[Clause]:
        """Yield its clauses, with commas removed."""
        for part in _PARTS.findall(self.flat):
            for segment in segments(part):
                spelled = spell(segment).replace(",", "")
                yield Clause(_CUES["harmless"].sub(" _ ", spelled), "?" in part)

    def breaks(self) -> DraftRule | None:
        """Return the first grave or clause rule that it breaks without an excuse."""
        return self._whole(_GRAVE) or next(
            (rule for clause in self.clauses() for rule in _OF_CLAUSES if _breaks(rule, clause)),
            None,
        )

    def breaks_lightly(self) -> DraftRule | None:
        """Return the first of the other rules that it breaks without an excuse."""
        return self._whole(_LIGHT)

    def read(self, rule: DraftRule) -> list[Clause]:
        """Return the forms of the sentence that a rule is matched on."""
        if rule.read == "clauses":
            return list(self.clauses())
        forms = {"flat": self.flat, "sentence": self.plain, "unquoted": self.unquoted}
        return [Clause(forms[rule.read], self.question)]

    def _whole(self, rules: Sequence[DraftRule]) -> DraftRule | None:
        return next((rule for rule in rules if _breaks(rule, self.read(rule)[0])), None)


def _blanked(flat: str) -> str:
    return _CUES["harmless"].sub(" _ ", spell(flat))


def _without_quotes(text: str) -> str:
    """Return a text without quoted words; empty if nothing is quoted or little else is said."""
    rest, quotes = _QUOTED.subn(" _ ", text)
    return rest if quotes and len(re.findall(r"[^\W_]+", rest)) >= 2 else ""


def broken_rules(text: str) -> list[Pattern]:
    """Return the patterns of every rule that a sentence breaks without an excuse, in order."""
    draft = DraftSentence(text)
    found: dict[Pattern, None] = {}
    for rule in _RULES:
        for clause in draft.read(rule):
            for pattern, match in rule.finditer(clause.text):
                if not _excused(rule, pattern, match, clause):
                    found[pattern] = None
    return list(found)


def _breaks(rule: DraftRule, clause: Clause) -> bool:
    return any(
        not _excused(rule, pattern, match, clause) for pattern, match in rule.finditer(clause.text)
    )


def _excused(rule: DraftRule, pattern: Pattern, match: re.Match[str], clause: Clause) -> bool:
    excuses = rule.excused_by if pattern.excused_by is None else pattern.excused_by
    if not excuses:
        return False
    before = clause.text[max(0, match.start() - 60) : match.start()]
    return any(excuse in excuses and _CUES[excuse].search(before) for excuse in _BEFORE) or (
        "question" in excuses and clause.question and bool(_CUES["asked"].search(clause.text))
    )
