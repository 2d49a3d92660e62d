"""Guesses are counted by all processes together, and counts tell nothing of whom."""

import logging
from contextlib import contextmanager

import pytest
from huey import PostgresHuey, RedisHuey

from survey import create_app, db, jobs
from survey.bell import connected
from survey.site import EXTENSION
from tests import factories
from tests.conftest import on_sqlite
from tests.visitor import Visitor

MOST = 60


@contextmanager
def process(settings, clock):
    """One of several processes that serve the same installation."""
    app = create_app(settings, clock=clock, config={"TESTING": True})
    yield app
    app.extensions[EXTENSION].bell.close()
    with app.app_context():
        db.db.engine.dispose()


@pytest.fixture
def queue(queue_url):
    """What anybody sees who can reach the queue."""
    queue = connected(queue_url)
    yield queue
    queue.storage.close()


def guess(app, number):
    return app.test_client().get(f"/r/guess{number}").status_code


def guesses(settings, elsewhere, clock):
    """Return the answers to many guesses, which go to two processes by turns."""
    with process(settings, clock) as one, process(elsewhere, clock) as other:
        return [guess((one, other)[number % 2], number) for number in range(MOST + 4)]


@on_sqlite
def test_processes_that_count_apart_let_twice_as_much_be_guessed(settings, tmp_path, clock):
    apart = settings.model_copy(update={"queue_url": f"sqlite:///{tmp_path}/apart.db"})

    assert 429 not in guesses(settings, apart, clock)


@on_sqlite
def test_processes_with_one_queue_count_together(settings, queue_url, clock):
    together = settings.model_copy(update={"queue_url": queue_url})

    assert guesses(together, together, clock) == [404] * MOST + [429] * 4


@on_sqlite
def test_after_its_time_a_count_begins_again(settings, clock):
    with process(settings, clock) as app:
        assert [guess(app, number) for number in range(MOST + 1)][-1] == 429
        clock.forward(minutes=15)
        assert guess(app, 0) == 404


@on_sqlite
def test_counts_say_nothing_of_whom_they_count(settings, queue, queue_url, clock, session):
    factories.person(session)
    session.commit()
    with process(settings.model_copy(update={"queue_url": queue_url}), clock) as app:
        guess(app, 0)
        visitor = Visitor(app)
        visitor.open("/sign-in")
        visitor.send({"email": "robin@example.org"})
    kept = counts(queue)

    assert len(kept) == 4
    for name, count in kept.items():
        assert int(name, 16).bit_length() > 200
        assert count == 1


@on_sqlite
def test_counts_are_forgotten_every_day(settings, queue, queue_url, clock):
    with process(settings.model_copy(update={"queue_url": queue_url}), clock) as app:
        guess(app, 0)
        assert counts(queue)
        jobs.sweep(app)
        assert not counts(queue)


@on_sqlite
def test_without_the_queue_each_process_counts_for_itself_and_says_so(settings, clock, caplog):
    away = settings.model_copy(update={"queue_url": "redis://:secret@127.0.0.1:1/0"})
    with process(away, clock) as app, caplog.at_level(logging.WARNING):
        assert [guess(app, number) for number in range(MOST + 1)] == [404] * MOST + [429]
    told = [record.getMessage() for record in caplog.records if record.name == "survey.limits"]

    assert told == ["the queue cannot count: ConnectionError"]


def counts(queue):
    """Return what is counted in a queue's store, by name."""
    store = queue.storage
    if isinstance(queue, RedisHuey):
        kept = store.conn.hgetall(store.counter_key)
        return {name.decode(): int(count) for name, count in kept.items()}
    table = "huey_counter" if isinstance(queue, PostgresHuey) else "counter"
    return dict(store.sql(f"select key, value from {table}", results=True))
