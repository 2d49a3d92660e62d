"""A made-up round: who is asked, who answers when, and what they type; and how it is played.

The same story is played on the product and on the twins. Copies are taken as a
curious person would: each night, and once after the close.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from tests.attacks.loot import Copy, Loot, Rater

# Small groups, so that comments are printed in one list: blind picking is right once a round.
ROSTER = {"manager": 1, "peer": 6, "direct_report": 3}
LANGUAGES = ("en",) * 6 + ("de",) * 3 + ("fr",)
# How many answer before each night's backup; the last rater still types during the last one.
NIGHTS = (3, 1, 3, 2)
WORDS = ("room", "plan", "quiet", "early", "trust", "share", "later", "ask", "listen", "clear")


@dataclass(frozen=True)
class Story:
    """Raters in the order in which they answer; each takes a text back and sends another."""

    raters: tuple[Rater, ...]
    taken_back: Mapping[str, str]
    sent: Mapping[str, str]


class Store(Protocol):
    """Something that keeps a round's answers: the product, or a twin."""

    def open(self, raters: Sequence[Rater]) -> None: ...
    def draft(self, rater: Rater, text: str) -> None: ...
    def answer(self, rater: Rater, text: str) -> None: ...
    def copy(self, *, whole: bool) -> Copy: ...
    def close(self) -> tuple[str, ...]: ...


def make_up(chance: random.Random) -> Story:
    """Return a story in which nobody writes as another one does."""
    names = [(f"{kind}{n} Example", kind) for kind, count in ROSTER.items() for n in range(count)]
    languages = chance.sample(LANGUAGES, len(LANGUAGES))
    raters = [Rater(*who, language) for who, language in zip(names, languages, strict=True)]
    chance.shuffle(raters)

    def typed() -> str:
        words = chance.choices(WORDS, k=chance.randint(2, 40))
        return " ".join([*words, f"{chance.getrandbits(40):010x}"])

    return Story(
        raters=tuple(raters),
        taken_back={rater.name: typed() for rater in raters},
        sent={rater.name: typed() for rater in raters},
    )


def play(story: Story, store: Store) -> Loot:
    """Let a story happen, and return what somebody with the store's backups holds."""
    store.open(story.raters)
    nights = []
    left = list(story.raters)
    for count in NIGHTS:
        for rater in left[:count]:
            store.draft(rater, story.taken_back[rater.name])
            store.answer(rater, story.sent[rater.name])
        left = left[count:]
        if len(left) == 1:
            store.draft(left[0], story.taken_back[left[0].name])
        nights.append(store.copy(whole=len(left) == 1))
    store.answer(left[0], story.sent[left[0].name])
    printed = store.close()
    return Loot(
        raters=story.raters,
        nights=tuple(nights),
        after=store.copy(whole=True),
        printed=printed,
        taken_back=tuple(story.taken_back.values()),
    )
