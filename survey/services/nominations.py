"""Nominations: naming raters, and what can be shown of whom if they answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete
from sqlalchemy.orm import Session

from questionnaires.definition import SELF, Questionnaire
from reports.partition import Atom, TooFewRaters, partition
from survey.errors import Refused, marked
from survey.models import Nomination, Person, Round, RoundState
from survey.services import audit, people, questionnaires
from survey.services.people import AddressInvalid, NameInvalid, clean_address, clean_name
from survey.services.rounds import RoundStarted
from survey.services.tables import Fault, TableInvalid, read_table

MOST = 60


@dataclass(frozen=True)
class Named:
    """Somebody named as a rater, and the place where it stands (a line or row)."""

    place: int
    name: str
    email: str
    relationship: str


class NamesInvalid(Refused):
    """Names that cannot be taken; `faults` says all of them, by relationship and line."""

    status = 422
    message = marked("Nothing was saved yet. Mend these lines: %(faults)s")

    def __init__(self, faults: Sequence[tuple[str, int, str]]) -> None:
        super().__init__(
            faults="; ".join(f"{where} {line}: {what}" for where, line, what in faults)
        )
        self.faults = tuple(faults)


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
    if not round_.is_prepared():
        raise RoundStarted
    checked = _checked(round_, named)
    session.execute(delete(Nomination).where(Nomination.round_id == round_.id))
    session.expire(round_, ["nominations"])
    for each in checked:
        person = people.by_address(session, each.email)
        if person is None:
            person = people.add(session, each.name, each.email, (), now, actor)
        nomination = Nomination(
            round_id=round_.id, person_id=person.id, relationship=each.relationship
        )
        session.add(nomination)
    round_.state = RoundState.NOMINATING if checked else RoundState.DRAFT
    session.flush()
    audit.record(session, actor, "raters named", str(round_.id), now)


def _checked(round_: Round, named: Sequence[Named]) -> list[Named]:
    relationships = questionnaires.read(round_.questionnaire).structure.relationships
    faults: list[tuple[str, int, str]] = []
    clean: dict[str, Named] = {}
    for each in named:
        try:
            email, name = clean_address(each.email), clean_name(each.name)
        except (AddressInvalid, NameInvalid) as error:
            faults.append((each.relationship, each.place, str(error)))
            continue
        if each.relationship not in relationships:
            said = f"{each.relationship or '(empty)'} is no relationship; known: "
            faults.append((each.relationship, each.place, said + ", ".join(relationships)))
        elif email == round_.leader.email:
            faults.append((each.relationship, each.place, f"{email} is the leader's own address"))
        elif email in clean:
            faults.append((each.relationship, each.place, f"{email} is named twice"))
        else:
            clean[email] = Named(each.place, name, email, each.relationship)
    if len(clean) > MOST:
        faults.append(("", 0, f"at most {MOST} raters can be asked in one round"))
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
        raise TableInvalid([Fault(line, "rater", what) for _, line, what in error.faults]) from None
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
