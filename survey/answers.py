"""What a rater has typed so far, between the form and the seal."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from questionnaires.definition import Prompt, Questionnaire
from reports.answers import Answers

# JSON writes a letter in at most four bytes, but two for a quotation mark or a new line.
BYTES_A_LETTER = 4
BYTES_AN_ITEM = 64
BYTES_AROUND = 512
BLOCK = 1024
# A pulse asks about so many practices at most, and each answer in words has so many characters.
MOST_PRACTICES = 2
LONGEST_PULSE_TEXT = 1000


@dataclass(frozen=True)
class Draft:
    """Answers in the making: items by id, prompts by id, and whether to be shown by role."""

    items: Mapping[str, int] = field(default_factory=dict)
    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    identified: bool | None = None

    def with_changes(self, changes: Draft) -> Draft:
        """Return the draft with another page's answers in place of what that page held."""
        return replace(
            self,
            items={**self.items, **changes.items},
            words={**self.words, **changes.words},
            identified=self.identified if changes.identified is None else changes.identified,
        )

    def to_json(self) -> bytes:
        """Return the draft as bytes to lock."""
        return dumped({"items": self.items, "words": self.words, "identified": self.identified})

    @classmethod
    def from_json(cls, content: bytes) -> Draft:
        """Return a draft from its bytes."""
        stored = json.loads(content)
        words = {prompt: tuple(fields) for prompt, fields in stored["words"].items()}
        return cls(stored["items"], words, stored["identified"])

    def as_answers(self, relationship: str) -> Answers:
        """Return the draft as what this rater answers."""
        words = {prompt: fields for prompt, fields in self.words.items() if any(fields)}
        return Answers(relationship, bool(self.identified), self.items, words)


def ballot_size(questionnaire: Questionnaire) -> int:
    """Return the one size in bytes that every ballot of this questionnaire fits into."""
    relationships = ("self", *questionnaire.structure.relationships)
    most = max(
        sum(_room(prompt) for prompt in questionnaire.prompts_for(relationship, identified=True))
        for relationship in relationships
    )
    items = BYTES_AN_ITEM * len(list(questionnaire.structure.items()))
    whole = max(most + items, _room_of_pulse(questionnaire))
    return -(-(whole + BYTES_AROUND) // BLOCK) * BLOCK


def _room_of_pulse(questionnaire: Questionnaire) -> int:
    questions = questionnaire.pulse_questions(("",) * MOST_PRACTICES)
    texts = sum(question.item.format == "text" for question in questions)
    return BYTES_AN_ITEM * len(questions) + texts * LONGEST_PULSE_TEXT * BYTES_A_LETTER


def _room(prompt: Prompt) -> int:
    return BYTES_AN_ITEM + prompt.fields * (prompt.max_length * BYTES_A_LETTER + 8)


def dumped(content: object) -> bytes:
    """Return JSON without blanks, as bytes to lock or seal."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
