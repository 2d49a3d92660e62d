"""PDFs that are printed ahead, and programmes whose mails are held."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the change."""
    op.create_table(
        "printout",
        sa.Column("round_id", sa.Uuid(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "printing",
                "done",
                "failed",
                "stopped",
                name="printstate",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("html_sha256", sa.Text(), nullable=False),
        sa.Column("pdf", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint(
            "(state = 'done') = (pdf IS NOT NULL)", name=op.f("ck_printout_pdf_once_done")
        ),
        sa.CheckConstraint("attempts >= 0", name=op.f("ck_printout_attempts_not_negative")),
        sa.ForeignKeyConstraint(
            ["round_id"],
            ["release.round_id"],
            name=op.f("fk_printout_round_id_release"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("round_id", name=op.f("pk_printout")),
    )
    with op.batch_alter_table("programme") as programme:
        programme.add_column(
            sa.Column("mails_held", sa.Boolean(), nullable=False, server_default=sa.false())
        )


def downgrade() -> None:
    """Take the change back."""
    with op.batch_alter_table("programme") as programme:
        programme.drop_column("mails_held")
    op.drop_table("printout")
