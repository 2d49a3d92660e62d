"""The administrator's forms: people one by one and from a file."""

from __future__ import annotations

from flask_wtf.file import FileField, FileRequired
from wtforms import BooleanField, StringField
from wtforms.validators import DataRequired, InputRequired, Length

from reports.text import clean_line
from survey.forms.base import Form
from survey.services.people import LONGEST_NAME, ROLES


class PersonForm(Form):
    """One person and what they may do."""

    name = StringField(filters=[clean_line], validators=[DataRequired(), Length(max=LONGEST_NAME)])
    email = StringField(filters=[clean_line], validators=[DataRequired(), Length(max=320)])
    leads = BooleanField()
    coaches = BooleanField()
    administers = BooleanField()
    active = BooleanField(default=True)

    def roles(self) -> list[str]:
        """Return the ticked roles."""
        return [role for role, flag in ROLES.items() if self[flag].data]


class EraseForm(Form):
    """Erase a person: said once more, since it cannot be undone."""

    sure = BooleanField(validators=[InputRequired()])


class ImportForm(Form):
    """A table of people."""

    table = FileField(validators=[FileRequired()])
    # Which button was pressed: only say what would happen.
    only_check = BooleanField()
