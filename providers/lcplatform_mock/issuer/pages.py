"""The few pages that users see. They hold no script, load nothing, and may stand in no frame."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from lcplatform_mock.issuer.http import Answer

_HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def page(status: int, title: str, body: str = "") -> Answer:
    """A page. `body` is HTML."""
    heading = escape(title)
    text = (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{heading}</title>"
        f"<h1>{heading}</h1>{body}</html>\n"
    )
    return Answer(status, dict(_HEADERS), text.encode(errors="replace"))


def login_form(client: str, kept: Iterable[tuple[str, str]], *, wrong: bool) -> Answer:
    """Asks who the user is. What the client asked for is kept in the form."""
    hidden = "".join(
        f'<input type=hidden name="{escape(name)}" value="{escape(value)}">' for name, value in kept
    )
    body = f"<form method=post action=/authorize>{hidden}{_fields(wrong=wrong)}<button>Log in</button></form>"
    return page(401 if wrong else 200, f"Log in to {client}", body)


def device_form(user_code: str, *, asks: bool, wrong: bool) -> Answer:
    """Asks which device it is, who the user is, and whether the device may have what it asks for."""
    code = f'<p><label>Code <input name=user_code value="{escape(user_code)}" required></label>'
    who = _fields(wrong=wrong) if asks else _warning(wrong=wrong)
    body = (
        f"<form method=post action=/device>{code}{who}<button name=decision value=allow>Allow</button>"
        " <button name=decision value=deny formnovalidate>Deny</button></form>"
    )
    return page(401 if wrong else 200, "Connect a device", body)


def _fields(*, wrong: bool) -> str:
    return (
        f"{_warning(wrong=wrong)}<p><label>Name <input name=username autocomplete=username required></label>"
        "<p><label>Password <input type=password name=password autocomplete=current-password required></label><p>"
    )


def _warning(*, wrong: bool) -> str:
    return "<p role=alert>That was not right." if wrong else ""
