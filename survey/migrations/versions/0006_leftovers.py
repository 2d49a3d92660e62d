"""What is left of ended rounds is noted, instead of looked for; offered previews have an index."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the change."""
    op.create_table(
        "leftover",
        sa.Column("round_id", sa.Uuid(), nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.CheckConstraint("side IN ('web', 'closing')", name=op.f("ck_leftover_of_one_side")),
        sa.ForeignKeyConstraint(
            ["round_id"],
            ["round.id"],
            name=op.f("fk_leftover_round_id_round"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("round_id", "side", name=op.f("pk_leftover")),
    )
    op.create_index("ix_release_offered", "release", ["offered"])


def downgrade() -> None:
    """Take the change back."""
    op.drop_index("ix_release_offered", "release")
    op.drop_table("leftover")
