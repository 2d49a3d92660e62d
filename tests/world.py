"""Larger pieces of an installation: rounds that ended, what came of them, and all of it at once."""

from __future__ import annotations

from datetime import UTC, time, timedelta
from uuid import uuid4

from sqlalchemy import func, inspect, select

from survey import sealing
from survey.links import approval_path
from survey.models import Base, Passkey, Release
from survey.services import (
    approvals,
    closing,
    coaching,
    imports,
    nominations,
    practices,
    printouts,
    programmes,
    proposals,
    pulses,
    schedules,
    second_step,
    sign_in,
    tokens,
    trustees,
)
from survey.services.nominations import Named
from survey.services.practices import Slot, Written
from tests import factories
from tests.conftest import CLOSES, NOW

# More than are imported at once.
MANY_PEOPLE = b"name,email\n" + b"".join(
    b"Person %d Example,listed%d@example.org\n" % (n, n) for n in range(imports.PIECE + 1)
)


def finished(session, keyring, leader, **asked):
    """A round with a preview."""
    round_ = factories.opened(session, keyring, leader=leader, **asked)
    factories.all_answer(session, keyring, round_)
    closing.close(session, keyring, round_.id, CLOSES)
    session.commit()
    return round_


def practised(session, keyring, round_):
    """A plan after a preview, and its first pulse, which is out."""
    plan = practices.choose(
        session, session.get_one(Release, round_.id), ["MM1", "TR1"], NOW.date()
    )
    behaviours = {"MM1": "I hand over whole results", "TR1": "I say what I have dropped"}
    slot = Slot(4, time(14, 30), 45, "Room 3")
    practices.write(session, plan, Written(behaviours, "Ask Dana what she wants to own.", "", slot))
    [pulse, _] = pulses.plan_pulses(session, plan, NOW, UTC)
    pulses.open_pulse(session, keyring, pulse, NOW, UTC)
    session.commit()
    return pulse


def coached_team(session, keyring, coach, round_, **asked):
    """A team report with a round's preview, all of whose leaders have the same coach."""
    mine = session.get_one(Release, round_.id)
    team = factories.team(session, keyring, offered=mine, **asked)
    for member in team.members:
        if member.release.round.leader_id != coach.id:
            coaching.give_access(session, member.release.round.leader, coach.id, "en", NOW)
    session.commit()
    return team


def waiting_programme(session, keyring, manager, **asked):
    """A programme whose leader has asked a manager to approve, and the manager's link."""
    programme = factories.programme(
        session, factories.person(session, "Lee", "leader"), manager, **asked
    )
    [member] = programmes.progress(session, programme, NOW)
    named = [Named(n, f"Peer{n} Example", f"peer{n}@example.org", "peer") for n in range(5)]
    nominations.name_raters(session, member.round, named, NOW)
    approvals.ask(session, member.round, NOW)
    session.commit()
    return programme, f"/approve/{approval_path(keyring, member.round.id, manager.email)}"


def add_passkey(session, person):
    """Somebody's passkey, whose device nobody has."""
    row = {"credential_id": uuid4().bytes, "credential": b"any", "uses": 0, "name": "My phone"}
    session.add(Passkey(person_id=person.id, added_at=NOW, **row))
    session.flush()


def in_every_table(session, keyring):
    """Leave rows in every table, of rounds that have ended, that collect, and that are prepared."""
    robin = factories.person(session, "Robin", "leader")
    casey = factories.person(session, "Casey", "coach", "administrator")
    council = factories.person(session, "Council")
    trustees.appoint(session, keyring, council, sealing.new_key_pair().public, NOW)
    trustees.retire(session, NOW)
    ended = finished(session, keyring, robin)
    practised(session, keyring, ended)
    coached_team(session, keyring, casey, ended)
    waiting_programme(session, keyring, factories.person(session, "Mona"))
    collecting = factories.opened(session, keyring, leader=robin)
    first, *_ = factories.links(session, keyring, collecting).values()
    factories.answer(session, keyring, first)
    named = Named(1, "One More", "one.more@example.org", "peer")
    proposals.propose_one_more(session, collecting, named, NOW, robin)
    sign_in.request_code(session, keyring, "a browser", "casey@example.org", "en", NOW)
    second_step.begin_app(session, keyring, casey)
    add_passkey(session, casey)
    tokens.make(session, keyring, casey, "any", ["people:read"], 30, "en", NOW)
    imports.begin(session, MANY_PEOPLE, NOW, casey)
    printouts.claim(session, NOW, NOW.date())
    schedules.take(session, {"deliver": timedelta(seconds=5)}, NOW)
    session.commit()
    for table in Base.metadata.sorted_tables:
        assert session.scalar(select(func.count()).select_from(table)), f"{table} is empty"


def rows(connection):
    """Every row of every table and column that is there: name and value of each, in no order."""
    there = inspect(connection)
    found = {}
    for table in Base.metadata.sorted_tables:
        if table.name in there.get_table_names():
            names = {column["name"] for column in there.get_columns(table.name)}
            columns = [column for column in table.columns if column.name in names]
            read = connection.execute(select(*columns)).mappings()
            found[table.name] = sorted(
                tuple((name, repr(value)) for name, value in row.items()) for row in read
            )
    return found
