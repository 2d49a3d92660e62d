"""The language of what is being rendered now: a page, or a mail within a job."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask, g
from flask import session as cookie

from reports.language import Language, language
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


def say() -> Language:
    """Return the language of the moment; the installation's where nothing was chosen."""
    return language(g.get("language") or site().settings.language)


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
