"""The invented organisation, read from its file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict
from ruamel.yaml import YAML

from questionnaires.definition import Item, Questionnaire

FILE = Path(__file__).parent / "story.yaml"


class Part(BaseModel):
    """A part of the story; fields it does not know are mistakes in the file."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Someone(Part):
    """A person with a name and an address."""

    name: str
    email: str


class StoryRater(Part):
    """What a rater answers; without scores they have not answered yet."""

    name: str
    relationship: str
    identified: bool | None = None
    scores: dict[str, str] = {}
    words: dict[str, tuple[str, ...]] = {}

    @property
    def email(self) -> str:
        """The address, made from the first name."""
        return f"{self.name.split()[0].lower()}@example.org"

    def raw_answers(self, questionnaire: Questionnaire, level: str) -> dict[str, str]:
        """Return what to press in the form, item by item; left-out items are not there."""
        digits: dict[str, str] = {}
        for theme, groups in self.scores.items():
            items = [i for f in questionnaire.asked_at(level) if f.theme == theme for i in f.items]
            digits |= {
                item.id: self._raw(item, digit, questionnaire.structure.scale.points)
                for item, digit in zip(items, groups.replace(" ", ""), strict=True)
            }
        return {item: raw for item, raw in digits.items() if raw}

    def _raw(self, item: Item, digit: str, points: int) -> str:
        if digit == "-":
            return ""
        if digit == "0" or item.key == "+":
            return digit
        return str(points + 1 - int(digit))


class StoryRound(Part):
    """A leader's round."""

    leader: Someone
    level: str
    message: str
    raters: tuple[StoryRater, ...]


class Story(Part):
    """The whole invented organisation."""

    organisation: str
    administrator: Someone
    coach: Someone
    rounds: tuple[StoryRound, ...]


def story() -> Story:
    """Read the story."""
    content: Any = YAML(typ="safe").load(FILE)
    return Story.model_validate(content)
