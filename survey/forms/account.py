"""Signing in: an address, then a code."""

from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import StringField
from wtforms.validators import DataRequired, Length

from survey.forms.text import clean_line


class AddressForm(FlaskForm):  # type: ignore[misc]
    """Whom to mail a code."""

    email = StringField(filters=[clean_line], validators=[DataRequired(), Length(max=320)])


class CodeForm(FlaskForm):  # type: ignore[misc]
    """The code from the mail."""

    email = StringField(filters=[clean_line], validators=[DataRequired(), Length(max=320)])
    code = StringField(filters=[clean_line], validators=[DataRequired(), Length(max=20)])


class PlainForm(FlaskForm):  # type: ignore[misc]
    """A button that needs nothing but the proof that our own page was used."""
