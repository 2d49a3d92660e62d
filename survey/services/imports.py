"""Importing people from a table: checked as a whole, then carried out piece by piece.

A piece is one transaction with its count of rows, so that an import goes on where it
stood, whatever ends the process, and holds up nobody else for long.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from survey.errors import NotFound, Refused, marked
from survey.models import ImportState, PeopleImport, Person
from survey.services import audit, people
from survey.services.people import ROLES, AddressInvalid, Entry, NameInvalid, RoleUnknown
from survey.services.tables import Fault, Row, TableInvalid, read_table

PIECE = 250
# For how long the page of an import that has ended can be looked at.
KEPT = timedelta(days=7)


@dataclass(frozen=True)
class Listed:
    """One person of a table; no roles where it has no such column."""

    name: str
    address: str
    roles: Sequence[str] | None


@dataclass(frozen=True)
class Planned:
    """What an import does with one row: the person it finds, if any, and what they become."""

    person: Person | None
    entry: Entry

    def is_change(self) -> bool:
        """Say whether a known person would be another afterwards."""
        if self.person is None:
            return False
        before = (self.person.name, set(people.roles_of(self.person)))
        return before != (self.entry.name, set(self.entry.roles))


def plan(session: Session, content: bytes) -> list[Planned]:
    """Return what an import of a table (name, email, and optionally roles) would do.

    Roles are separated by spaces; without that column, known people keep theirs and new ones
    have none. Raises TableInvalid with every fault.
    """
    return _planned(session, _read(content))


def begin(
    session: Session, content: bytes, now: datetime, actor: Person | None = None
) -> PeopleImport:
    """Check a table, and add its first people, or change them by address, as `plan` says.

    Who is left is for `go_on`. Raises TableInvalid with every fault, and then nothing is changed.
    """
    listed = _read(content)
    ended = (PeopleImport.state != ImportState.RUNNING, PeopleImport.begun_at < now - KEPT)
    session.execute(delete(PeopleImport).where(*ended))
    import_ = PeopleImport(
        begun_at=now,
        actor=actor,
        rows=json.dumps([(each.name, each.address, each.roles) for each in listed]),
        total=len(listed),
        done=0,
        added=0,
        changed=0,
    )
    session.add(import_)
    _carry_out_piece(session, import_, now)
    return import_


def go_on(session: Session, now: datetime) -> None:
    """Carry out the next piece of an import that nobody else is at, if there is one."""
    query = (
        select(PeopleImport)
        .where(PeopleImport.state == ImportState.RUNNING)
        .order_by(PeopleImport.begun_at)
        .limit(1)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
    import_ = session.scalar(query)
    if import_ is not None:
        _carry_out_piece(session, import_, now)


def stop(session: Session, import_id: UUID, now: datetime, actor: Person | None = None) -> None:
    """Stop an import; who is imported already stays. Raises NotFound."""
    query = select(PeopleImport).where(PeopleImport.id == import_id).with_for_update()
    import_ = session.scalar(query.execution_options(populate_existing=True))
    if import_ is None:
        raise NotFound
    if import_.state is ImportState.RUNNING:
        _end(import_, ImportState.STOPPED)
        audit.record(
            session, actor, marked("import stopped"), f"{import_.done}/{import_.total}", now
        )


def find(session: Session, import_id: UUID) -> PeopleImport:
    """Return an import. Raises NotFound."""
    import_ = session.get(PeopleImport, import_id)
    if import_ is None:
        raise NotFound
    return import_


def running(session: Session) -> list[PeopleImport]:
    """Return the imports that go on."""
    query = select(PeopleImport).where(PeopleImport.state == ImportState.RUNNING)
    return list(session.scalars(query.order_by(PeopleImport.begun_at)))


def _carry_out_piece(session: Session, import_: PeopleImport, now: datetime) -> None:
    rows = json.loads(import_.rows or "[]")
    piece = [Listed(*row) for row in rows[import_.done : import_.done + PIECE]]
    for planned in _planned(session, piece):
        entry = planned.entry
        if planned.person is None:
            people.add(session, entry.name, entry.address, entry.roles, now, import_.actor)
            import_.added += 1
        elif planned.is_change():
            people.update(session, planned.person, entry, now, import_.actor)
            import_.changed += 1
    import_.done += len(piece)
    if import_.done == import_.total:
        _end(import_, ImportState.DONE)
    session.flush()


def _end(import_: PeopleImport, state: ImportState) -> None:
    import_.state, import_.rows = state, None


def _planned(session: Session, listed: Sequence[Listed]) -> list[Planned]:
    known: dict[str, Person] = {}
    for at in range(0, len(listed), PIECE):
        addresses = [each.address for each in listed[at : at + PIECE]]
        found = session.scalars(select(Person).where(Person.email.in_(addresses)))
        known |= {person.email: person for person in found}
    return [_for_row(each, known.get(each.address)) for each in listed]


def _for_row(listed: Listed, person: Person | None) -> Planned:
    roles = listed.roles
    if roles is None:
        roles = people.roles_of(person) if person is not None else []
    active = person.active if person is not None else True
    return Planned(person, Entry(listed.name, listed.address, roles, active))


def _read(content: bytes) -> list[Listed]:
    rows = read_table(content, required=["name", "email"], optional=["roles"])
    _check(rows)
    return [
        Listed(
            people.clean_name(row.values["name"]),
            people.clean_address(row.values["email"]),
            _roles(row) if "roles" in row.values else None,
        )
        for row in rows
    ]


def _roles(row: Row) -> list[str]:
    return row.values.get("roles", "").replace(",", " ").lower().split()


def _check(rows: list[Row]) -> None:
    faults: list[Fault] = []
    seen: dict[str, int] = {}
    for row in rows:
        try:
            people.clean_name(row.values["name"])
        except NameInvalid as error:
            faults.append(Fault(row.number, "name", error))
        try:
            email = people.clean_address(row.values["email"])
        except AddressInvalid as error:
            faults.append(Fault(row.number, "email", error))
        else:
            if email in seen:
                twice = Refused(marked("in row %(row)s already"), row=seen[email])
                faults.append(Fault(row.number, "email", twice))
            seen.setdefault(email, row.number)
        faults += [
            Fault(row.number, "roles", RoleUnknown(role=role, known=", ".join(ROLES)))
            for role in _roles(row)
            if role not in ROLES
        ]
    if faults:
        raise TableInvalid(faults)
