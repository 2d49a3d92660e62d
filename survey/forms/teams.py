"""The form of a team report: which previews, and how it is called."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from wtforms import RadioField, SelectMultipleField, StringField
from wtforms.fields import SelectChoice
from wtforms.validators import DataRequired, InputRequired, Length

from reports.text import clean_line
from survey.forms.base import Form
from survey.models import Release
from survey.services.people import LONGEST_NAME


class TeamForm(Form):
    """Offered previews, by the id of their round."""

    name = StringField(filters=[clean_line], validators=[DataRequired(), Length(max=LONGEST_NAME)])
    language = RadioField(validators=[InputRequired()])
    previews = SelectMultipleField()

    def __init__(self, offered: Sequence[Release], languages: Sequence[str], **more: Any) -> None:
        super().__init__(**more)
        self.language.choices = list(languages)
        self.previews.choices = [
            SelectChoice(str(release.round_id), release.round.leader.name) for release in offered
        ]

    def round_ids(self) -> list[UUID]:
        """Return the chosen rounds."""
        return [UUID(chosen) for chosen in self.previews.data]
