"""Acting on a form: done and committed, or refused with everything typed still there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from flask_wtf import FlaskForm

from survey.db import session
from survey.errors import Refused

Value = TypeVar("Value")


@dataclass(frozen=True)
class Done(Generic[Value]):
    """An act that was done and committed, and what it returned."""

    value: Value


def attempt(form: FlaskForm, act: Callable[[], Value]) -> Done[Value] | None:
    """Do and commit what a valid form asks for.

    If it was not sent, is not valid, or the act is refused for what was typed
    (422), return None; the form then holds the refusal and is to be shown again.
    """
    if not form.validate_on_submit():
        return None
    try:
        done = Done(act())
        session().commit()
    except Refused as refusal:
        if refusal.status != 422:
            raise
        session().rollback()
        form.refusal = refusal
        return None
    return done


def status(form: FlaskForm) -> int:
    """Return how to answer with a form that is shown again."""
    return 422 if form.errors or getattr(form, "refusal", None) else 200
