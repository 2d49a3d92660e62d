"""Migrations make exactly what the models say, and keep every row that both versions store."""

import shutil

import flask_migrate
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory

from survey import db
from survey.db import MIGRATIONS
from survey.models import Base, MailKind
from tests import factories
from tests.conftest import NOW, on_sqlite
from tests.world import in_every_table, rows

pytestmark = pytest.mark.usefixtures("app_context")

# A step as later versions take them: tables that others refer to are changed in place.
NEXT_STEP = """
import sqlalchemy as sa
from alembic import op

revision, down_revision, branch_labels, depends_on = "9999", "{head}", None, None


def upgrade() -> None:
    for table in ("person", "round"):
        with op.batch_alter_table(table) as batch_op:
            batch_op.add_column(sa.Column("later", sa.Text(), nullable=False, server_default="x"))
            batch_op.create_check_constraint("later_not_blank", "later <> ''")


def downgrade() -> None:
    for table in ("person", "round"):
        with op.batch_alter_table(table) as batch_op:
            batch_op.drop_constraint(batch_op.f(f"ck_{{table}}_later_not_blank"), type_="check")
            batch_op.drop_column("later")
"""


def held():
    """Every row of every table that is there now."""
    with db.db.engine.connect() as connection:
        return rows(connection)


@pytest.fixture
def filled(session, keyring):
    in_every_table(session, keyring)
    session.close()
    return held()


@pytest.fixture
def next_step(tmp_path):
    """The migrations with one more that a later version might bring."""
    folder = tmp_path / "migrations"
    shutil.copytree(MIGRATIONS, folder, ignore=shutil.ignore_patterns("__pycache__"))
    head = ScriptDirectory(str(MIGRATIONS)).get_current_head()
    (folder / "versions" / "9999_later.py").write_text(NEXT_STEP.format(head=head))
    return str(folder)


TELLS = ("kind", repr(MailKind.SIGN_IN_CHANGED))


def narrowed(rows, names):
    """Rows of a table, as far as it has columns of these names."""
    return sorted(tuple(each for each in row if each[0] in names) for row in rows)


def columns(table):
    return {column["name"] for column in sa.inspect(db.db.engine).get_columns(table)}


def test_migrated_tables_are_those_of_the_models(session):
    with db.db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})

        assert compare_metadata(context, Base.metadata) == []


def test_a_step_forward_and_back_keeps_every_row(filled, next_step):
    flask_migrate.upgrade(directory=next_step)
    assert "later" in columns("round") & columns("person")
    assert held() == filled

    flask_migrate.downgrade(directory=next_step)
    assert "later" not in columns("round") | columns("person")
    assert held() == filled


@on_sqlite
def test_with_foreign_keys_on_a_step_loses_the_rows_that_refer_to_a_table(filled):
    """What the test above would find if they stayed on while migrating."""
    with db.db.engine.begin() as connection:
        operations = Operations(MigrationContext.configure(connection))
        with operations.batch_alter_table("nomination", recreate="always") as batch_op:
            batch_op.add_column(sa.Column("later", sa.Text()))

    assert held() != filled


def test_each_version_can_be_taken_back_one_by_one_and_comes_again(filled):
    steps = list(ScriptDirectory(str(MIGRATIONS)).walk_revisions())
    for _ in steps:
        before = held()
        flask_migrate.downgrade()
        kept = held()
        if "passkey" not in kept:
            # The mail that tells of a change of them goes with them.
            before["mail"] = [row for row in before["mail"] if TELLS not in row]
        assert kept == {name: narrowed(before[name], columns(name)) for name in kept}
    assert sa.inspect(db.db.engine).get_table_names() == ["alembic_version"]

    for _ in steps:
        flask_migrate.upgrade(revision="+1")
    with sa.orm.Session(db.db.engine) as session:
        assert factories.person(session, "New", "leader", now=NOW).name == "New Example"


@on_sqlite
def test_migrating_leaves_foreign_keys_checked(session):
    flask_migrate.upgrade()

    assert session.execute(sa.text("PRAGMA foreign_keys")).scalar_one() == 1
