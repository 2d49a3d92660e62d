"""New previews are printed before anybody asks, each by one worker, and as they are read."""

import pytest
from sqlalchemy import delete, select

from reports.printing import Limits
from survey import jobs
from survey.models import AuditEntry, Printout, PrintState, Release
from survey.services import printouts, rounds
from survey.site import EXTENSION
from tests import factories
from tests.conftest import CLOSES, NOW
from tests.reports import made_up
from tests.visitor import Visitor
from tests.world import finished, practised

TODAY = CLOSES.date()


@pytest.fixture
def settings(settings):
    return settings.model_copy(update={"print_ahead": 14})


@pytest.fixture
def robin(session):
    return factories.person(session, "Robin", "leader")


@pytest.fixture
def round_(session, keyring, robin, clock):
    clock.now = CLOSES
    return finished(session, keyring, robin)


def state(session, round_) -> PrintState | None:
    query = select(Printout.state).where(Printout.round_id == round_.id)
    found: PrintState | None = session.scalar(query)
    session.close()
    return found


def download(app, robin, round_, now=CLOSES):
    answer = Visitor(app, robin, now).client.get(f"/previews/{round_.id}/preview.pdf")
    assert answer.status_code == 200
    return answer.data


def test_a_preview_that_was_printed_ahead_is_what_the_leader_gets(app, session, robin, round_):
    session.close()
    jobs.sweep(app)
    assert state(session, round_) is PrintState.DONE
    stored = session.scalars(select(Printout.pdf)).one()
    session.close()
    # Nothing can be printed any more, so it is this one.
    app.extensions[EXTENSION].printer.limits = Limits(seconds=0)
    app.extensions[EXTENSION].printer.close()

    assert stored.startswith(b"%PDF-")
    assert download(app, robin, round_) == stored


def test_a_preview_that_says_more_by_now_is_printed_anew(app, session, keyring, robin, round_):
    """A pulse has closed since, and is a page of it."""
    session.close()
    jobs.sweep(app)
    stored = session.scalars(select(Printout.pdf)).one()
    pulse = practised(session, keyring, round_)
    pulse.document = made_up.pulse(factories.QUESTIONNAIRE).to_json()
    session.commit()
    session.close()

    assert download(app, robin, round_) != stored


def test_of_two_workers_one_prints(session, round_):
    assert printouts.claim(session, CLOSES, TODAY).round_id == round_.id
    session.commit()
    assert printouts.claim(session, CLOSES, TODAY) is None

    session.commit()
    later = CLOSES + printouts.LEASE
    assert printouts.claim(session, later, TODAY).round_id == round_.id


def test_what_kills_its_worker_each_time_is_left_to_the_page(session, round_):
    for turn in range(printouts.ATTEMPTS):
        assert printouts.claim(session, CLOSES + turn * printouts.LEASE, TODAY)
        session.commit()
    now = CLOSES + printouts.ATTEMPTS * printouts.LEASE

    assert printouts.claim(session, now, TODAY) is None
    session.commit()
    assert state(session, round_) is PrintState.FAILED


def test_what_cannot_be_printed_within_its_limits_fails_once_and_is_logged(
    app, session, round_, caplog
):
    session.close()
    app.extensions[EXTENSION].printer.limits = Limits(seconds=0)
    jobs.sweep(app)

    assert state(session, round_) is PrintState.FAILED
    assert f"preview of round {round_.id}" in caplog.text


def test_what_is_erased_while_it_is_printed_takes_nothing(session, round_):
    printouts.claim(session, CLOSES, TODAY)
    session.commit()
    session.execute(delete(Release).where(Release.round_id == round_.id))
    printouts.keep(session, round_.id, "<p>", b"%PDF-")
    session.commit()

    assert state(session, round_) is None


def test_old_previews_are_not_kept_as_pdfs(app, session, round_, clock):
    session.close()
    jobs.sweep(app)
    clock.forward(days=13)
    jobs.sweep(app)
    assert state(session, round_) is PrintState.DONE

    clock.forward(days=1)
    jobs.sweep(app)
    assert state(session, round_) is None


def test_a_round_without_a_preview_has_nothing_to_print(session, keyring, robin):
    round_ = factories.opened(session, keyring, leader=robin)
    rounds.void(session, round_, NOW)

    assert printouts.claim(session, CLOSES, TODAY) is None


def test_a_programmes_printing_is_counted_and_can_be_stopped(session, keyring, robin, round_):
    programme = factories.programme(
        session, factories.person(session, "Sam", "leader"), factories.person(session, "Mona")
    )
    later = finished(session, keyring, robin)
    for each in (round_, later):
        each.programme = programme
    session.commit()
    assert printouts.progress(session, programme, TODAY) == printouts.Printing(0, 2)
    first = printouts.claim(session, CLOSES, TODAY)
    printouts.keep(session, first.round_id, "<p>", b"%PDF-")
    assert printouts.progress(session, programme, TODAY) == printouts.Printing(1, 2)

    andy = factories.person(session, "Andy", "administrator")
    printouts.stop(session, programme, CLOSES, TODAY, andy)
    assert printouts.progress(session, programme, TODAY) == printouts.Printing(2, 2)
    assert printouts.claim(session, CLOSES, TODAY) is None
    assert printouts.ready(session, first, "<p>") == b"%PDF-"
    last = session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()[-1]
    assert (last.actor, last.act, last.subject) == (andy, "printing stopped", programme.name)
