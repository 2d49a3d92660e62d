"""A backup brings back all that was there, opens nothing, and holds up nobody."""

import stat
import threading
from contextlib import closing
from datetime import timedelta

import flask_migrate
import pytest
import sqlalchemy as sa

from survey import backups, create_app, db, jobs
from survey.answers import Draft
from survey.backups import BackupRefused, NewerBackup, NoBackup
from survey.models import Person, Release, Round, RoundState
from survey.moving import TargetInUse
from survey.services import ballots
from survey.site import site
from tests import factories
from tests.conftest import CLOSES, NOW, on_sqlite
from tests.world import in_every_table, rows


@pytest.fixture
def elsewhere(settings, databases, database, tmp_path):
    """The same installation, whose database was lost: an empty one is there instead."""
    made = []

    def empty(kind=database):
        url = databases.make(kind, tmp_path / f"new{len(made)}")
        made.append(url)
        return settings.model_copy(update={"database_url": url})

    yield empty
    for url in made:
        databases.drop(url)


@pytest.fixture
def file(tmp_path):
    return tmp_path / "backup.db"


def held(settings):
    with db.engine(create_app(settings)) as engine, engine.connect() as connection:
        return rows(connection)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_every_row_comes_back_into_either_database(
    kind, settings, elsewhere, session, keyring, file
):
    in_every_table(session, keyring)
    session.close()
    before = held(settings)
    backups.back_up(settings, file)
    there = elsewhere(kind)
    restored = backups.restore(there, file)

    assert held(there) == before
    assert {name: table.rows for name, table in restored.items()} == {
        name: len(found) for name, found in before.items()
    }


def test_a_round_that_was_open_goes_on_and_closes(
    settings, elsewhere, session, keyring, file, clock
):
    round_ = factories.opened(session, keyring, roster={"peer": 5})
    links = factories.links(session, keyring, round_)
    before, writing, *after = links
    factories.answer(session, keyring, links[before])
    rater = ballots.rater(session, keyring, links[writing], NOW)
    ballots.start(session, rater)
    ballots.save(session, rater, Draft(factories.scores()))
    session.commit()
    backups.back_up(settings, file)
    there = create_app(elsewhere(), clock=clock)
    backups.restore(there.extensions["preview360"].settings, file)
    with there.app_context():
        again = db.session()
        kept = ballots.rater(again, keyring, links[writing], NOW)
        assert ballots.draft(again, kept).items == factories.scores()
        again.rollback()
        for name in (writing, *after):
            factories.answer(again, site().keyring, links[name])
        clock.now = CLOSES
        jobs.sweep(there)
        again.expire_all()
        assert again.get_one(Round, round_.id).state is RoundState.RELEASED
        assert again.get_one(Release, round_.id).sha256
        db.forget_session()
        db.db.engine.dispose()


def test_a_backup_holds_nothing_of_the_keyring_and_nothing_readable_of_an_answer(
    settings, session, keyring, file
):
    round_ = factories.opened(session, keyring, roster={"peer": 5})
    words = "Unmistakable words of one rater."
    [link, *_] = factories.links(session, keyring, round_).values()
    factories.answer(session, keyring, link, words={"OP1": (words,)})
    session.close()
    backups.back_up(settings, file)
    content = file.read_bytes()

    keys = [each.read_bytes() for each in keyring.path.rglob("*") if each.is_file()]
    assert len(keys) >= 5
    assert not any(key in content for key in keys)
    assert words.encode() not in content
    assert link.rpartition("/")[2].encode() not in content
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [each.name for each in file.parent.glob("*backup.db*")] == ["backup.db"]


def test_a_backup_waits_for_nobody_who_writes_and_holds_nothing_that_is_not_committed(
    app, settings, session, file
):
    factories.person(session, "Robin")
    session.commit()
    with sa.orm.Session(_engine(app)) as writing:
        factories.person(writing, "Sascha")
        writing.flush()
        done = threading.Thread(target=backups.back_up, args=(settings, file))
        done.start()
        done.join(timeout=10)
        assert not done.is_alive()
        writing.commit()

    with closing(sa.create_engine(f"sqlite:///{file}").connect()) as backup:
        assert backup.scalars(sa.select(Person.name)).all() == ["Robin Example"]


def test_a_backup_of_an_older_version_is_brought_to_this_one(settings, elsewhere, session, file):
    factories.person(session, "Robin")
    session.commit()
    session.close()
    before = held(settings)
    backups.back_up(settings, file)
    old = settings.model_copy(update={"database_url": f"sqlite:///{file}"})
    with create_app(old).app_context():
        flask_migrate.downgrade()
        assert not db.is_up_to_date()
        db.db.engine.dispose()
    there = elsewhere()
    backups.restore(there, file)

    assert held(there) == before


@on_sqlite
@pytest.mark.parametrize("name", ["a b.db", "50%.db", "what?.db", "#1.db", "Sicherung ü.db"])
def test_a_backup_may_have_any_name(name, settings, elsewhere, session, tmp_path):
    factories.person(session, "Robin")
    session.commit()
    session.close()
    there = elsewhere()
    backups.back_up(settings, tmp_path / name)
    backups.restore(there, tmp_path / name)

    assert held(there) == held(settings)


@on_sqlite
def test_what_is_no_backup_or_too_new_is_refused(settings, elsewhere, session, file):
    session.close()
    there = elsewhere()
    file.write_text("something else")
    with pytest.raises(NoBackup):
        backups.restore(there, file)
    file.unlink()
    backups.back_up(settings, file)
    with sa.create_engine(f"sqlite:///{file}").begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(NewerBackup, match="9999"):
        backups.restore(there, file)
    assert not any(held(there).values())


def test_nothing_is_restored_into_a_database_that_is_in_use(settings, elsewhere, session, file):
    session.close()
    backups.back_up(settings, file)
    factories.person(session, "Robin")
    session.commit()
    session.close()
    with pytest.raises(TargetInUse, match="its table person holds rows"):
        backups.restore(settings, file)

    assert len(held(settings)["person"]) == 1


@on_sqlite
def test_a_backup_replaces_nothing_and_lies_in_no_keyring(settings, session, keyring, tmp_path):
    session.close()
    taken = tmp_path / "taken.db"
    taken.write_text("")
    with pytest.raises(BackupRefused, match="there already"):
        backups.place(taken, settings, NOW)
    with pytest.raises(BackupRefused, match="copied with its keys"):
        backups.place(keyring.path / "backup.db", settings, NOW)
    with pytest.raises(BackupRefused, match="is not there"):
        backups.place(tmp_path / "nowhere" / "backup.db", settings, NOW)


@on_sqlite
def test_only_the_newest_backups_stay_and_nothing_else_goes(settings, session, tmp_path):
    session.close()
    folder = tmp_path / "backups"
    folder.mkdir()
    (folder / "preview360.db").write_text("the database itself")
    made = [
        backups.place(folder, settings, NOW + timedelta(days=day)).name for day in (0, 1, 2, 40)
    ]
    for name in made:
        (folder / name).write_text("")
    gone = backups.forget_old(folder, keep=2)

    assert [each.name for each in gone] == made[:2]
    assert {each.name for each in folder.iterdir()} == {"preview360.db", *made[2:]}


def _engine(app):
    with app.app_context():
        return db.db.engine
