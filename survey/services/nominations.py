"""Nominations: naming raters, and what can be shown of whom if they answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from questionnaires.definition import SELF, Questionnaire
from reports.partition import Atom, TooFewRaters, partition
from survey.errors import Refused, marked
from survey.models import Approval, Nomination, Person, Round, RoundState
from survey.services import audit, people, questionnaires, rounds
from survey.services.people import AddressInvalid, NameInvalid, clean_address, clean_name
from survey.services.tables import Fault, TableInvalid, read_table

MOST = 60


@dataclass(frozen=True)
class Named:
    """Somebody named as a rater, and the place where it stands (a line or row)."""

    place: int
    name: str
    email: str
    relationship: str


class NamesInvalid(TableInvalid):
    """Names that cannot be taken; a fault's column is the relationship, its row the line."""

    message = marked("Nothing was saved yet. Mend these lines: %(faults)s")


def name_raters(
    session: Session,
    round_: Round,
    named: Sequence[Named],
    now: datetime,
    actor: Person | None = None,
) -> None:
    """Replace a round's raters by these people, adding those not known yet.

    Raises RoundStarted, or NamesInvalid with every fault.
    """
    rounds.hold_prepared(session, round_)
    clean = checked(round_, named)
    before = {(each.person.email, each.relationship) for each in round_.nominations}
    if before != {(each.email, each.relationship) for each in clean}:
        # Approved was another list.
        round_.approval, round_.approval_note = Approval.NOT_ASKED, ""
    session.execute(delete(Nomination).where(Nomination.round_id == round_.id))
    session.expire(round_, ["nominations"])
    for each in clean:
        person = people.by_address(session, each.email)
        if person is None:
            person = people.add(session, each.name, each.email, (), now, actor)
        nomination = Nomination(
            round_id=round_.id, person_id=person.id, relationship=each.relationship
        )
        session.add(nomination)
    round_.state = RoundState.NOMINATING if len(clean) >= round_.k else RoundState.DRAFT
    session.flush()
    audit.record(session, actor, marked("raters named"), round_, now)


def proposed(session: Session, round_: Round) -> list[Nomination]:
    """Return who is named, or, where nobody is yet, whom the leader's last round asked."""
    if round_.nominations:
        return round_.nominations
    query = (
        select(Round)
        .where(Round.leader_id == round_.leader_id, Round.opens_at.is_not(None), Round.is_whole())
        .order_by(Round.opens_at.desc())
        .limit(1)
    )
    last = session.scalar(query)
    asked = last.nominations if last else []
    return [each for each in asked if each.relationship != SELF and each.person.active]


def checked(round_: Round, named: Sequence[Named]) -> list[Named]:
    """Return everybody with clean names and addresses. Raises NamesInvalid with every fault."""
    relationships = questionnaires.read(round_.questionnaire).structure.relationships
    faults: list[Fault] = []
    clean: dict[str, Named] = {}
    for each in named:
        try:
            email, name = clean_address(each.email), clean_name(each.name)
        except (AddressInvalid, NameInvalid) as error:
            faults.append(Fault(each.place, each.relationship, error))
            continue
        if each.relationship not in relationships:
            reason = Refused(
                marked("“%(relationship)s” is no relationship; known: %(known)s"),
                relationship=each.relationship,
                known=", ".join(relationships),
            )
        elif email == round_.leader.email:
            reason = Refused(marked("%(email)s is the leader's own address"), email=email)
        elif email in clean:
            reason = Refused(marked("%(email)s is named twice"), email=email)
        else:
            clean[email] = Named(each.place, name, email, each.relationship)
            continue
        faults.append(Fault(each.place, each.relationship, reason))
    if len(clean) > MOST:
        most = Refused(marked("At most %(most)s raters can be asked in one round."), most=MOST)
        faults.append(Fault(0, "", most))
    if faults:
        raise NamesInvalid(faults)
    return list(clean.values())


def name_from_table(
    session: Session, round_: Round, content: bytes, now: datetime, actor: Person | None = None
) -> int:
    """Name the raters in a CSV file (name, email, relationship); return how many.

    Raises TableInvalid with every fault, and then nothing is changed.
    """
    rows = read_table(content, required=["name", "email", "relationship"])
    named = [
        Named(
            row.number, row.values["name"], row.values["email"], row.values["relationship"].lower()
        )
        for row in rows
    ]
    try:
        name_raters(session, round_, named, now, actor)
    except NamesInvalid as error:
        faults = [Fault(fault.row, "rater", fault.reason) for fault in error.faults]
        raise TableInvalid(faults) from None
    return len(named)


@dataclass(frozen=True)
class Outlook:
    """Who will be shown together if everybody answers; no atoms: nothing could be shown."""

    asked: Mapping[str, int]
    atoms: tuple[Atom, ...]


def outlook(round_: Round) -> Outlook:
    """Return what a round could show at best, for advice before the invitations are sent."""
    questionnaire: Questionnaire = questionnaires.read(round_.questionnaire)
    counts = Counter(each.relationship for each in round_.nominations)
    asked = {name: counts[name] for name in questionnaire.structure.relationships if counts[name]}
    try:
        atoms = partition(asked, (), round_.k)
    except TooFewRaters:
        atoms = ()
    return Outlook(asked, tuple(atom for atom in atoms if SELF not in atom.relationships))
