"""Migrations make exactly what the models say, with data in every table."""

import flask_migrate
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from survey import db
from survey.models import Base
from tests import factories
from tests.conftest import NOW

pytestmark = pytest.mark.usefixtures("app_context")


def test_migrated_tables_are_those_of_the_models(session):
    with db.db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})

        assert compare_metadata(context, Base.metadata) == []


def test_going_back_to_nothing_and_up_again_leaves_an_empty_database(session, keyring):
    factories.opened(session, keyring)
    session.close()

    flask_migrate.downgrade(revision="base")
    assert sa.inspect(db.db.engine).get_table_names() == ["alembic_version"]

    flask_migrate.upgrade()
    assert factories.person(session, "New", "leader", now=NOW).name == "New Example"


def test_migrating_leaves_foreign_keys_checked(session):
    flask_migrate.upgrade()

    assert session.execute(sa.text("PRAGMA foreign_keys")).scalar_one() == 1
