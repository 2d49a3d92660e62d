"""Links that do one thing only, and carry their own proof."""

from __future__ import annotations

from uuid import UUID

from itsdangerous import BadSignature, URLSafeSerializer

from survey.keyring import Keyring

NO_REMINDERS = "no reminders"
APPROVAL = "approval"


def approval_path(keyring: Keyring, round_id: UUID, address: str) -> str:
    """Return the part of a link by which a manager, at this address, approves a round's raters."""
    return str(_signer(keyring, APPROVAL).dumps([str(round_id), address]))


def read_approval_path(keyring: Keyring, path: str) -> tuple[UUID, str] | None:
    """Return the round and the address a link is for, or None if we did not make it."""
    try:
        round_id, address = _signer(keyring, APPROVAL).loads(path)
        return UUID(round_id), str(address)
    except (BadSignature, ValueError, TypeError, AttributeError):
        return None


def stop_path(keyring: Keyring, invitation_id: UUID | None) -> str:
    """Return the part of a link by which a rater stops reminders; it opens nothing else."""
    return str(_signer(keyring, NO_REMINDERS).dumps(str(invitation_id)))


def read_stop_path(keyring: Keyring, path: str) -> UUID | None:
    """Return whose reminders a link stops, or None if we did not make it."""
    try:
        return UUID(_signer(keyring, NO_REMINDERS).loads(path))
    except (BadSignature, ValueError, TypeError, AttributeError):
        return None


def _signer(keyring: Keyring, purpose: str) -> URLSafeSerializer:
    return URLSafeSerializer(keyring.secret(), salt=purpose)
