"""What may be processed: every context by modality by consent by override, and the notice."""

from __future__ import annotations

import json
import logging
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from empathic_sdk import (
    BehaviourEvent,
    Deployment,
    EmotionAwareAgent,
    EmotionRecognizer,
    Modality,
    ProfileStore,
    TextEncoder,
    UserContext,
    Utterance,
)
from empathic_sdk.errors import InputError, PolicyError, StoreReadOnlyError
from empathic_sdk.policy import (
    CONSENT_VERSION,
    Override,
    Purpose,
    agreed,
    allowed,
    refusal,
)
from tests.conftest import ROOT
from tests.recognition.test_modalities import SOUND, Fake, Words, encoder, weights  # noqa: F401

MEDICAL = Override(purpose="medical", reason="Monitoring of pain after surgery.", by="Dr. Roe")
SAFETY = Override(purpose="safety", reason="Fatigue of drivers of trains.", by="Safety office")

# What each deployment leaves to decide: "never", or "consent".
DEPLOYMENTS = [
    (None, None, "never"),
    ("education", None, "never"),
    ("workplace", None, "never"),
    ("personal", None, "consent"),
    ("healthcare", None, "consent"),
    ("research", None, "consent"),
    ("education", MEDICAL, "consent"),
    ("education", SAFETY, "consent"),
    ("workplace", MEDICAL, "consent"),
    ("workplace", SAFETY, "consent"),
]
# Decisions one after the other (granted, version), and whether they add up to a yes under
# version 1 of the notice, and under version 2.
HISTORIES: list[tuple[str, list[tuple[bool, str]], bool, bool]] = [
    ("never asked", [], False, False),
    ("yes", [(True, "1")], True, False),
    ("yes, to a wording that says the same better", [(True, "1.4")], True, False),
    ("yes, to a wording before it", [(True, "0.9")], False, False),
    ("yes, to the one after it", [(True, "2.0")], False, True),
    ("no", [(False, "1")], False, False),
    ("yes, taken back", [(True, "1"), (False, "1")], False, False),
    ("yes, taken back under the next wording", [(True, "1"), (False, "2")], False, False),
    ("no, then yes", [(False, "1"), (True, "1")], True, False),
    ("yes, and yes again to the next", [(True, "1"), (True, "2")], False, True),
    ("to something that only looks alike", [(True, "10")], False, False),
]
BIOMETRIC = (Modality.SPEECH, Modality.FACE, Modality.BEHAVIOUR)
SIGNALS: dict[Modality, dict[str, Any]] = {
    Modality.SPEECH: {"audio": SOUND},
    Modality.FACE: {"frames": (np.zeros((8, 8, 3), np.uint8),)},
    Modality.BEHAVIOUR: {"events": (BehaviourEvent(kind="click", at=0.0),)},
}


def ids(value: Any) -> str | None:
    return getattr(value, "purpose", None) or (value if isinstance(value, str) else None)


def test_the_table_is_whole() -> None:
    from empathic_sdk.policy import PROHIBITED, Context

    plain = {c for c, override, _ in DEPLOYMENTS if override is None}
    assert plain == {None, *Context}
    assert {(c, o.purpose) for c, o, _ in DEPLOYMENTS if o} == {
        (c, p) for c in PROHIBITED for p in Purpose
    }
    assert set(SIGNALS) == set(BIOMETRIC) == set(Modality) - {Modality.TEXT}


@pytest.mark.parametrize(("context", "override", "decides"), DEPLOYMENTS, ids=ids)
@pytest.mark.parametrize("notice", ["1", "2", "2.3"])
def test_policy(context: str | None, override: Override | None, decides: str, notice: str) -> None:
    deployment = Deployment(context=context, override=override, notice=notice)
    with ProfileStore() as store:
        for what, history, under_1, under_2 in HISTORIES:
            for modality in Modality:
                user = f"{what}/{modality}"
                for granted, version in history:
                    store.consent(user, modality, granted, version=version)
                consented = agreed(store.get(user), deployment)
                counts = under_1 if notice == "1" else under_2
                may = modality is Modality.TEXT or (decides == "consent" and counts)
                reason = refusal(modality, deployment, consented)
                assert (reason is None) is may, (what, modality, reason)
                both = allowed([Modality.TEXT, modality], deployment, consented)
                assert (modality in both) is may and Modality.TEXT in both
                if not may:
                    assert str(modality) in str(reason)
                    with pytest.raises(PolicyError):
                        allowed([modality], deployment, consented)
                # Consent to one is no consent to another.
                for other in set(BIOMETRIC) - {modality}:
                    assert refusal(other, deployment, consented) is not None


@pytest.mark.parametrize(("context", "override", "decides"), DEPLOYMENTS, ids=ids)
def test_an_agent_decodes_nothing_that_is_refused(
    encoder: TextEncoder,  # noqa: F811
    weights: Path,  # noqa: F811
    context: str | None,
    override: Override | None,
    decides: str,
) -> None:
    fakes = {m: Fake(m, width, 1) for m, width in zip(BIOMETRIC, (6, 4, 3), strict=True)}
    words = Words("")
    recognizer = EmotionRecognizer(
        text=encoder, deployment=Deployment(context=context, override=override),
        transcriber=words, dialogue=weights, **{m.value: fakes[m] for m in BIOMETRIC},
    )  # fmt: skip

    def looked() -> dict[str, int]:
        return {m.value: fakes[m].calls for m in BIOMETRIC} | {"words": words.calls}

    processed = 0
    with EmotionAwareAgent(recognizer=recognizer) as agent:
        for what, history, counts, _ in HISTORIES:
            for modality in BIOMETRIC:
                user = f"{what}/{modality}"
                for granted, version in history:
                    agent.profiles.consent(user, modality, granted, version=version)
                before = looked()
                if decides == "consent" and counts:
                    turn = agent.respond(Utterance(**SIGNALS[modality]), user=user)
                    assert turn.emotion.missing == tuple(m for m in Modality if m is not modality)
                    before[modality] += 1
                    before["words"] += modality is Modality.SPEECH
                    processed += 1
                else:
                    with pytest.raises(PolicyError):
                        agent.respond(Utterance(**SIGNALS[modality]), user=user)
                assert looked() == before, (what, modality)
                assert agent.profiles.get(user).turns == int(decides == "consent" and counts)
        # Beside a text: the text is read, and nothing of the others.
        before = looked()
        everything = {k: v for signal in SIGNALS.values() for k, v in signal.items()}
        state = agent.respond(Utterance("I am fine.", **everything), user="stranger").emotion
        assert set(state.missing) == set(state.unread) == set(BIOMETRIC)
        assert looked() == before
        recorded = agent.profiles.overrides()
    assert processed == (9 if decides == "consent" else 0)
    if override is None:
        assert recorded == []
    else:
        (row,) = recorded
        assert (row["context"], row["purpose"], row["by"]) == (
            context, override.purpose, override.by,
        )  # fmt: skip
        assert row["turns"] == 9


def test_a_wording_is_that_of_the_caller_where_no_version_is_named() -> None:
    home = Deployment(context="personal", notice="7")
    said = UserContext(consents=frozenset({Modality.FACE}))
    assert agreed(said, home)(Modality.FACE)
    assert not agreed(said, home)(Modality.SPEECH)


def test_an_override_is_explicit_logged_recorded_and_exported(
    encoder: TextEncoder,  # noqa: F811
    weights: Path,  # noqa: F811
    caplog: pytest.LogCaptureFixture,
    tmp_path: Path,
) -> None:
    said = "Qsecretword-8831 is what I said."
    deployment = Deployment(context="workplace", override=SAFETY)
    with caplog.at_level(logging.DEBUG):
        recognizer = EmotionRecognizer(
            text=encoder, deployment=deployment, dialogue=weights, transcriber=False,
            speech=Fake(Modality.SPEECH, 6, 1), face=Fake(Modality.FACE, 4, 2), behaviour=False,
        )  # fmt: skip
        path = tmp_path / "p.db"
        with EmotionAwareAgent(recognizer=recognizer, profiles=path) as agent:
            # On record before anybody said a word.
            (row,) = agent.profiles.overrides()
            assert (row["users"], row["turns"]) == (0, 0)
            agent.profiles.consent("Qada-5561-name", Modality.SPEECH, True)
            for _ in range(2):
                agent.respond(
                    Utterance(said, **SIGNALS[Modality.SPEECH], **SIGNALS[Modality.FACE]),
                    user="Qada-5561-name",
                )
            agent.respond("Only text.", user="Qada-5561-name")
            exported = agent.profiles.export("Qada-5561-name")
            (use,) = exported["overrides"]
            assert (use["modality"], use["turns"], use["purpose"]) == ("speech", 2, "safety")
            assert use["reason"] == SAFETY.reason and use["by"] == SAFETY.by
        # The same statement again is the same row.
        with EmotionAwareAgent(recognizer=recognizer, profiles=path) as agent:
            (row,) = agent.profiles.overrides()
            assert (row["users"], row["turns"]) == (1, 2)
            agent.profiles.erase("Qada-5561-name")
            (row,) = agent.profiles.overrides()
            assert (row["users"], row["turns"]) == (0, 0)
            assert json.loads(json.dumps(row)) == row
    (line,) = [r.getMessage() for r in caplog.records if "override" in r.getMessage()]
    assert "workplace" in line and "safety" in line and SAFETY.reason in line
    assert "Qsecretword" not in caplog.text and "Qada" not in caplog.text


def test_an_override_that_cannot_be_put_on_record_is_not_in_force(
    encoder: TextEncoder,  # noqa: F811
    weights: Path,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    recognizer = EmotionRecognizer(
        text=encoder, deployment=Deployment(context="workplace", override=MEDICAL),
        dialogue=weights,
    )  # fmt: skip

    def full(self: ProfileStore, override: object) -> None:
        raise StoreReadOnlyError("it cannot be written")

    monkeypatch.setattr(ProfileStore, "declare", full)
    with pytest.raises(StoreReadOnlyError):
        EmotionAwareAgent(recognizer=recognizer)


@pytest.mark.parametrize("context", [None, "personal", "healthcare", "research"])
def test_there_is_nothing_to_override_elsewhere(context: str | None) -> None:
    with pytest.raises(InputError, match="none to lift"):
        Deployment(context=context, override=MEDICAL)


@pytest.mark.parametrize(
    "wrong",
    [
        {"purpose": "marketing"},
        {"reason": "because"},
        {"reason": " " * 40},
        {"by": " "},
        {"reason": "x" * 501},
    ],
)
def test_an_override_says_why_and_who(wrong: dict[str, str]) -> None:
    with pytest.raises(InputError):
        Override(**{**MEDICAL.model_dump(), **wrong})


# -- the notice -----------------------------------------------------------------------------

NOTICES = sorted((ROOT / "prompts" / "notice").glob("*.toml"))


@pytest.mark.parametrize("path", NOTICES, ids=lambda p: p.stem)
def test_every_notice_says_the_same_in_its_language(path: Path) -> None:
    mine = tomllib.loads(path.read_text(encoding="utf-8"))
    english = tomllib.loads((path.parent / "en.toml").read_text(encoding="utf-8"))
    assert str(mine["version"]) == CONSENT_VERSION.split(".")[0]
    assert list(mine) == list(english)
    for role, table in mine.items():
        if role != "version":
            assert len(table["lines"]) == len(english[role]["lines"]), role
            slots = [line.count("{") for line in table["lines"]]
            assert slots == [line.count("{") for line in english[role]["lines"]], role


def test_a_notice_follows_the_deployment(
    recognizer: EmotionRecognizer,
    encoder: TextEncoder,  # noqa: F811
    weights: Path,  # noqa: F811
) -> None:
    def told(deployment: Deployment | None, **given: Any) -> str:
        read = recognizer if deployment is None else EmotionRecognizer(
            text=encoder, deployment=deployment, dialogue=weights
        )  # fmt: skip
        with EmotionAwareAgent(recognizer=read, **given) as agent:
            return agent.notice()

    strict = told(None)
    for word in ("AI", "estimates", "wrong", "It stores", "copy", "erased", "not medical help"):
        assert word in strict
    assert "findahelpline.com" in strict and "emergency number" in strict
    home = told(Deployment(context="personal"), profiles=ProfileStore(keep_days=30))
    assert "your voice, your face and how you type and click" in home and "take it back" in home
    assert "after 30 days" in home and "never stored" in home
    for text in (strict, told(Deployment(context="workplace"))):
        assert "voice" not in text and "days" not in text
    work = told(Deployment(context="workplace", override=MEDICAL))
    assert "medical purpose only" in work and "your voice" in work


def test_a_notice_in_another_language(agent: EmotionAwareAgent) -> None:
    assert agent.notice(language="de").startswith("Sie sprechen mit einer KI")
    assert agent.notice(language="fr-CA").startswith("Vous parlez avec une IA")
    assert agent.notice(language="xx") == agent.notice() == agent.notice(language="en-GB")
