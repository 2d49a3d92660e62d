"""Passkeys and authenticator apps, and the mail that tells of them."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

KINDS = (
    "invitation", "sign_in", "coach_access", "released", "void", "address_changed",
    "trustee_needed", "change_proposed", "round_changed", "team_report", "reminder", "thanks",
    "coach_first", "programme", "approval_asked", "approval_decided",
)  # fmt: skip
NEW = "sign_in_changed"
TROUBLED = sa.text("trouble <> ''")
NAMES = {
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
}


def upgrade() -> None:
    """Make the change."""
    op.create_table(
        "passkey",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("credential_id", sa.LargeBinary(), nullable=False),
        sa.Column("credential", sa.LargeBinary(), nullable=False),
        sa.Column("uses", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("name <> ''", name=op.f("ck_passkey_name_not_blank")),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["person.id"],
            name=op.f("fk_passkey_person_id_person"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_passkey")),
        sa.UniqueConstraint("credential_id", name=op.f("uq_passkey_credential_id")),
    )
    op.create_index(op.f("ix_passkey_person_id"), "passkey", ["person_id"])
    op.create_table(
        "authenticator",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_step", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["person.id"],
            name=op.f("fk_authenticator_person_id_person"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_authenticator")),
    )
    _allow(KINDS, (*KINDS, NEW))


def downgrade() -> None:
    """Take the change back; what the old version cannot tell of is not mailed."""
    op.execute(sa.text("DELETE FROM mail WHERE kind = 'sign_in_changed'"))
    _allow((*KINDS, NEW), KINDS)
    op.drop_table("authenticator")
    op.drop_table("passkey")


def _allow(before: tuple[str, ...], after: tuple[str, ...]) -> None:
    """Let mails be of these kinds; SQLite copies the table, and has to be told all its rules."""
    with op.batch_alter_table("mail", copy_from=_mail(before)) as batch:
        batch.drop_constraint(op.f("ck_mail_mailkind"), type_="check")
        batch.create_check_constraint(op.f("ck_mail_mailkind"), _one_of(after))


def _one_of(kinds: tuple[str, ...]) -> str:
    return f"kind IN ({', '.join(repr(kind) for kind in kinds)})"


def _mail(kinds: tuple[str, ...]) -> sa.Table:
    """Return the table as the migrations before this one have made it."""
    return sa.Table(
        "mail",
        sa.MetaData(naming_convention=NAMES),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("round_id", sa.Uuid(), nullable=True),
        sa.Column("invitation_id", sa.Uuid(), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("trouble", sa.Text(), nullable=False),
        sa.CheckConstraint(_one_of(kinds), name=op.f("ck_mail_mailkind")),
        sa.CheckConstraint(
            "state IN ('waiting', 'sending', 'sent', 'failed', 'withdrawn')",
            name=op.f("ck_mail_mailstate"),
        ),
        sa.CheckConstraint("address <> ''", name=op.f("ck_mail_address_not_blank")),
        sa.CheckConstraint("key <> ''", name=op.f("ck_mail_key_not_blank")),
        sa.CheckConstraint(
            "state <> 'sent' OR sealed IS NULL", name=op.f("ck_mail_no_secret_once_sent")
        ),
        sa.CheckConstraint("attempts >= 0", name=op.f("ck_mail_attempts_not_negative")),
        sa.ForeignKeyConstraint(
            ["invitation_id"],
            ["invitation.id"],
            name=op.f("fk_mail_invitation_id_invitation"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_mail_person_id_person"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["round_id"], ["round.id"], name=op.f("fk_mail_round_id_round"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail")),
        sa.UniqueConstraint("key", name=op.f("uq_mail_key")),
        sa.Index("ix_mail_invitation_id", "invitation_id"),
        sa.Index("ix_mail_person_id", "person_id"),
        sa.Index("ix_mail_round_id", "round_id"),
        sa.Index("ix_mail_due_at", "due_at"),
        sa.Index("ix_mail_state_due_at", "state", "due_at"),
        sa.Index("ix_mail_trouble", "due_at", sqlite_where=TROUBLED, postgresql_where=TROUBLED),
    )
