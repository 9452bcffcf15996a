"""The demo inside a FastAPI application, behind a login: each person has a profile of their own.

``python examples/fastapi_login.py``, then http://127.0.0.1:8000; ada/lovelace or bob/builder.
Needs the extra "demo". Behind https add ``secure=True`` to the cookie, and name your host in
``SECURITY``. The demo's own server (``empathic demo --auth``) also slows down guessing passwords.
"""

import hashlib
import hmac
import secrets

import gradio as gr
import uvicorn
from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from empathic_sdk import Deployment, EmotionAwareAgent
from empathic_sdk.demo import RequestGuard, Security, build, page_options

SECURITY = Security(hosts=("127.0.0.1", "localhost"))
FORM = """<!doctype html><html lang=en><title>Log in</title><form method=post action=/login>
<label>Name <input name=name autocomplete=username></label>
<label>Password <input name=password type=password autocomplete=current-password></label>
<button>Log in</button></form>"""


def scrambled(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=2**14, r=8, p=1)


def make_app(agent: EmotionAwareAgent, passwords: dict[str, str]) -> FastAPI:
    """Return the application; ``agent`` must have a store on disk, or nobody is kept."""
    app = FastAPI(openapi_url=None)
    salts = {name: secrets.token_bytes(16) for name in passwords}
    known = {name: scrambled(word, salts[name]) for name, word in passwords.items()}
    sessions: dict[str, str] = {}  # a token in the cookie, the name here alone

    def who(request: Request) -> str | None:
        return sessions.get(request.cookies.get("session", ""))

    @app.get("/", response_class=HTMLResponse)
    def home(request: Request) -> Response:
        return RedirectResponse("/talk/") if who(request) else HTMLResponse(FORM)

    @app.post("/login")
    async def login(request: Request) -> Response:
        form = await request.form()
        name, password = str(form.get("name", "")), str(form.get("password", ""))
        tried = scrambled(password, salts.get(name, b"nobody's salt..."))
        if not hmac.compare_digest(tried, known.get(name, b"\0" * 64)):
            raise HTTPException(401, "wrong name or password")
        token = secrets.token_urlsafe(32)
        sessions[token] = name
        answer = RedirectResponse("/talk/", status_code=303)
        answer.set_cookie("session", token, httponly=True, samesite="lax", max_age=3600)
        return answer

    @app.post("/logout")
    def logout(request: Request) -> Response:
        sessions.pop(request.cookies.get("session", ""), None)
        return RedirectResponse("/", status_code=303)

    @app.get("/about-me")
    def about_me(request: Request) -> Response:
        name = who(request)
        if name is None:
            raise HTTPException(401)
        return JSONResponse(agent.profiles.export(f"login-{name}"))  # the page's name for them

    # Before everything else of the page: other sites get nothing, and a visit is one cookie's.
    app.add_middleware(RequestGuard, security=SECURITY, path="/talk")
    return gr.mount_gradio_app(
        app, build(agent), path="/talk", auth_dependency=who, **page_options(SECURITY)
    )


def main() -> None:
    deployment = Deployment(context="personal")
    with EmotionAwareAgent(profiles="people.db", deployment=deployment) as agent:
        app = make_app(agent, {"ada": "lovelace", "bob": "builder"})
        uvicorn.run(app, host="127.0.0.1", port=8000)


if __name__ == "__main__":
    main()
