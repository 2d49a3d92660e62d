"""The release: everything that a close leaves behind, as one frozen document.

Previews, pages and exports are made from it and from nothing else. It holds
rounded figures of whole groups and comments without order; nothing in it is
about one anonymous rater.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from questionnaires.definition import Questionnaire

OTHERS = "others"

Scope = Literal["theme", "facet", "item"]
Reason = Literal["most_room", "different_view"]
End = Literal["at_least", "at_most"]
Spread = Literal["alike", "somewhat", "differently"]
View = Literal["alike", "different", "clear"]
Quadrant = Literal["build_on", "next_step", "lean_on", "talk"]


class Frozen(BaseModel):
    """A value that cannot change and refuses fields it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Source(Frozen):
    """Which questionnaire was asked; equal digests, equal wording."""

    name: str
    version: str
    digest: str

    @classmethod
    def of(cls, questionnaire: Questionnaire) -> Source:
        """Name a questionnaire."""
        return cls(
            name=questionnaire.name,
            version=questionnaire.version,
            digest=questionnaire.digest(),
        )


class Rules(Frozen):
    """The confidentiality rules that this release was made by."""

    version: Literal[1] = 1
    k: int = Field(description="fewest raters in a group that is shown")
    items_from: int = Field(description="fewest answers behind an item's figure")
    comments_labelled_from: int = Field(description="fewest comments before a group is named")
    ends_from: float = Field(description="how near to an end of the scale a mean is not told")


class ReleasedAtom(Frozen):
    """A group as it is shown; `n` of `asked` answered; it is None where nobody knows."""

    id: str
    label: str
    relationships: tuple[str, ...]
    asked: int | None
    n: int
    identified: bool


class Gap(Frozen):
    """The leader's view against that of others: own − others in printed points."""

    value: float
    view: View
    field: Quadrant


class Figure(Frozen):
    """One printed number: a theme, facet or item as an atom, all others or the leader see it.

    `n` is the fewest raters behind any part of it. `mean` has one decimal; with
    `end_coded` it is the bound up to which it is told. `not_seen` stands instead
    of a mean where more than two in five had no chance to see.
    """

    scope: Scope
    key: str
    of: str
    n: int
    mean: float | None = None
    end_coded: End | None = None
    band: tuple[float, float] | None = None
    spread: Spread | None = None
    gap: Gap | None = None
    not_seen: bool = False


class Comments(Frozen):
    """What was written to one prompt; `of` names an atom, or nobody in particular."""

    prompt: str
    of: str | None
    texts: tuple[str, ...]


class Words(Frozen):
    """A word that raters chose, and how many chose it."""

    word: str
    times: int


class ThreeWords(Frozen):
    """The words chosen for one prompt, most frequent first."""

    prompt: str
    of: str | None
    words: tuple[Words, ...]


class Practice(Frozen):
    """A facet proposed to practise next, and why."""

    facet: str
    reason: Reason


class Release(Frozen):
    """The whole result of a round."""

    format: Literal[1] = 1
    questionnaire: Source
    language: str
    leader: str
    level: str
    opened_on: date | None
    closed_on: date
    sealed: bool = Field(description="sealed until the close; if not, read from a file of answers")
    rules: Rules
    atoms: tuple[ReleasedAtom, ...]
    figures: tuple[Figure, ...]
    comments: tuple[Comments, ...]
    words: tuple[ThreeWords, ...]
    own_words: dict[str, tuple[str, ...]]
    strengths: tuple[str, ...]
    practices: tuple[Practice, ...]

    def figure(self, scope: Scope, key: str, of: str) -> Figure | None:
        """Return a printed figure, or None where nothing may be shown."""
        return _found(self.figures, scope, key, of)

    def to_json(self) -> str:
        """Return the document; the same release gives the same text."""
        return self.model_dump_json(indent=1)


class TeamRelease(Frozen):
    """What several leaders' releases say together: themes and facets as all others see them.

    Each facet is the mean of the same printed figure of at least `leaders_from` leaders, and
    a theme the mean of its facets, so that no sum or difference of them concerns fewer leaders.
    """

    format: Literal[1] = 1
    questionnaire: Source
    language: str
    team: str
    leaders: tuple[str, ...]
    levels: tuple[str, ...]
    releases: tuple[str, ...] = Field(description="SHA-256 of each leader's release")
    first_closed_on: date
    closed_on: date
    answered: int = Field(description="all others of all leaders, without the identified")
    leaders_from: int = Field(description="fewest leaders behind a figure")
    behind: dict[str, tuple[str, ...]] = Field(description="the releases behind each facet")
    figures: tuple[Figure, ...]
    strengths: tuple[str, ...]
    practices: tuple[Practice, ...]

    def figure(self, scope: Scope, key: str, of: str = OTHERS) -> Figure | None:
        """Return a printed figure, or None where nothing may be shown."""
        return _found(self.figures, scope, key, of)

    def hides_each_leader_from(self, opened: Collection[str]) -> bool:
        """Say whether somebody who may open these releases cannot work out another leader's.

        For each facet, of the releases that they may not open either none is behind it, or at
        least as many as there must be behind a figure.
        """
        left = [set(releases) - set(opened) for releases in self.behind.values()]
        return all(not releases or len(releases) >= self.leaders_from for releases in left)

    def to_json(self) -> str:
        """Return the document; the same release gives the same text."""
        return self.model_dump_json(indent=1)


class Tally(Frozen):
    """How the answers to one question of a pulse fall into its classes.

    The classes are the question's options, or less, the same and more. Where all but at most
    one of `n` are in one class, only that class is told (`nearly_all`) and no counts: otherwise
    everybody's answer could be known.
    """

    question: str
    n: int
    counts: tuple[int, ...] | None
    nearly_all: int | None


class PulseRelease(Frozen):
    """The whole result of a pulse; what fewer than `k` answered is not in it."""

    format: Literal[1] = 1
    questionnaire: Source
    language: str
    leader: str
    release: str = Field(description="SHA-256 of the release that the pulse follows")
    number: int
    opened_on: date
    closed_on: date
    k: int
    asked: int
    answered: int
    behaviours: tuple[str, ...]
    tallies: tuple[Tally, ...]
    comments: tuple[Comments, ...]

    def tally(self, question: str) -> Tally | None:
        """Return how the answers to a question fall, or None where nothing may be shown."""
        return next((tally for tally in self.tallies if tally.question == question), None)

    def to_json(self) -> str:
        """Return the document; the same release gives the same text."""
        return self.model_dump_json(indent=1)


def _found(figures: Iterable[Figure], scope: Scope, key: str, of: str) -> Figure | None:
    wanted = (scope, key, of)
    return next((f for f in figures if (f.scope, f.key, f.of) == wanted), None)


def sha256(document: str) -> str:
    """Return the digest by which a release's document is known."""
    return hashlib.sha256(document.encode()).hexdigest()
