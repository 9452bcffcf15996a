"""Logging in and out of a demo that is online."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

gr = pytest.importorskip("gradio", reason="the extra demo is not installed")

from empathic_sdk import ProfileStore  # noqa: E402
from empathic_sdk.demo import application  # noqa: E402
from empathic_sdk.demo.cookies import VisitCookies  # noqa: E402
from empathic_sdk.demo.guard import SCOPE, Bound  # noqa: E402
from empathic_sdk.demo.login import LOGGED_IN_S, Accounts  # noqa: E402
from empathic_sdk.demo.serve import running  # noqa: E402
from empathic_sdk.errors import ConfigurationError  # noqa: E402
from tests.demo.fakes import FakeAgent  # noqa: E402
from tests.demo.test_rates import Clock  # noqa: E402
from tests.demo.test_strangers import call, press  # noqa: E402

RIGHT = {"username": "ada", "password": "love:lace"}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProfileStore]:
    folder: Path = tmp_path_factory.mktemp("people")
    with ProfileStore(folder / "people.db") as made:
        yield made


@pytest.fixture(scope="module")
def url(store: ProfileStore) -> Iterator[str]:
    accounts = {"ada": "love:lace", "bob": "builder", "eve": "eavesdrop"}
    app = application(FakeAgent(store), FakeAgent(store), accounts=accounts)  # type: ignore[arg-type]
    with running(app) as address:
        yield address


@pytest.fixture
def client(url: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=url, timeout=20) as made:
        yield made


def log_in(client: httpx.Client, name: str, password: str) -> httpx.Response:
    return client.post("login", data={"username": name, "password": password})


def test_without_a_login_there_is_a_form_and_nothing_else(client: httpx.Client) -> None:
    page = client.get("")
    assert page.status_code == 303 and page.headers["location"] == "/login"
    form = client.get("login")
    assert form.status_code == 200 and "Password" in form.text
    assert "script-src" not in form.headers["content-security-policy"]
    assert client.get("config").status_code == 401
    body = {"data": ["hi", ""], "fn_index": 0, "session_hash": "x"}
    assert client.post("gradio_api/queue/join", json=body).status_code == 401
    assert client.get("gradio_api/queue/data?session_hash=x").status_code == 401


def test_a_login_opens_the_page_and_makes_a_new_cookie(client: httpx.Client) -> None:
    client.get("login")
    planted = client.cookies["empathic_visit"]
    assert log_in(client, "ada", "wrong").status_code == 400
    answer = log_in(client, **{"name": "ada", "password": "love:lace"})
    assert answer.status_code == 303 and answer.headers["location"] == "/"
    (given,) = answer.headers.get_list("set-cookie")
    assert given.endswith("; Path=/; HttpOnly; SameSite=Lax")
    assert client.cookies["empathic_visit"] != planted
    assert client.get("config").status_code == 200
    old = httpx.get(f"{client.base_url}config", cookies={"empathic_visit": planted})
    assert old.status_code == 401


def test_logging_out_ends_the_visit_and_the_login(
    client: httpx.Client, store: ProfileStore
) -> None:
    log_in(client, "ada", "love:lace")
    config = client.get("config").json()
    assert "Two." in call(client, press(config, "es-box"), "adaspage", ["hi", ""])
    assert store.users() == ["login-ada"]
    stolen = dict(client.cookies)
    assert client.get("logout").status_code == 405  # a picture on another site must not do it
    answer = client.post("logout")
    assert answer.status_code == 303 and answer.headers["location"] == "/login"
    assert "Max-Age=0" in answer.headers["set-cookie"]
    assert "empathic_visit" not in client.cookies
    with httpx.Client(base_url=client.base_url, cookies=stolen) as thief:
        assert thief.get("config").status_code == 401
        body = {"data": ["hi", ""], "fn_index": 0, "session_hash": "adaspage"}
        assert thief.post("gradio_api/queue/join", json=body).status_code == 401
    assert store.users() == ["login-ada"]  # who logs in to a lasting store is kept


def test_what_one_login_knows_another_does_not_see(url: str, store: ProfileStore) -> None:
    with (
        httpx.Client(base_url=url, timeout=20) as ada,
        httpx.Client(base_url=url, timeout=20) as bob,
    ):
        log_in(ada, "ada", "love:lace")
        log_in(bob, "bob", "builder")
        config = ada.get("config").json()
        call(ada, press(config, "es-box"), "same", ["canary-of-ada", ""])
        shown = call(bob, press(config, "es-ask"), "same")
        assert "login-bob" in shown and "login-ada" not in shown
        erased = call(bob, press(config, "es-sure"), "same")
        assert "Forgotten" in erased and "login-ada" in store.users()
        arrived = call(ada, next(d["id"] for d in config["dependencies"]
                                 if d["api_name"] == "arrive"), "same")  # fmt: skip
        assert "You are logged in as ada" in arrived


def test_guessing_is_slowed_down(url: str) -> None:
    with httpx.Client(base_url=url, timeout=20) as guesser:
        codes = [log_in(guesser, "eve", f"guess-{i}").status_code for i in range(6)]
        assert codes[:2] == [400, 400] and set(codes[3:]) == {429}
        last = log_in(guesser, "eve", "eavesdrop")
        assert last.status_code == 429 and int(last.headers["retry-after"]) >= 1
        assert "Please wait" in last.text


def test_another_site_cannot_log_anybody_in_or_out(client: httpx.Client) -> None:
    evil = {"origin": "https://evil.example"}
    assert client.post("login", data=RIGHT, headers=evil).status_code == 403
    assert client.post("logout", headers=evil).status_code == 403


# -- the accounts themselves ---------------------------------------------------------------------


def test_a_login_ends_by_itself() -> None:
    clock = Clock()
    accounts = Accounts({"ada": "x"}, VisitCookies(), clock=clock)
    visitor, _ = accounts.log_in("192.0.2.1", "ada", "x")

    asked: Any = SimpleNamespace(scope={SCOPE: Bound(str(visitor))})
    assert accounts.account(asked) == "ada"
    clock.now += LOGGED_IN_S + 1
    assert accounts.account(asked) is None


@pytest.mark.parametrize("password", ["", "y", "X", "x ", "\ud800", "x" * 5000])
def test_only_the_password_opens(password: str) -> None:
    accounts = Accounts({"ada": "x"}, VisitCookies())
    assert accounts.log_in("192.0.2.1", "ada", password)[0] is None
    assert accounts.log_in("192.0.2.1", "nobody", password)[0] is None


@pytest.mark.parametrize("passwords", [{}, {"": "x"}, {"ada": ""}])
def test_accounts_need_names_and_passwords(passwords: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError, match="needs a name and a password"):
        Accounts(passwords, VisitCookies())
