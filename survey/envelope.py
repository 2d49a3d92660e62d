"""The envelope of a ballot: what lies in it, and the layers in which it is sealed.

Inside are the answers with their rater's serial number, what was asked, the
smallest group that the rater was told of, and a code by which the closing side
knows that all of it comes from the web side. So nobody who can write to the
database can put in ballots of their own, count one twice, or have other rules
applied. Around them lies a seal to the trustee's key, if the round has a
trustee, and outside the seal to the round's own key.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from uuid import UUID

from reports.answers import Answers
from survey import sealing
from survey.answers import dumped
from survey.sealing import MAC_BYTES


class NotFromWebSide(Exception):
    """What was sealed does not come from the web side: somebody put it into the database."""


@dataclass(frozen=True)
class Content:
    """What lies in a ballot; no answers yet: it was started and not sent.

    `asked` names the questionnaire (by its digest) and the level.
    """

    serial: str
    k: int
    asked: str
    answers: Answers | None


@dataclass(frozen=True)
class Envelope:
    """How the ballots of one round are sealed: in which size, and to whose public keys."""

    round_id: UUID
    size: int
    shared: bytes = field(repr=False)
    ballot: bytes = field(repr=False)
    trustee: bytes | None = field(repr=False, default=None)

    def seal(self, content: Content) -> bytes:
        """Return the sealed content; it has one length in all ballots of a round.

        Raises ValueError for content that does not fit.
        """
        written = _written(content)
        code = sealing.mac(self.shared, written, ballot_purpose(self.round_id))
        sealed = sealing.padded(code + written, self.size)
        if self.trustee is not None:
            sealed = sealing.seal(self.trustee, sealed, trustee_purpose(self.round_id))
        return sealing.seal(self.ballot, sealed, ballot_purpose(self.round_id))


@dataclass(frozen=True)
class Opener:
    """What opens the ballots of one round: the private halves of its keys."""

    round_id: UUID
    shared: bytes = field(repr=False)
    ballot: bytes = field(repr=False)
    trustee: bytes | None = field(repr=False, default=None)

    def open(self, sealed: bytes) -> Content:
        """Return what lies in a ballot. Raises sealing.SealBroken, NotFromWebSide."""
        content = sealing.unseal(self.ballot, sealed, ballot_purpose(self.round_id))
        if self.trustee is not None:
            content = sealing.unseal(self.trustee, content, trustee_purpose(self.round_id))
        content = sealing.unpadded(content)
        code, written = content[:MAC_BYTES], content[MAC_BYTES:]
        if not sealing.fits_mac(code, self.shared, written, ballot_purpose(self.round_id)):
            raise NotFromWebSide
        return _read(written)


def ballot_purpose(round_id: UUID) -> str:
    """Return what a round's ballots are sealed for, so that no seal fits another round."""
    return f"ballot {round_id}"


def trustee_purpose(round_id: UUID) -> str:
    """Return what the seal to a trustee's key is for."""
    return f"trustee {round_id}"


def _written(content: Content) -> bytes:
    answers = content.answers
    return dumped(
        {
            "serial": content.serial,
            "k": content.k,
            "asked": content.asked,
            "answers": answers
            and {
                "relationship": answers.relationship,
                "identified": answers.identified,
                "items": answers.items,
                "words": answers.words,
            },
        }
    )


def _read(written: bytes) -> Content:
    stored = json.loads(written)
    answers = stored["answers"]
    if answers is not None:
        words = {prompt: tuple(fields) for prompt, fields in answers["words"].items()}
        answers = Answers(answers["relationship"], answers["identified"], answers["items"], words)
    return Content(stored["serial"], stored["k"], stored["asked"], answers)
