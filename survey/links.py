"""Links that do one thing only, and carry their own proof."""

from __future__ import annotations

from uuid import UUID

from itsdangerous import BadSignature, URLSafeSerializer

from survey.keyring import Keyring

NO_REMINDERS = "no reminders"


def stop_path(keyring: Keyring, invitation_id: UUID | None) -> str:
    """Return the part of a link by which a rater stops reminders; it opens nothing else."""
    return str(_signer(keyring).dumps(str(invitation_id)))


def read_stop_path(keyring: Keyring, path: str) -> UUID | None:
    """Return whose reminders a link stops, or None if we did not make it."""
    try:
        return UUID(_signer(keyring).loads(path))
    except (BadSignature, ValueError, TypeError, AttributeError):
        return None


def _signer(keyring: Keyring) -> URLSafeSerializer:
    return URLSafeSerializer(keyring.secret(), salt=NO_REMINDERS)
