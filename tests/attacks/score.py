"""What an attack comes to: how many raters it links, beside what chance would; what leaks."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

SIGMAS = 3


@dataclass(frozen=True)
class Guess:
    """An attacker's claim that a rater wrote a text; certain if nothing else is possible."""

    name: str
    text: str
    certain: bool = False


@dataclass(frozen=True)
class Score:
    """How guesses compare with the truth, over one or many rounds.

    `chance` is how many would be right if each guess picked one of the round's texts blindly.
    """

    made: int = 0
    right: int = 0
    certain: int = 0
    chance: float = 0.0
    raters: int = 0

    @classmethod
    def of(cls, guesses: Sequence[Guess], truth: Mapping[str, str]) -> Self:
        """Compare guesses with who wrote what (texts by rater)."""
        right = [guess for guess in guesses if truth[guess.name] == guess.text]
        return cls(
            made=len(guesses),
            right=len(right),
            certain=sum(guess.certain for guess in right),
            chance=len(guesses) / len(truth),
            raters=len(truth),
        )

    def __add__(self, other: Score) -> Score:
        return Score(
            self.made + other.made,
            self.right + other.right,
            self.certain + other.certain,
            self.chance + other.chance,
            self.raters + other.raters,
        )

    @property
    def limit(self) -> float:
        """Return how many right guesses blind picking hardly ever exceeds: chance + 3σ.

        Picking blindly from a shuffled list is right once a list on average, with variance 1.
        """
        return self.chance + SIGMAS * math.sqrt(self.chance)

    def wins(self) -> bool:
        """Say whether the attack knows more than chance does."""
        return self.certain > 0 or self.right > self.limit

    def __str__(self) -> str:
        if not self.made:
            return f"nothing to go by ({self.raters} raters)"
        told = f"{self.right} of {self.raters} linked"
        chance = f"{self.chance:.0f}" if self.chance >= 10 else f"{self.chance:.1f}"
        return f"{told}, {self.certain} with certainty (chance {chance})"


@dataclass(frozen=True)
class Leaks:
    """How much an attack could read or do that it should not."""

    found: int = 0

    @classmethod
    def of(cls, found: Sequence[object]) -> Self:
        """Count what was found."""
        return cls(len(found))

    def __add__(self, other: Leaks) -> Leaks:
        return Leaks(self.found + other.found)

    def wins(self) -> bool:
        """Say whether anything leaked."""
        return self.found > 0

    def __str__(self) -> str:
        return f"{self.found} leaks" if self.found != 1 else "1 leak"
