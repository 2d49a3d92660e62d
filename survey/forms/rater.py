"""The rater's form, part by part, built from the questionnaire.

The fields only check what came in; templates draw them with plain loops, since
WTForms widgets take ten times as long for a page of items.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from wtforms import Field, RadioField, StringField
from wtforms.validators import Optional, ValidationError

from questionnaires.definition import SELF, AskedFacet, Prompt, PulseQuestion, Questionnaire
from reports.answers import NO_CHANCE
from reports.text import clean_line, clean_text
from survey.answers import LONGEST_PULSE_TEXT, Draft
from survey.forms.base import Form
from survey.services.ballots import Rater
from survey.services.questionnaires import behaviours_of
from survey.speech import say

Kind = Literal["shown", "facet", "words", "pulse"]
SHOWN = "shown"
TOGETHER, IDENTIFIED = "together", "identified"


@dataclass(frozen=True)
class Part:
    """One page of the form: the choice how to be shown, a facet's items, the prompts, or a pulse.

    On it, `choices` are answered by one of so many points or options, `prompts` in words.
    """

    kind: Kind
    facet: AskedFacet | None = None
    questions: tuple[PulseQuestion, ...] = ()
    choices: tuple[tuple[str, int], ...] = ()
    prompts: tuple[Prompt, ...] = ()


def parts(rater: Rater, identified: bool) -> tuple[Part, ...]:
    """Return the pages for a rater, short ones first, words last."""
    if rater.round.pulse:
        return (pulse_part(rater.questionnaire, behaviours_of(rater.round.pulse)),)
    choice = (Part("shown"),) if rater.may_be_identified else ()
    level, relationship = rater.round.level, rater.relationship
    asked = parts_asked(rater.questionnaire, level, relationship, identified=identified)
    return (*choice, *asked)


def parts_asked(
    questionnaire: Questionnaire, level: str, relationship: str, *, identified: bool
) -> tuple[Part, ...]:
    """Return the pages with statements and prompts for a relationship at a level."""
    points = questionnaire.structure.scale.points
    facets = tuple(
        Part("facet", facet, choices=tuple((item.id, points) for item in facet.items))
        for facet in questionnaire.asked_at(level)
    )
    prompts = questionnaire.prompts_for(relationship, identified=identified)
    return (*facets, Part("words", prompts=prompts))


def pulse_part(questionnaire: Questionnaire, behaviours: Sequence[str]) -> Part:
    """Return the one page of a pulse about these behaviours."""
    questions = questionnaire.pulse_questions(behaviours)
    pulse = questionnaire.structure.pulse
    return Part(
        "pulse",
        questions=questions,
        choices=tuple(
            (each.key, each.item.options if each.item.format == "options" else len(pulse.change))
            for each in questions
            if each.item.format != "text"
        ),
        prompts=tuple(
            Prompt(id=each.key, asked_of=(SELF,), max_length=LONGEST_PULSE_TEXT)
            for each in questions
            if each.item.format == "text"
        ),
    )


class PartForm(Form):
    """One part's answers; `changes` is what they add to the draft."""

    part: Part
    draft: Draft

    def changes(self) -> Draft:
        """Return the checked answers of this page."""
        match self.part.kind:
            case "shown":
                chosen = self[SHOWN].data
                return Draft(identified=chosen == IDENTIFIED if chosen else None)
            case "facet":
                return Draft(items=self._items())
            case "pulse":
                return Draft(items=self._items(), words=self._all_words())
            case _:
                return Draft(words=self._all_words())

    def _all_words(self) -> dict[str, tuple[str, ...]]:
        return {
            prompt.id: self._words(prompt)
            for prompt in self.part.prompts
            if any(self[name].raw_data for name in field_names(prompt))
        }

    def _words(self, prompt: Prompt) -> tuple[str, ...]:
        """Return a prompt's fields; one that was empty on the page clears none filled elsewhere."""
        names = field_names(prompt)
        before = self.draft.words.get(prompt.id, ("",) * len(names))
        filled = (self["filled"].data or "").split()
        return tuple(
            self[name].data or ("" if name in filled else there)
            for name, there in zip(names, before, strict=True)
        )

    def _items(self) -> dict[str, int]:
        # Only what was sent: a page left open elsewhere must put nothing back.
        sent = [name for name, _ in self.part.choices if self[name].raw_data]
        answers = {item: self[item].data for item in sent}
        return {item: int(answer) for item, answer in answers.items() if answer and answer.strip()}


def part_form(part: Part, draft: Draft | None = None) -> PartForm:
    """Return the form of a part, filled from a draft unless a page was sent."""
    form_class = _form_class(part.kind, part.choices, part.prompts)
    form = form_class(data=_stored(part, draft) if draft else None)
    form.part, form.draft = part, draft or Draft()
    return form


def field_names(prompt: Prompt) -> tuple[str, ...]:
    """Return the names of a prompt's fields in the page."""
    return tuple(f"{prompt.id}-{number + 1}" for number in range(prompt.fields))


@lru_cache(maxsize=256)
def _form_class(
    kind: Kind, choices: tuple[tuple[str, int], ...], prompts: tuple[Prompt, ...]
) -> type[PartForm]:
    fields: dict[str, Any] = {}
    if kind == "shown":
        fields[SHOWN] = RadioField(choices=[TOGETHER, IDENTIFIED], validators=[Optional()])
    for name, points in choices:
        answers = [str(answer) for answer in (*range(1, points + 1), NO_CHANCE)]
        fields[name] = RadioField(choices=answers, validators=[Optional()])
    if prompts:
        # Which fields the page showed with words in them.
        fields["filled"] = StringField()
    for prompt in prompts:
        for number, name in enumerate(field_names(prompt)):
            fields[name] = _text_field(prompt, number)
    return type("PartForm", (PartForm,), fields)


def _text_field(prompt: Prompt, number: int) -> Field:
    if prompt.format == "weekly_slot" and number == 0:
        return StringField(filters=[clean_line], validators=[_weekday])
    clean = clean_text if prompt.format == "text" else clean_line
    return StringField(filters=[clean], validators=[_no_longer_than(prompt.max_length)])


def _no_longer_than(most: int) -> Any:
    def check(_form: Form, field: Field) -> None:
        if len(field.data) > most:
            raise ValidationError(
                say().gettext(
                    "At most %(most)s characters fit here; these are %(there)s.",
                    most=most,
                    there=len(field.data),
                )
            )

    return check


def _weekday(_form: Form, field: Field) -> None:
    if field.data and field.data not in say().weekdays():
        raise ValidationError(say().gettext("Please choose a day from the list."))


def _stored(part: Part, draft: Draft) -> dict[str, Any]:
    stored: dict[str, Any] = {item: str(answer) for item, answer in draft.items.items()}
    if draft.identified is not None:
        stored[SHOWN] = IDENTIFIED if draft.identified else TOGETHER
    for prompt in part.prompts:
        stored |= dict(zip(field_names(prompt), draft.words.get(prompt.id, ()), strict=False))
    if part.prompts:
        names = [name for prompt in part.prompts for name in field_names(prompt)]
        stored["filled"] = " ".join(name for name in names if stored.get(name))
    return stored
