"""The coach's forms."""

from __future__ import annotations

from wtforms import StringField
from wtforms.validators import Length

from reports.text import clean_text
from survey.forms.base import Form
from survey.services.coaching import LONGEST_NOTES


class NotesForm(Form):
    """A coach's own notes on a leader."""

    notes = StringField(filters=[clean_text], validators=[Length(max=LONGEST_NOTES)])
