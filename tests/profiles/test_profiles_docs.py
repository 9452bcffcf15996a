"""What docs/profiles.md shows is run here, as it stands there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.profiles.direct import tables
from tests.profiles.factory import make_turn

PAGE = Path(__file__).parents[2] / "docs" / "profiles.md"


def test_the_examples_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) == 2
    # The page gets its turn from an agent; the store does not mind where it comes from.
    names = {"turn": make_turn("t1", user="ada", conversation="monday")}
    for block in blocks:
        exec(compile(block, str(PAGE), "exec"), names)
    assert not (tmp_path / "profiles.db-wal").exists()
    assert (tmp_path / "ada.json").exists()


def test_the_page_names_every_table_and_method(tmp_path: Path) -> None:
    from empathic_sdk.profiles import ProfileStore

    text = PAGE.read_text(encoding="utf-8")
    public = [n for n in vars(ProfileStore) if not n.startswith("_")]
    assert [n for n in public if f"`{n}" not in text and f".{n}(" not in text] == []
    with ProfileStore(tmp_path / "profiles.db") as store, tables(store) as db:
        names = [t for t in db.table_names() if not t.startswith("_")]
    assert [t for t in names if f"`{t}`" not in text] == []
