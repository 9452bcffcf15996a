"""The guard on sentences that language models might write, each with what is wrong with it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from empathic_sdk.lab.corpora.risk_lines import shipped_lines
from empathic_sdk.safety.output_guard import check_sentence
from empathic_sdk.types.reply import ReplyContext

DRAFTS = [
    json.loads(line) for line in shipped_lines("drafts").read_text(encoding="utf-8").splitlines()
]
# Right in the United States, refused where nobody knows the person's country.
BY_COUNTRY = {"d108"}


@pytest.fixture
def context(new_talk: Callable[..., Any]) -> ReplyContext:
    made: ReplyContext = new_talk().context("I feel awful today.")
    return made


def test_there_are_enough_of_both_kinds() -> None:
    wrong = [d for d in DRAFTS if d["reason"]]
    assert len(wrong) > 90
    assert len(DRAFTS) - len(wrong) > 60


@pytest.mark.parametrize("draft", DRAFTS, ids=[d["id"] for d in DRAFTS])
def test_a_harmful_draft_is_refused_and_a_harmless_one_is_not(
    draft: dict[str, Any], context: ReplyContext
) -> None:
    verdict = check_sentence(draft["text"], context)
    assert verdict.allowed == (draft["reason"] is None and draft["id"] not in BY_COUNTRY), verdict
