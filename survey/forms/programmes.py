"""The forms of programmes: common days, leaders, a manager's word."""

from __future__ import annotations

from typing import Any

from wtforms import BooleanField, DateField, HiddenField, RadioField, StringField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length

from questionnaires.definition import Questionnaire
from reports.text import clean_line, clean_text
from survey.forms.base import Form
from survey.services.approvals import LONGEST_NOTE
from survey.services.people import LONGEST_NAME
from survey.services.programmes import Member
from survey.services.rounds import LONGEST_MESSAGE, languages


class LeadersForm(Form):
    """Leaders, one a line, each followed by who approves their raters, if anybody does."""

    leaders = TextAreaField(filters=[clean_text], validators=[DataRequired(), Length(max=100_000)])

    def members(self) -> list[Member]:
        """Return who stands on each line."""
        found = []
        for number, line in enumerate(self.leaders.data.splitlines(), start=1):
            addresses = line.replace(",", " ").replace(";", " ").split()
            if addresses:
                found.append(Member(number, addresses[0], " ".join(addresses[1:])))
        return found


class ProgrammeForm(LeadersForm):
    """A new programme."""

    name = StringField(filters=[clean_line], validators=[DataRequired(), Length(max=LONGEST_NAME)])
    first_day = DateField(validators=[InputRequired()])
    last_day = DateField(validators=[InputRequired()])
    level = RadioField(validators=[InputRequired()])
    language = RadioField(validators=[InputRequired()])
    message = StringField(filters=[clean_text], validators=[Length(max=LONGEST_MESSAGE)])
    approves = BooleanField()

    def __init__(self, questionnaire: Questionnaire, **more: Any) -> None:
        super().__init__(**more)
        self.level.choices = list(questionnaire.structure.levels)
        self.language.choices = languages(questionnaire)


class ApprovalForm(Form):
    """What a manager says of a list of raters; `read` is the list that was shown."""

    read = HiddenField()
    note = StringField(filters=[clean_text], validators=[Length(max=LONGEST_NOTE)])
    # Which button was pressed.
    send_back = BooleanField()
