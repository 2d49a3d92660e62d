"""The forms after a preview: what to practise, the plan for it, thanks to the raters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wtforms import SelectField, SelectMultipleField, StringField, TimeField
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired, Length, Optional, StopValidation

from reports.text import clean_line, clean_text
from survey.forms.base import Form
from survey.models import Plan
from survey.services.practices import (
    LONGEST_BEHAVIOUR,
    LONGEST_PLACE,
    LONGEST_STEP,
    LONGEST_VISION,
    Slot,
    Written,
    slot_of,
)
from survey.services.rounds import LONGEST_MESSAGE
from survey.speech import say

MINUTES = (15, 30, 45, 60, 90)


class ChooseForm(Form):
    """Which facets to practise."""

    facets = SelectMultipleField(validators=[])

    def __init__(self, facets: Sequence[str], **more: Any) -> None:
        super().__init__(**more)
        self.facets.choices = list(facets)


def _whole_slot(form: PlanForm, field: TimeField) -> None:
    """Refuse a day without a time, and a time without a day; neither is fine."""
    typed = any(each.strip() for each in field.raw_data or [])
    if not typed:
        # The field itself takes an empty time for a wrong one.
        field.errors = []
    if typed != bool(form.weekday.data):
        raise StopValidation(say().gettext("A slot needs both a day and a time."))
    if not typed:
        raise StopValidation


class PlanForm(Form):
    """The plan: what others will notice for each practice, a first step, a weekly slot."""

    vision = StringField(filters=[clean_text], validators=[Length(max=LONGEST_VISION)])
    first_step = StringField(filters=[clean_text], validators=[Length(max=LONGEST_STEP)])
    weekday = SelectField(validators=[Optional()])
    begins_at = TimeField(validators=[_whole_slot])
    minutes = SelectField(validators=[InputRequired()], coerce=int)
    place = StringField(filters=[clean_line], validators=[Length(max=LONGEST_PLACE)])
    chosen: tuple[str, ...] = ()

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        days = enumerate(say().weekdays())
        self.weekday.choices = [
            SelectChoice("", ""), *(SelectChoice(str(number), name) for number, name in days)
        ]  # fmt: skip
        self.minutes.choices = [SelectChoice(minutes, str(minutes)) for minutes in MINUTES]

    def written(self) -> Written:
        """Return the plan as it was typed."""
        slot = None
        if self.weekday.data and self.begins_at.data is not None:
            slot = Slot(
                int(self.weekday.data), self.begins_at.data, self.minutes.data, self.place.data
            )
        behaviours = {facet: self[behaviour_field(facet)].data for facet in self.chosen}
        return Written(behaviours, self.first_step.data, self.vision.data, slot)


def behaviour_field(facet: str) -> str:
    """Return the name of a practice's field."""
    return f"behaviour-{facet}"


def plan_form(plan: Plan) -> PlanForm:
    """Return the form for a plan, filled with what stands there."""
    slot = slot_of(plan)
    stored: dict[str, Any] = {
        "vision": plan.vision,
        "first_step": plan.first_step,
        "weekday": str(slot.weekday) if slot else "",
        "begins_at": slot.begins_at if slot else None,
        "minutes": plan.minutes,
        "place": plan.place,
    }
    fields: dict[str, Any] = {}
    for practice in plan.practices:
        name = behaviour_field(practice.facet)
        fields[name] = StringField(
            filters=[clean_line], validators=[InputRequired(), Length(max=LONGEST_BEHAVIOUR)]
        )
        stored[name] = practice.behaviour
    chosen = tuple(practice.facet for practice in plan.practices)
    form: PlanForm = type("PlanForm", (PlanForm,), {**fields, "chosen": chosen})(data=stored)
    return form


class ThanksForm(Form):
    """A message to everybody who was asked."""

    thanks = StringField(
        filters=[clean_text], validators=[InputRequired(), Length(max=LONGEST_MESSAGE)]
    )
