"""Signing in: an address, then a code."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wtforms import RadioField, SelectField, SelectMultipleField, StringField
from wtforms.fields import SelectChoice
from wtforms.validators import DataRequired, InputRequired, Length

from reports.text import clean_line
from survey.forms.base import Form
from survey.services.tokens import LIFETIMES, LONGEST_NAME


class AddressForm(Form):
    """Whom to mail a code."""

    email = StringField(filters=[clean_line], validators=[DataRequired(), Length(max=320)])


class CodeForm(Form):
    """The code from the mail."""

    code = StringField(filters=[clean_line], validators=[DataRequired(), Length(max=20)])


class PasskeyForm(Form):
    """What a browser says with a passkey; a new one gets a name."""

    credential = StringField(validators=[DataRequired(), Length(max=20_000)])
    name = StringField(filters=[clean_line], validators=[Length(max=60)])


class TokenForm(Form):
    """A token for another program: what for, and for how many days."""

    name = StringField(filters=[clean_line], validators=[DataRequired(), Length(max=LONGEST_NAME)])
    scopes = SelectMultipleField(validators=[InputRequired()])
    days = SelectField(choices=[SelectChoice(str(days), str(days)) for days in LIFETIMES])

    def __init__(self, scopes: Sequence[str], **more: Any) -> None:
        super().__init__(**more)
        self.scopes.choices = list(scopes)


class PlainForm(Form):
    """A button that needs nothing but the proof that our own page was used."""


class LanguageForm(Form):
    """Which language to read and answer in."""

    language = RadioField(validators=[InputRequired()])

    def __init__(self, languages: Sequence[str], **more: Any) -> None:
        super().__init__(**more)
        self.language.choices = list(languages)
