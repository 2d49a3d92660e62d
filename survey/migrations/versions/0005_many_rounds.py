"""Pages that take as long however many rounds are stored: indexes, and what a tally counts."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

INDEXES: dict[str, list[tuple[str, ...]]] = {
    "audit_entry": [("at",)],
    "mail": [("due_at",)],
    "person": [("name", "email"), ("coaches", "name")],
    "proposal": [("state",)],
    "release": [("released_on",)],
    "round": [("closes_at", "id"), ("questionnaire_id",), ("programme_id", "place")],
}
ALIKE = ["programme_id", "state", "approval", "enough_together", "closes_at"]
TROUBLED = sa.text("trouble <> ''")
round_ = sa.table(
    "round",
    sa.column("id", sa.Uuid()),
    sa.column("leader_id", sa.Uuid()),
    sa.column("programme_id", sa.Uuid()),
    sa.column("k"),
    sa.column("state"),
    sa.column("enough"),
    sa.column("enough_together", sa.Boolean()),
    sa.column("place"),
)
person = sa.table("person", sa.column("id", sa.Uuid()), sa.column("name"))
nomination = sa.table("nomination", sa.column("round_id", sa.Uuid()))


def upgrade() -> None:
    """Make the change."""
    with op.batch_alter_table("round") as batch:
        batch.add_column(sa.Column("place", sa.Integer(), nullable=True))
        batch.add_column(
            sa.Column("enough_together", sa.Boolean(), nullable=False, server_default=sa.false())
        )
    _note_enough()
    _number_places()
    _tell_drafts()
    op.drop_index("ix_round_programme_id", "round")
    for table, indexes in INDEXES.items():
        for columns in indexes:
            op.create_index(f"ix_{table}_{'_'.join(columns)}", table, list(columns))
    op.create_index("ix_round_alike", "round", ALIKE)
    op.create_index(
        "ix_mail_trouble", "mail", ["due_at"], sqlite_where=TROUBLED, postgresql_where=TROUBLED
    )


def _note_enough() -> None:
    """Put what is enough together into a column of its own as well."""
    noted = sa.select(round_.c.id, round_.c.enough).where(round_.c.enough.is_not(None))
    for id_, enough in op.get_bind().execute(noted).all():
        together = json.loads(enough)["together"]
        op.execute(round_.update().where(round_.c.id == id_).values(enough_together=together))


def _number_places() -> None:
    """Order the rounds of each programme by their leaders' names, as they were shown before."""
    ordered = (
        sa.select(round_.c.id, round_.c.programme_id)
        .join_from(round_, person, person.c.id == round_.c.leader_id)
        .where(round_.c.programme_id.is_not(None))
        .order_by(person.c.name, round_.c.id)
    )
    last: dict[object, int] = {}
    for id_, programme_id in op.get_bind().execute(ordered).all():
        last[programme_id] = last.get(programme_id, 0) + 1
        op.execute(round_.update().where(round_.c.id == id_).values(place=last[programme_id]))


def _tell_drafts() -> None:
    """A round with fewer raters than it needs is a draft."""
    named = sa.select(sa.func.count()).where(nomination.c.round_id == round_.c.id)
    too_few = (round_.c.state == "nominating") & (named.scalar_subquery() < round_.c.k)
    op.execute(round_.update().where(too_few).values(state="draft"))


def downgrade() -> None:
    """Take the change back."""
    op.drop_index("ix_mail_trouble", "mail")
    op.drop_index("ix_round_alike", "round")
    for table, indexes in INDEXES.items():
        for columns in indexes:
            op.drop_index(f"ix_{table}_{'_'.join(columns)}", table)
    op.create_index("ix_round_programme_id", "round", ["programme_id"])
    with op.batch_alter_table("round") as batch:
        batch.drop_column("enough_together")
        batch.drop_column("place")
