"""Programmes: rounds of many leaders on common days; what is seen of them is never a rater."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Select, and_, false, func, or_, select
from sqlalchemy.orm import Session, joinedload

from questionnaires.definition import Questionnaire
from survey.errors import Conflict, NotFound, Refused, marked
from survey.models import Approval, Mail, MailKind, Person, Programme, Round, RoundState
from survey.services import audit, mails, people, questionnaires, rounds
from survey.services.people import clean_address
from survey.services.pieces import Piece, holding, piece
from survey.services.rounds import LONGEST, SHORTEST, Choices, RoundStarted
from survey.services.tables import Fault, TableInvalid

# So long before a common day a round that is not so far is behind.
BEHIND_FROM = timedelta(days=3)
TIME_TO_OPEN = timedelta(hours=1)


class ProgrammeDaysInvalid(Refused):
    """Days between which no round can run."""

    status = 422
    message = marked(
        "The invitations must go out today or later, and the closing day must be one to 90 days "
        "after that."
    )


class NameTaken(Refused):
    """Two programmes of one name would be confused."""

    status = 422
    message = marked("There is a programme called %(name)s already.")


class MembersInvalid(TableInvalid):
    """Leaders who cannot be part of a programme; a fault's row is the line."""

    message = marked("Nothing was saved yet. Mend these lines: %(faults)s")


class NobodyNamed(Refused):
    """A programme without leaders."""

    status = 422
    message = marked("Name at least one leader.")


class NotPrepared(Conflict):
    """Only a round that has not opened leaves a programme."""

    message = marked("This round has opened and stays in its programme.")


@dataclass(frozen=True)
class Member:
    """A leader in a programme and who approves their raters, by address, with the line."""

    line: int
    leader: str
    manager: str = ""


@dataclass(frozen=True)
class Common:
    """What all rounds of a programme share, and what their leaders begin with."""

    name: str
    opens_at: datetime
    closes_at: datetime
    level: str
    language: str
    message: str = ""
    approves: bool = False


class Standing(StrEnum):
    """How far a round of a programme is."""

    NOBODY_NAMED = "nobody_named"
    TO_APPROVE = "to_approve"
    WITH_MANAGER = "with_manager"
    SENT_BACK = "sent_back"
    READY = "ready"
    COLLECTING = "collecting"
    ENOUGH = "enough"
    CLOSING = "closing"
    RELEASED = "released"
    VOID = "void"


WAITING_FOR_LEADER = (Standing.NOBODY_NAMED, Standing.TO_APPROVE, Standing.SENT_BACK)
NOT_READY = (*WAITING_FOR_LEADER, Standing.WITH_MANAGER)
# As an index has them, so that a tally needs no rows.
ALIKE = (Round.state, Round.approval, Round.enough_together, Round.closes_at)


class Alike(NamedTuple):
    """What tells how far a round is: rounds that are alike in this stand alike."""

    state: RoundState
    approval: Approval
    enough_together: bool
    closes_at: datetime


@dataclass(frozen=True)
class Group:
    """Rounds of a programme that are alike: how far they are, and how many."""

    alike: Alike
    standing: Standing
    behind: bool
    number: int


@dataclass(frozen=True)
class Tally:
    """How far the rounds of a programme are, as groups."""

    groups: tuple[Group, ...]

    @property
    def total(self) -> int:
        """All rounds."""
        return sum(group.number for group in self.groups)

    @property
    def behind(self) -> int:
        """Those that are behind."""
        return sum(group.number for group in self.groups if group.behind)

    @property
    def standings(self) -> dict[Standing, int]:
        """How many stand how, in the order of a round's way."""
        found = Counter[Standing]()
        for group in self.groups:
            found[group.standing] += group.number
        return {standing: found[standing] for standing in Standing if found[standing]}


@dataclass(frozen=True)
class Progress:
    """A round of a programme, how far it is, and whether it is behind."""

    round: Round
    standing: Standing
    behind: bool


def make(
    session: Session,
    common: Common,
    members: Sequence[Member],
    questionnaire: Questionnaire,
    k: int,
    now: datetime,
    actor: Person | None = None,
) -> Programme:
    """Make a programme and prepare a round for each leader; they are told by mail.

    Raises NameTaken, ProgrammeDaysInvalid, NobodyNamed,
    MembersInvalid with every fault, and as `rounds.prepare`.
    """
    if session.scalar(select(Programme.id).where(Programme.name == common.name)):
        raise NameTaken(name=common.name)
    length = common.closes_at - common.opens_at
    begins_late_enough = common.opens_at > now - timedelta(days=1)
    ends_late_enough = common.closes_at - now >= SHORTEST
    if not (begins_late_enough and ends_late_enough and SHORTEST <= length <= LONGEST):
        raise ProgrammeDaysInvalid
    stored = questionnaires.store(session, questionnaire)
    programme = Programme(**asdict(common), questionnaire_id=stored.id)
    session.add(programme)
    session.flush()
    audit.record(session, actor, marked("programme made"), programme.name, now)
    add(session, programme, members, k, now, actor)
    return programme


def add(
    session: Session,
    programme: Programme,
    members: Sequence[Member],
    k: int,
    now: datetime,
    actor: Person | None = None,
) -> list[Round]:
    """Prepare a round for each of these leaders.

    Raises NobodyNamed, ProgrammeDaysInvalid once it is too late, MembersInvalid.
    """
    if not members:
        raise NobodyNamed
    if programme.closes_at - now < SHORTEST:
        raise ProgrammeDaysInvalid
    questionnaire = questionnaires.read(programme.questionnaire)
    choices = Choices(programme.level, programme.language, programme.closes_at, programme.message)
    last = session.scalar(select(func.max(Round.place)).where(Round.programme_id == programme.id))
    found = []
    for place, (leader, manager) in enumerate(
        _people(session, programme, members), (last or 0) + 1
    ):
        round_ = rounds.prepare(
            session, leader, questionnaire, choices, k, now, actor, programme=programme
        )
        round_.approver, round_.place = manager, place
        session.flush()
        _tell(session, round_, f"programme:{round_.id}", now)
        found.append(round_)
    return found


def _people(
    session: Session, programme: Programme, members: Sequence[Member]
) -> list[tuple[Person, Person | None]]:
    """Return each leader, with their manager if one approves. Raises MembersInvalid."""
    faults: list[Fault] = []
    found: dict[UUID, tuple[Person, Person | None]] = {}
    for member in members:
        try:
            leader = _leader(session, member.leader)
            if leader.id in found:
                raise Refused(marked("%(email)s is named twice"), email=leader.email)
            manager = _manager(session, member.manager, leader) if programme.approves else None
        except Refused as refusal:
            faults.append(Fault(member.line, "leaders", refusal))
            continue
        found[leader.id] = (leader, manager)
    if faults:
        raise MembersInvalid(faults)
    return list(found.values())


def _leader(session: Session, address: str) -> Person:
    leader = _known(session, address)
    if not (leader.leads and leader.active):
        raise Refused(marked("%(email)s is no leader here"), email=leader.email)
    unfinished = (RoundState.DRAFT, RoundState.NOMINATING, RoundState.OPEN)
    if any(each.state in unfinished for each in rounds.of_leader(session, leader)):
        raise Refused(marked("%(email)s has a round that has not ended"), email=leader.email)
    return leader


def _manager(session: Session, address: str, leader: Person) -> Person:
    if not address:
        raise Refused(
            marked("after %(email)s the address of who approves is missing"), email=leader.email
        )
    manager = _known(session, address)
    if manager.id == leader.id:
        raise Refused(marked("%(email)s cannot approve their own raters"), email=leader.email)
    return manager


def _known(session: Session, address: str) -> Person:
    person = people.by_address(session, clean_address(address))
    if person is None:
        raise Refused(marked("nobody here has the address %(address)s"), address=address)
    return person


def find(session: Session, programme_id: UUID) -> Programme:
    """Return a programme. Raises NotFound."""
    programme = session.get(Programme, programme_id)
    if programme is None:
        raise NotFound
    return programme


def every(session: Session) -> list[Programme]:
    """Return all programmes, the latest closing day first."""
    return list(session.scalars(select(Programme).order_by(Programme.closes_at.desc())))


def progress(session: Session, programme: Programme, now: datetime) -> list[Progress]:
    """Return how far each round is: those behind first, then as they were added."""
    found = _progress(session, _in_order(programme), programme, now)
    return sorted(found, key=lambda each: not each.behind)


def tally(session: Session, programme: Programme, now: datetime) -> Tally:
    """Return how far the rounds are, without looking at each of them."""
    query = select(*ALIKE, func.count()).where(Round.programme_id == programme.id)
    groups = []
    for row in session.execute(query.group_by(*ALIKE)):
        each, number = Alike(*row[:-1]), row[-1]
        standing = _standing(programme, each, now)
        behind = _is_behind(programme, standing, each, now)
        groups.append(Group(each, standing, behind, number))
    return Tally(tuple(groups))


def some_progress(
    session: Session,
    programme: Programme,
    now: datetime,
    number: int,
    words: str = "",
    groups: Sequence[Group] | None = None,
) -> Piece[Progress]:
    """Return one piece of how far each round is, as they were added.

    Only those with these words in the leader's name, and of these groups, if any are given.
    """
    query = _in_order(programme)
    if words:
        query = query.join(Person, Person.id == Round.leader_id).where(holding(words, Person.name))
    if groups is not None:
        each = [zip(ALIKE, group.alike, strict=True) for group in groups]
        query = query.where(or_(false(), *(and_(*(a == b for a, b in pairs)) for pairs in each)))
    return piece(lambda part: _progress(session, part, programme, now), query, number)


def _in_order(programme: Programme) -> Select[Any]:
    return (
        select(Round)
        .options(joinedload(Round.leader), joinedload(Round.approver))
        .where(Round.programme_id == programme.id)
        .order_by(Round.place, Round.id)
    )


def _progress(
    session: Session, query: Select[Any], programme: Programme, now: datetime
) -> list[Progress]:
    found = []
    for round_ in session.scalars(query):
        alike = Alike(round_.state, round_.approval, round_.enough_together, round_.closes_at)
        standing = _standing(programme, alike, now)
        behind = _is_behind(programme, standing, alike, now)
        found.append(Progress(round_, standing, behind))
    return found


def _standing(programme: Programme, alike: Alike, now: datetime) -> Standing:
    match alike.state:
        case RoundState.RELEASED | RoundState.VOID:
            return Standing(alike.state.value)
        case RoundState.DRAFT:
            return Standing.NOBODY_NAMED
        case RoundState.NOMINATING:
            return _standing_of_named(programme, alike.approval)
    if alike.state is RoundState.CLOSING or alike.closes_at <= now:
        return Standing.CLOSING
    return Standing.ENOUGH if alike.enough_together else Standing.COLLECTING


def _standing_of_named(programme: Programme, approval: Approval) -> Standing:
    if not programme.approves or approval is Approval.APPROVED:
        return Standing.READY
    return {
        Approval.WAITING: Standing.WITH_MANAGER,
        Approval.SENT_BACK: Standing.SENT_BACK,
    }.get(approval, Standing.TO_APPROVE)


def _is_behind(programme: Programme, standing: Standing, alike: Alike, now: datetime) -> bool:
    if standing in NOT_READY:
        return now >= programme.opens_at - BEHIND_FROM
    if standing is Standing.READY:
        # What keeps it from opening, its leader learns by sending.
        return now >= programme.opens_at + TIME_TO_OPEN
    return standing is Standing.COLLECTING and now >= alike.closes_at - BEHIND_FROM


def remind_leaders(
    session: Session, programme: Programme, now: datetime, actor: Person | None = None
) -> int:
    """Mail the leaders whose rounds wait for them, once a day at most; return how many."""
    reminded = 0
    for each in progress(session, programme, now):
        key = f"programme:{each.round.id}:{now.date()}"
        told = session.scalar(select(Mail.id).where(Mail.key == key))
        if each.standing in WAITING_FOR_LEADER and told is None:
            _tell(session, each.round, key, now)
            reminded += 1
    audit.record(session, actor, marked("leaders reminded"), programme.name, now)
    return reminded


def _tell(session: Session, round_: Round, key: str, now: datetime) -> None:
    kind = MailKind.PROGRAMME
    mails.queue(session, kind, key, round_.leader, round_.language, now, round_=round_)


def move_closing_day(
    session: Session,
    programme: Programme,
    closes_at: datetime,
    now: datetime,
    actor: Person | None = None,
) -> None:
    """Move the common closing day further on, for all rounds that have not ended.

    A round whose leader gave it even more time keeps that. Raises NotLater,
    ProgrammeDaysInvalid.
    """
    if closes_at <= programme.closes_at:
        raise rounds.NotLater
    if closes_at - now < SHORTEST or closes_at - programme.opens_at > LONGEST:
        raise ProgrammeDaysInvalid
    programme.closes_at = closes_at
    for each in progress(session, programme, now):
        round_ = each.round
        if round_.is_prepared():
            round_.closes_at = closes_at
        elif round_.state is RoundState.OPEN and round_.closes_at < closes_at:
            rounds.extend(session, round_, closes_at, now, actor)
    session.flush()
    audit.record(session, actor, marked("closing day moved"), programme.name, now)


def take_out(
    session: Session, programme: Programme, round_id: UUID, now: datetime, actor: Person | None
) -> None:
    """Discard a leader's round that has not opened. Raises NotFound, NotPrepared."""
    round_ = rounds.find(session, round_id)
    if round_.programme_id != programme.id:
        raise NotFound
    try:
        rounds.hold_prepared(session, round_)
    except RoundStarted:
        raise NotPrepared from None
    round_.programme = round_.place = None
    session.flush()
    rounds.discard(session, round_, now, actor)


def due(session: Session, now: datetime) -> list[UUID]:
    """Return the rounds whose programme's day has come, and whose raters are named and approved."""
    query = (
        select(Round.id)
        .join(Programme, Programme.id == Round.programme_id)
        .join(Person, Person.id == Round.leader_id)
        .where(
            Round.state == RoundState.NOMINATING,
            Person.leads,
            Person.active,
            Programme.opens_at <= now,
            Programme.closes_at > now + SHORTEST,
            or_(~Programme.approves, Round.approval == Approval.APPROVED),
        )
    )
    return list(session.scalars(query))
