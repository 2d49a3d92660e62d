"""The instrument as frozen, typed values: what is asked, of whom, and in which words."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

SELF = "self"
FIELDS_OF_FORMAT = {"text": 1, "three_words": 3, "weekly_slot": 3}

Identifier = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,29}$")]
# A digit keeps what is asked apart from everything else in a form, which is named in words.
QuestionId = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z][A-Za-z_]*[0-9][A-Za-z0-9_]*$",
        max_length=30,
        description="a letter, then letters, digits and _, with at least one digit",
    ),
]
Language = Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")]
Emphasis = Literal["focus", "asked", "skipped"]
Text = Annotated[str, Field(min_length=1, max_length=600)]


class Frozen(BaseModel):
    """A value that cannot change and refuses fields it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Item(Frozen):
    """One behaviour that raters judge; key "-" means that seldom is better."""

    id: QuestionId
    key: Literal["+", "-"]
    levels: dict[Identifier, Emphasis] = Field(description="what each level does with the item")
    why: str = Field(default="", description="for maintainers: the experience behind the item")

    def is_asked_at(self, level: str) -> bool:
        """Say whether raters of a leader at this level see the item."""
        return self.levels[level] != "skipped"

    def is_focus_at(self, level: str) -> bool:
        """Say whether the item marks what matters most at this level."""
        return self.levels[level] == "focus"


class Facet(Frozen):
    """A side of a theme, measured by a few items."""

    id: Identifier
    measures: str = Field(default="", description="for maintainers: what the facet stands for")
    items: tuple[Item, ...] = Field(min_length=1)


class Theme(Frozen):
    """A chapter of the questionnaire and of the preview."""

    id: Identifier
    measures: str = Field(default="", description="for maintainers: what the theme stands for")
    facets: tuple[Facet, ...] = Field(min_length=1)


class Scale(Frozen):
    """The answers: points 1…n, and the mean from which a behaviour counts as seen often."""

    points: int = Field(ge=3, le=7)
    often_from: float = Field(description="from this mean on, a behaviour is seen often")


class Prompt(Frozen):
    """An open question, answered in words.

    A prompt that is not put to every relationship is put only to raters who
    chose to be identified: its answers could not be anonymous. A private
    prompt is printed for the leader's own notes and never collected.
    """

    id: QuestionId
    asked_of: tuple[Identifier, ...] = Field(min_length=1)
    format: Literal["text", "three_words", "weekly_slot"] = "text"
    required: bool = False
    private: bool = False
    max_length: int = Field(default=1000, ge=1, le=2000, description="characters of each field")

    @property
    def fields(self) -> int:
        """How many fields the answer has."""
        return FIELDS_OF_FORMAT[self.format]


class PulseItem(Frozen):
    """One question of the short follow-up."""

    id: QuestionId
    format: Literal["options", "change", "text"]
    options: int = Field(default=0, description="how many answers to choose from, for `options`")
    per_practice: bool = Field(default=False, description="asked once for each practice")


class Pulse(Frozen):
    """The short follow-up: has the practised behaviour become more visible?"""

    after_days: tuple[int, ...] = Field(min_length=1)
    change: tuple[int, ...] = Field(min_length=3, description="the points of the change scale")
    items: tuple[PulseItem, ...] = Field(min_length=1)


class Structure(Frozen):
    """The part of a questionnaire that is the same in every language."""

    format: Literal[1] = Field(description="version of this file format")
    name: Identifier
    version: str = Field(pattern=r"^[0-9]{1,4}\.[0-9]{1,4}$")
    relationships: tuple[Identifier, ...] = Field(min_length=1, description="besides self")
    scale: Scale
    levels: tuple[Identifier, ...] = Field(min_length=1, description="the pathway, in order")
    themes: tuple[Theme, ...] = Field(min_length=1)
    prompts: tuple[Prompt, ...] = ()
    pulse: Pulse

    def facets(self) -> Iterator[Facet]:
        """Give every facet in the order of the form."""
        for theme in self.themes:
            yield from theme.facets

    def items(self) -> Iterator[Item]:
        """Give every item in the order of the form."""
        for facet in self.facets():
            yield from facet.items


class Wording(Frozen):
    """One text in two voices: to the leader (`self`) and, with {name}, to everybody else."""

    self_: Text = Field(alias="self")
    other: Text

    def said_to(self, relationship: str, name: str) -> str:
        """Return the text as a rater of this relationship reads it about `name`."""
        if relationship == SELF:
            return self.self_
        return self.other.replace("{name}", name)


class PointText(Frozen):
    """A point of the scale: its label and how often that is."""

    label: Text
    anchor: Text


class ScaleText(Frozen):
    """The question above the items, and the answers below them."""

    stem: Wording
    points: tuple[PointText, ...]
    not_observed: Wording


class RelationshipText(Frozen):
    """How a relationship is called: "Peers", "peers", "a peer", "Your peer"."""

    label: Text
    many: Text
    one: Text
    identified: Text


class LevelText(Frozen):
    """A level of the pathway: its name, its point, and what it looks ahead to."""

    label: Text
    why: Text
    preview: Text


class ThemeText(Frozen):
    """A theme as the report names it; `why` says for each level why it matters there."""

    label: Text
    high_means: Text
    why: dict[Identifier, Text]


class FacetText(Frozen):
    """A facet's name, what others would notice, and three small things to try."""

    label: Text
    notice: Text
    suggestions: tuple[Text, Text, Text]


class ItemWording(Wording):
    """An item; `behaviour` names what is wished for, also where the item is reversed."""

    behaviour: Text


class ItemText(ItemWording):
    """An item as most levels ask it, and in other words where a level needs them."""

    levels: dict[Identifier, ItemWording] = Field(
        default={}, description="other words at some level"
    )

    def at(self, level: str) -> ItemWording:
        """Return the wording for a leader at this level."""
        return self.levels.get(level, self)


class PromptText(Frozen):
    """An open prompt, where {name} stands for the leader, and its heading in the report."""

    heading: Text
    text: Text

    def said_about(self, name: str) -> str:
        """Return the prompt as a rater reads it about `name`."""
        return self.text.replace("{name}", name)


class PulseItemText(Frozen):
    """A pulse question; {behaviour} stands for the practised behaviour."""

    text: Text
    options: tuple[Text, ...] = ()

    def said_about(self, name: str, behaviour: str = "") -> str:
        """Return the question as a rater reads it about `name`."""
        return self.text.replace("{name}", name).replace("{behaviour}", behaviour)


class PulseText(Frozen):
    """The pulse in words; `change` names the points from much less to much more."""

    intro: Text
    change: tuple[Text, ...]
    no_basis: Text
    items: dict[Identifier, PulseItemText]

    def introduced(self, name: str) -> str:
        """Return what a rater reads above the questions about `name`."""
        return self.intro.replace("{name}", name)


class Texts(Frozen):
    """Every word of a questionnaire in one language."""

    format: Literal[1] = Field(description="version of this file format")
    language: Language
    title: Text
    guidance: Text = Field(description="above the open prompts: how to write for the future")
    relationships: dict[Identifier, RelationshipText]
    scale: ScaleText
    levels: dict[Identifier, LevelText]
    themes: dict[Identifier, ThemeText]
    facets: dict[Identifier, FacetText]
    items: dict[Identifier, ItemText]
    prompts: dict[Identifier, PromptText]
    pulse: PulseText


@dataclass(frozen=True)
class PulseQuestion:
    """A question of one pulse: its key there, its item, and the behaviour it is about, if any."""

    key: str
    item: PulseItem
    behaviour: str = ""


@dataclass(frozen=True)
class AskedFacet:
    """A facet as far as one level asks for it."""

    theme: str
    id: str
    items: tuple[Item, ...]


class Questionnaire(Frozen):
    """A complete questionnaire: its structure and its texts by language.

    `loader.read` makes it, and only where `completeness.faults` finds nothing.
    """

    structure: Structure
    texts: dict[Language, Texts]

    @property
    def name(self) -> str:
        """The questionnaire's name, the same in every version."""
        return self.structure.name

    @property
    def version(self) -> str:
        """The version, as `major.minor`."""
        return self.structure.version

    def asked_at(self, level: str) -> tuple[AskedFacet, ...]:
        """Return the facets that a level asks for, in order, with the asked items only."""
        return tuple(
            AskedFacet(theme.id, facet.id, asked)
            for theme in self.structure.themes
            for facet in theme.facets
            if (asked := tuple(item for item in facet.items if item.is_asked_at(level)))
        )

    def items_at(self, level: str) -> tuple[Item, ...]:
        """Return the items that a level asks for, in order."""
        return tuple(item for facet in self.asked_at(level) for item in facet.items)

    def focus_facets_at(self, level: str) -> tuple[str, ...]:
        """Return the facets that hold a focus item of the level, in pathway order."""
        return tuple(
            facet.id
            for facet in self.asked_at(level)
            if any(item.is_focus_at(level) for item in facet.items)
        )

    def prompts_for(self, relationship: str, *, identified: bool) -> tuple[Prompt, ...]:
        """Return the prompts put to a rater; see `Prompt` for those not put to everybody."""
        everybody = set(self.structure.relationships)
        return tuple(
            prompt
            for prompt in self.structure.prompts
            if relationship in prompt.asked_of
            and not prompt.private
            and (relationship == SELF or identified or everybody <= set(prompt.asked_of))
        )

    def minutes(self, level: str, relationship: str) -> int:
        """Estimate how many minutes a rater needs: 10 seconds an item, a minute and a half a text.

        An estimate at paces that others measured (docs/decisions/0034); nobody has timed it.
        """
        prompts = self.prompts_for(relationship, identified=False)
        seconds = 10 * len(self.items_at(level))
        seconds += sum(90 if prompt.format == "text" else 30 for prompt in prompts)
        return math.ceil(seconds / 60)

    def pulse_questions(self, behaviours: Sequence[str]) -> tuple[PulseQuestion, ...]:
        """Return what a pulse asks, in order; some questions once for each behaviour."""
        return tuple(
            question
            for item in self.structure.pulse.items
            for question in (
                [
                    PulseQuestion(f"{item.id}_{number}", item, behaviour)
                    for number, behaviour in enumerate(behaviours, start=1)
                ]
                if item.per_practice
                else [PulseQuestion(item.id, item)]
            )
        )

    def private_prompts(self) -> tuple[Prompt, ...]:
        """Return the prompts that are printed for the leader and never collected."""
        return tuple(prompt for prompt in self.structure.prompts if prompt.private)

    def to_json(self) -> str:
        """Return the whole questionnaire as one JSON document."""
        return self.model_dump_json(by_alias=True)

    def digest(self) -> str:
        """Return the SHA-256 of the document: equal digests, equal questionnaires."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()
