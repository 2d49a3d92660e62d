"""imports of people that go on in the background."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

STATES = ("running", "done", "stopped")


def upgrade() -> None:
    """Make the change."""
    op.create_table(
        "people_import",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                *STATES, name="importstate", native_enum=False, create_constraint=True, length=20
            ),
            nullable=False,
        ),
        sa.Column("rows", sa.Text(), nullable=True),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("added", sa.Integer(), nullable=False),
        sa.Column("changed", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "0 <= done AND done <= total", name=op.f("ck_people_import_done_within_total")
        ),
        sa.CheckConstraint(
            "(state = 'running') = (rows IS NOT NULL)",
            name=op.f("ck_people_import_rows_only_while_running"),
        ),
        sa.ForeignKeyConstraint(
            ["actor_id"],
            ["person.id"],
            name=op.f("fk_people_import_actor_id_person"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_people_import")),
    )


def downgrade() -> None:
    """Take the change back."""
    op.drop_table("people_import")
