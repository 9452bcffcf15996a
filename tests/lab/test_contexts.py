"""Talks cut at the moments when somebody answered, on tiny files in their owners' layout."""

from __future__ import annotations

import gzip
import json

import pytest

from empathic_sdk.errors import DataError
from empathic_sdk.lab.corpora.reply_moments import moments, reply_talks
from empathic_sdk.lab.corpora.text import empathetic_split, read_empathetic


def test_moments_by_hand():
    turns = [
        (False, "Hi, how can I help?", 0),
        (True, "I failed.", -1),
        (True, " Again. ", -1),
        (False, "That is hard.", 2),
        (False, "Why?", 0),
        (True, " ", -1),
        (True, "No idea.", -1),
        (False, "", 7),
        (False, "Hm.", 7),
        (True, "Bye.", -1),
    ]
    assert list(moments(turns)) == [
        ("I failed. Again.", "That is hard. Why?", (2, 0)),
        ("No idea.", "Hm.", (7,)),
    ]
    assert list(moments([(False, "Hi", 0)])) == []
    assert list(moments([])) == []


@pytest.fixture
def data(tmp_path):
    support = [
        {
            "split": split,
            "dialog": [
                turn
                for _ in range(5)
                for turn in (
                    {"speaker": "usr", "text": "I am sad."},
                    {"speaker": "sys", "text": "Why?", "strategy": "Question"},
                )
            ],
        }
        for split in ("test", "train")
    ]
    hits = {empathetic_split(f"hit:{i}_conv:1"): i for i in range(200)}
    talks = [
        {
            "id": f"hit:{hits[split]}_conv:{n}",
            "emotion": emotion,
            "turns": [
                {"speaker": "speaker", "text": "Look_comma_ this."},
                {"speaker": "listener", "text": "Oh."},
            ],
        }
        for split in ("test", "dev")
        for n, emotion in enumerate(("joyful", "furious", "surprised", "nostalgic"))
    ]
    for name, rows in (("esconv", support), ("empatheticdialogues", talks)):
        (tmp_path / name).mkdir()
        with gzip.open(tmp_path / name / f"{name}.jsonl.gz", "wt") as f:
            f.writelines(json.dumps(row) + "\n" for row in rows)
    return tmp_path


def test_the_corpora(data):
    (talk,) = reply_talks("esconv", data, "test")
    assert talk.said == ("I am sad.",) * 5 and talk.strategies == ((0,),) * 5
    assert talk.reference == (-1, -1, -1, 0, 0)
    glad, angry, surprised = reply_talks("empathetic", data, "test")
    assert [t.reference for t in (glad, angry, surprised)] == [(1,), (-1,), (0,)]
    assert glad.said == ("Look, this.",) and glad.strategies == ((),)
    # The same talks as the reader of utterances has: no situation on two sides.
    assert [t.id for t in (glad, angry, surprised)] == read_empathetic(data, "test").ids
    with pytest.raises(DataError, match="no reply talks"):
        reply_talks("meld", data, "test")
