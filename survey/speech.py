"""The language of what is being rendered now: a page, or a mail within a job."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask, g, has_request_context, request
from flask import session as cookie

from reports.language import Language, language, spoken
from survey.site import site


def init_app(app: Flask) -> None:
    """Let templates say their messages in the language of the moment."""
    environment = app.jinja_env
    environment.add_extension("jinja2.ext.i18n")
    environment.install_gettext_callables(  # type: ignore[attr-defined]
        lambda message: say().translations.gettext(message),
        lambda one, many, n: say().translations.ngettext(one, many, n),
        newstyle=True,
    )
    environment.globals["say"] = say
    environment.globals["spoken"] = spoken


def say() -> Language:
    """Return the language of the moment: of the round, mail or page, or what the reader wants."""
    return language(g.get("language") or _wanted())


def _wanted() -> str:
    """Return what was chosen in this browser, or what it asks for, or the installation's."""
    usual = site().settings.language
    if not has_request_context():
        return usual
    known = spoken()
    if chosen() in known:
        return chosen()
    return request.accept_languages.best_match(known) or usual


def choose(code: str) -> None:
    """Note in this browser's cookie which language somebody wants to read."""
    cookie["language"] = code


def chosen() -> str:
    """Return the language that was chosen in this browser; empty if none was."""
    return str(cookie.get("language", ""))


def speak(code: str) -> None:
    """Answer the present request in a language."""
    g.language = code


@contextmanager
def speaking(code: str) -> Iterator[None]:
    """Speak a language for a while."""
    before = g.get("language")
    g.language = code
    try:
        yield
    finally:
        g.language = before
