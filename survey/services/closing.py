"""The close: open all ballots together, keep only groups, and leave nothing else.

`close` runs in one transaction. Killed before its commit, the round is still
open and sealed; after it the release stands whole, and `custody.destroy_keys` can
be run at any time, as often as one likes, for whatever keys are left.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from questionnaires.definition import SELF
from reports.answers import Answers
from reports.partition import TooFewRaters
from reports.pulse import PulseSetting, tallied
from reports.release import sha256
from survey.clock import last_day
from survey.envelope import NotFromWebSide, Opener
from survey.errors import Conflict, marked
from survey.keyring import Keyring
from survey.models import Ballot, Person, Pulse, Release, Round, RoundState, WebhookKind
from survey.sealing import SealBroken
from survey.services import audit, coaching, custody, pulses, questionnaires, rounds, webhooks


class NotDue(Conflict):
    """The closing day has not passed, or somebody else has closed the round."""

    message = marked("This round is not open, or its closing day has not passed.")


class TooFewAnswers(Conflict):
    """So few answered that nothing may be shown."""

    message = marked(
        "Fewer than %(k)s people answered, so nothing may be shown. Everything is still sealed: "
        "move the closing day, or end the round without a preview."
    )


class TrusteeNeeded(Conflict):
    """The ballots are sealed to a trustee's key, too, and it is not at hand."""

    message = marked(
        "The answers of this round can only be opened with the key that %(name)s keeps. "
        "Everything is still sealed."
    )


class RosterMismatch(Conflict):
    """The ballots are not those of the people who answered: somebody changed the database."""

    message = marked(
        "The ballots do not fit the people who answered (%(reason)s). Nothing of them was kept, "
        "and the round is as it was. If it stays so, it can only be ended without a preview."
    )


def close(
    session: Session,
    keyring: Keyring,
    round_id: UUID,
    now: datetime,
    zone: tzinfo = UTC,
    actor: Person | None = None,
    trustee_key: bytes | None = None,
) -> UUID:
    """Close a round whose closing day has passed; return the id of the key that opened it.

    The release names the days on which the round opened and closed in `zone`.
    Whoever claims the row first closes; the caller commits, then destroys keys.
    Raises NotDue, OtherSide, KeyringUnusable, TrusteeNeeded, RosterMismatch,
    TooFewAnswers: roll back then, and the round is still open and sealed.
    """
    keyring.must_close()
    claimed = session.execute(
        update(Round)
        .where(Round.id == round_id, Round.state == RoundState.OPEN, Round.closes_at <= now)
        .values(state=RoundState.CLOSING)
        .returning(Round.id)
    )
    if claimed.scalar_one_or_none() is None:
        raise NotDue
    round_ = session.get_one(Round, round_id, populate_existing=True)
    _check_enough(session, round_)
    key_id = custody.key_of(session, round_)
    answers = _opened(session, round_, _opener(keyring, round_, key_id, trustee_key))
    _check_roster(session, round_, answers)
    release = _released(session, round_, answers, now, zone)
    rounds.end(session, round_, RoundState.RELEASED)
    webhooks.note(session, WebhookKind.RELEASED, round_, now)
    if isinstance(release, Pulse):
        pulses.announce(session, release, now)
    else:
        coaching.announce(session, release, now)
    audit.record(session, actor, marked("round closed"), round_, now)
    return key_id


def _check_enough(session: Session, round_: Round) -> None:
    """Raise TooFewAnswers where nothing could be shown, before anything is opened."""
    sent = rounds.answered(session, round_)
    if sum(n for relationship, n in sent.items() if relationship != SELF) < round_.k:
        raise TooFewAnswers(k=round_.k)


def _opener(keyring: Keyring, round_: Round, key_id: UUID, trustee_key: bytes | None) -> Opener:
    """Return what opens a round's ballots. Raises TrusteeNeeded, KeyringUnusable."""
    if round_.trustee and trustee_key is None:
        raise TrusteeNeeded(name=round_.trustee.person.name)
    private = keyring.ballot_key(key_id)
    return Opener(round_.id, keyring.shared(), private, trustee_key if round_.trustee else None)


def _opened(session: Session, round_: Round, opener: Opener) -> list[Answers]:
    """Return the answers in all sent ballots, in the order of their (random) handles."""
    query = select(Ballot).where(Ballot.round_id == round_.id).order_by(Ballot.handle)
    opened, serials, asked = [], set(), questionnaires.asked_in(round_)
    for ballot in session.scalars(query):
        try:
            content = opener.open(ballot.sealed)
        except SealBroken:
            raise RosterMismatch(reason="a seal does not belong to this round") from None
        except NotFromWebSide:
            raise RosterMismatch(reason="a ballot was not written by this server") from None
        if content.serial in serials:
            raise RosterMismatch(reason="a rater's ballot is there twice")
        if content.k > round_.k:
            raise RosterMismatch(reason=f"raters were told of groups of {content.k}")
        if content.asked != asked:
            raise RosterMismatch(reason="raters were asked something else")
        serials.add(content.serial)
        if content.answers is not None:
            opened.append(content.answers)
    return opened


def _check_roster(session: Session, round_: Round, answers: Sequence[Answers]) -> None:
    """Raise RosterMismatch unless each relationship has as many ballots as people who answered."""
    opened = Counter(each.relationship for each in answers)
    noted = rounds.answered(session, round_)
    for relationship in opened | noted:
        if opened[relationship] != noted[relationship]:
            reason = f"{relationship}: {opened[relationship]} instead of {noted[relationship]}"
            raise RosterMismatch(reason=reason)


def _released(
    session: Session, round_: Round, answers: Sequence[Answers], now: datetime, zone: tzinfo
) -> Release | Pulse:
    """Keep what the answers say together. Raises TooFewAnswers."""
    if round_.pulse is not None:
        document = _tallied(session, round_.pulse, answers, zone)
        pulses.keep_result(session, round_.pulse, document, sha256(document), now.date())
        return round_.pulse
    document = _aggregated(session, round_, answers, zone)
    release = Release(
        round_id=round_.id,
        released_on=now.date(),
        document=document,
        sha256=sha256(document),
    )
    session.add(release)
    return release


def _tallied(session: Session, pulse: Pulse, answers: Sequence[Answers], zone: tzinfo) -> str:
    """Return the document of a pulse's release. Raises TooFewAnswers."""
    round_ = pulse.round
    setting = PulseSetting(
        questionnaire=questionnaires.read(round_.questionnaire),
        language=round_.language,
        leader=round_.leader.name,
        release=pulse.plan.release.sha256,
        number=pulse.number,
        opened_on=(round_.opens_at or round_.closes_at).astimezone(zone).date(),
        closed_on=last_day(round_.closes_at, zone),
        k=round_.k,
        asked=rounds.asked(session, round_).total(),
        behaviours=questionnaires.behaviours_of(pulse),
    )
    try:
        return tallied(setting, answers, random.SystemRandom()).to_json()
    except TooFewRaters:
        raise TooFewAnswers(k=round_.k) from None


def _aggregated(session: Session, round_: Round, answers: Sequence[Answers], zone: tzinfo) -> str:
    """Return the release's document. Raises TooFewAnswers."""
    # Imports pandas, which a web process without a close has no need of.
    from reports.aggregate import Setting, aggregate

    setting = Setting(
        questionnaire=questionnaires.read(round_.questionnaire),
        language=round_.language,
        leader=round_.leader.name,
        level=round_.level,
        opened_on=(round_.opens_at or round_.closes_at).astimezone(zone).date(),
        closed_on=last_day(round_.closes_at, zone),
        k=round_.k,
        asked={name: n for name, n in rounds.asked(session, round_).items() if name != SELF},
    )
    try:
        return aggregate(setting, answers, random.SystemRandom()).to_json()
    except TooFewRaters:
        raise TooFewAnswers(k=round_.k) from None
