"""An installation moves to another database whole: every row, compared, rounds still sealed."""

import pytest
import sqlalchemy as sa

from survey import create_app, db, jobs, moving
from survey.models import AuditEntry, Release, Round, RoundState
from survey.moving import CopyDiffers, TargetInUse
from survey.site import site
from tests import factories
from tests.conftest import CLOSES
from tests.world import in_every_table, rows

OTHER = {"sqlite": "postgresql", "postgresql": "sqlite"}


@pytest.fixture
def target(databases, database, tmp_path):
    """An empty database of the other kind."""
    url = databases.make(OTHER[database], tmp_path / "other")
    engine = sa.create_engine(url)
    yield engine
    engine.dispose()
    databases.drop(url)


def engine_of(app):
    with app.app_context():
        return db.db.engine


def test_every_row_of_every_table_is_the_same_there(app, session, keyring, target):
    in_every_table(session, keyring)
    session.close()
    copied = moving.copy(engine_of(app), target)

    with engine_of(app).connect() as before, target.connect() as after:
        assert rows(before) == rows(after)
        assert {name: held.rows for name, held in copied.items()} == {
            name: len(found) for name, found in rows(after).items()
        }
    assert all(held.rows for held in copied.values())


def test_an_open_round_is_answered_and_closes_there(app, session, keyring, target, settings, clock):
    round_ = factories.opened(session, keyring, roster={"peer": 5})
    first, *others = factories.links(session, keyring, round_).values()
    factories.answer(session, keyring, first)
    session.close()
    moving.copy(engine_of(app), target)
    url = target.url.render_as_string(hide_password=False)
    there = create_app(settings.model_copy(update={"database_url": url}), clock=clock)
    with there.app_context():
        for link in others:
            factories.answer(db.session(), site().keyring, link)
        clock.now = CLOSES
        jobs.sweep(there)
        release = db.session().get_one(Release, round_.id)
        assert release.sha256
        assert db.session().get_one(Round, round_.id).state is RoundState.RELEASED
        db.forget_session()
        db.db.engine.dispose()


def test_what_is_numbered_goes_on_counting_there(app, session, keyring, target):
    in_every_table(session, keyring)
    session.close()
    moving.copy(engine_of(app), target)
    with sa.orm.Session(target) as other:
        last = other.scalars(sa.select(sa.func.max(AuditEntry.id))).one()
        factories.person(other, "New")
        other.commit()
        assert other.scalars(sa.select(sa.func.max(AuditEntry.id))).one() == last + 1


def test_nothing_is_copied_into_a_database_that_is_in_use(app, session, target):
    factories.person(session, "Robin")
    session.commit()
    with sa.orm.Session(target) as other:
        factories.person(other, "Somebody")
        other.commit()
    with pytest.raises(TargetInUse, match="its table person holds rows"):
        moving.copy(engine_of(app), target)

    with target.connect() as connection:
        assert len(rows(connection)["person"]) == 1


def test_a_row_that_arrives_otherwise_is_noticed_and_nothing_stays(
    app, session, keyring, target, database
):
    """A trigger there changes a letter, as a database with a faulty driver might."""
    factories.person(session, "Robin")
    session.commit()
    session.close()
    with target.begin() as connection:
        for statement in SPOILING[OTHER[database]]:
            connection.execute(sa.text(statement))
    with pytest.raises(CopyDiffers, match="person"):
        moving.copy(engine_of(app), target)

    with target.connect() as connection:
        assert not any(rows(connection).values())


SPOILING = {
    "sqlite": [
        "CREATE TRIGGER spoil AFTER INSERT ON person "
        "BEGIN UPDATE person SET name = 'R0bin' WHERE id = NEW.id; END"
    ],
    "postgresql": [
        "CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN NEW.name := 'R0bin'; RETURN NEW; END $$",
        "CREATE TRIGGER spoil BEFORE INSERT ON person FOR EACH ROW EXECUTE FUNCTION spoil()",
    ],
}
