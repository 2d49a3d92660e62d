"""People, rounds and answers for tests, in as few words as a test needs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from questionnaires.definition import Questionnaire
from survey import sealing
from survey.answers import Draft
from survey.envelope import Envelope, Opener
from survey.keyring import Keyring
from survey.models import Invitation, Nomination, Person, Programme, Release, Round, Team
from survey.services import (
    ballots,
    closing,
    invitations,
    nominations,
    people,
    programmes,
    questionnaires,
    rounds,
    teams,
)
from survey.services.nominations import Named
from survey.services.programmes import Common, Member
from survey.services.rounds import Choices
from tests.conftest import CLOSES, NOW

ROSTER = {"manager": 1, "peer": 5, "direct_report": 4}
QUESTIONNAIRE: Questionnaire = questionnaires.shipped("technical_leader")


def person(session: Session, name: str = "Robin", *roles: str, now: datetime = NOW) -> Person:
    return people.add(session, f"{name} Example", f"{name.lower()}@example.org", roles, now)


def prepared(
    session: Session,
    leader: Person | None = None,
    roster: Mapping[str, int] = ROSTER,
    level: str = "new_lead",
    k: int = 3,
    language: str = "en",
    now: datetime = NOW,
    questionnaire: Questionnaire = QUESTIONNAIRE,
) -> Round:
    """A round with raters called Peer0, Peer1, … of each relationship, not yet open."""
    leader = leader or person(session, "Robin", "leader")
    choices = Choices(level, language, now + (CLOSES - NOW), "Please be frank.")
    round_ = rounds.prepare(session, leader, questionnaire, choices, k, now)
    named = [
        Named(n, f"{relationship}{n} Example", f"{relationship}{n}@example.org", relationship)
        for relationship, count in roster.items()
        for n in range(count)
    ]
    nominations.name_raters(session, round_, named, now)
    return round_


def programme(
    session: Session,
    leader: Person,
    manager: Person,
    language: str = "en",
    questionnaire: Questionnaire = QUESTIONNAIRE,
) -> Programme:
    """A programme for one leader, whose raters the manager approves."""
    made = programmes.make(
        session,
        Common("Autumn", NOW + timedelta(days=1), CLOSES, "new_lead", language, approves=True),
        [Member(1, leader.email, manager.email)],
        questionnaire,
        3,
        NOW,
    )
    session.commit()
    return made


def opened(session: Session, keyring: Keyring, now: datetime = NOW, **more) -> Round:
    """A round that collects answers."""
    round_ = prepared(session, now=now, **more)
    rounds.open_round(session, keyring, round_, now)
    session.commit()
    return round_


def links(session: Session, keyring: Keyring, round_: Round) -> dict[str, str]:
    """The link of each rater by the first part of the address, as the mails carry them."""
    query = (
        select(Person.email, Invitation)
        .join(Nomination, Nomination.id == Invitation.nomination_id)
        .join(Person, Person.id == Nomination.person_id)
        .where(Nomination.round_id == round_.id)
    )
    keys = keyring.round_keys(round_.id)
    return {
        email.split("@")[0]: sealing.link_path(
            round_.id, invitations.secret_of(keys, invitation, email).token
        )
        for email, invitation in session.execute(query)
    }


def envelope(keyring: Keyring, round_: Round) -> Envelope:
    """How the web side seals this round's ballots."""
    keys = keyring.round_keys(round_.id)
    return Envelope(round_.id, round_.ballot_size or 0, keyring.shared(), keys.ballot, keys.trustee)


def opener(keyring: Keyring, round_id: UUID, trustee: bytes | None = None) -> Opener:
    """What the closing side opens a round's ballots with, where one process is both sides."""
    return Opener(round_id, keyring.shared(), keyring.ballot_key(round_id), trustee)


def scores(mm: int = 3, sa: int = 3, tr: int = 3, level: str = "new_lead") -> dict[str, int]:
    """Raw answers that come out as the same score on every item of a theme."""
    wanted = {"MM": mm, "SA": sa, "TR": tr}
    return {
        item.id: wanted[item.id[:2]] if item.key == "+" else 6 - wanted[item.id[:2]]
        for item in QUESTIONNAIRE.items_at(level)
    }


def answer(
    session: Session,
    keyring: Keyring,
    link: str,
    items: Mapping[str, int] | None = None,
    words: Mapping[str, tuple[str, ...]] | None = None,
    identified: bool = False,
    now: datetime = NOW,
) -> None:
    """Answer by a link and send."""
    rater = ballots.rater(session, keyring, link, now)
    ballots.start(session, rater)
    own = {"OP3S": ("a", "b", "c"), "OP1S": ("More.",), "OP4S": ("Time.",)} if rater.is_self else {}
    choice = identified if rater.may_be_identified else None
    ballots.save(session, rater, Draft(items or scores(), words or own, choice))
    ballots.send(session, rater)
    session.commit()


def all_answer(session: Session, keyring: Keyring, round_: Round, **more) -> None:
    """Everybody asked answers alike."""
    for link in links(session, keyring, round_).values():
        answer(session, keyring, link, **more)


def closed(session: Session, keyring: Keyring, round_: Round) -> Release:
    """Close a round on its closing day; return what came of it."""
    closing.close(session, keyring, round_.id, round_.closes_at)
    release = session.get_one(Release, round_.id)
    session.commit()
    return release


def released(
    session: Session,
    keyring: Keyring,
    leader: Person,
    mm: int = 3,
    now: datetime = NOW,
    items: Mapping[str, int] | None = None,
    **more,
) -> Release:
    """What came of a round in which five peers see room to lead alike."""
    round_ = opened(session, keyring, leader=leader, roster={"peer": 5}, now=now, **more)
    all_answer(session, keyring, round_, items=items or scores(mm=mm), now=now)
    return closed(session, keyring, round_)


def team(
    session: Session,
    keyring: Keyring,
    *releases: Release,
    offered: Release | None = None,
    language: str = "en",
    **more,
) -> Team:
    """The team report of these previews and four other leaders'; one more is only offered."""
    others = [person(session, f"Lead{n}", "leader") for n in range(4)]
    more["language"] = language
    members = [*releases, *(released(session, keyring, other, **more) for other in others)]
    for release in [*members, *([offered] if offered else [])]:
        teams.offer(session, release.round.leader, release.round_id, NOW)
    made = teams.make(session, "The team", [each.round_id for each in members], language, NOW)
    session.commit()
    return made
