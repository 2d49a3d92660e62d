"""The leader's forms: what to ask and until when, and whom."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from wtforms import BooleanField, DateField, RadioField, SelectField, StringField, TextAreaField
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired, Length

from questionnaires.definition import Questionnaire
from reports.text import clean_text
from survey.forms.base import Form
from survey.models import Person
from survey.services.nominations import Named
from survey.services.rounds import LONGEST_MESSAGE, languages

ADDRESS_IN_LINE = re.compile(r"[<(\[]?([^\s<>()\[\],;]+@[^\s<>()\[\],;]+)[>)\]]?")


class PrepareForm(Form):
    """What a round asks, in which language, and until when."""

    level = RadioField(validators=[InputRequired()])
    language = RadioField(validators=[InputRequired()])
    last_day = DateField(validators=[InputRequired()])
    message = StringField(filters=[clean_text], validators=[Length(max=LONGEST_MESSAGE)])
    coach_first = BooleanField()

    def __init__(self, questionnaire: Questionnaire, *, own_days: bool = True, **more: Any) -> None:
        super().__init__(**more)
        self.level.choices = list(questionnaire.structure.levels)
        self.language.choices = languages(questionnaire)
        if not own_days:
            # A programme's days are for all its rounds.
            del self.last_day


class RatersForm(Form):
    """Raters by relationship, a person a line."""

    relationships: tuple[str, ...] = ()

    def named(self) -> list[Named]:
        """Return everybody in the form, with the line they stand on."""
        return [
            _in_line(number, line, relationship)
            for relationship in self.relationships
            for number, line in enumerate(self[relationship].data.splitlines(), start=1)
            if line.strip()
        ]


def raters_form(relationships: Sequence[str], named: Sequence[Named] = ()) -> RatersForm:
    """Return the form with a field for each relationship, filled with those named already."""
    fields: dict[str, Any] = {
        name: TextAreaField(filters=[clean_text], validators=[Length(max=20_000)])
        for name in relationships
    }
    form_class = type(
        "RatersForm", (RatersForm,), {**fields, "relationships": tuple(relationships)}
    )
    lines = {
        name: "\n".join(f"{e.name} <{e.email}>" for e in named if e.relationship == name)
        for name in relationships
    }
    form: RatersForm = form_class(data=lines)
    return form


def _in_line(number: int, line: str, relationship: str) -> Named:
    """Read `Name <address>`, `Name, address` or `address Name`."""
    found = ADDRESS_IN_LINE.search(line)
    if found is None:
        return Named(number, line.strip(), "", relationship)
    name = (line[: found.start()] + line[found.end() :]).strip(" \t,;\"'")
    return Named(number, name, found.group(1), relationship)


class ClosingDayForm(Form):
    """A new closing day."""

    last_day = DateField(validators=[InputRequired()])


class EarlierForm(Form):
    """An earlier closing day; its name is its own, since it stands beside the later one."""

    earlier_day = DateField(validators=[InputRequired()])


class OneMoreForm(Form):
    """Somebody more to ask."""

    rater = StringField(filters=[clean_text], validators=[InputRequired(), Length(max=500)])
    relationship = SelectField(validators=[InputRequired()])

    def __init__(self, relationships: Mapping[str, str], **more: Any) -> None:
        super().__init__(**more)
        self.relationship.choices = [
            SelectChoice(name, label) for name, label in relationships.items()
        ]

    def named(self) -> Named:
        """Return who is to be asked."""
        return _in_line(1, self.rater.data, self.relationship.data)


class OneLessForm(Form):
    """Somebody who is to be asked no longer."""

    person = SelectField(validators=[InputRequired()])

    def __init__(self, raters: Sequence[Person], **more: Any) -> None:
        super().__init__(**more)
        self.person.choices = [SelectChoice(str(each.id), each.name) for each in raters]


class CoachForm(Form):
    """Which coach may read the previews."""

    coach = SelectField(validators=[InputRequired()])

    def __init__(self, coaches: Sequence[Person], **more: Any) -> None:
        super().__init__(**more)
        self.coach.choices = [SelectChoice(str(coach.id), coach.name) for coach in coaches]


def proposed_last_day(today: date) -> date:
    """Return a closing day two weeks ahead, not on a weekend when fewer people answer."""
    fortnight = date.fromordinal(today.toordinal() + 14)
    return date.fromordinal(fortnight.toordinal() + {5: 2, 6: 1}.get(fortnight.weekday(), 0))
