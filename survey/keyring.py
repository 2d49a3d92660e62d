"""The keyring: a directory of small secret files, outside the database.

The web side holds

    secret            signs session cookies and hashes sign-in codes
    mail              opens what the outbox keeps sealed (sign-in codes)
    rounds/<id>/keys  what a round's links and ballots are made with

the closing side

    ballots/<id>      opens the ballots of one round, at the close
    signing           signs the keys that it puts into the database

and both the same file

    shared            shows the closing side that a ballot comes from the web side, and the
                      web side what the closing side has signed

Usually one process is both sides, with one folder. A round's secrets are
destroyed when it is released or void. What they sealed is noise from then on,
also in every backup.
"""

from __future__ import annotations

import os
import re
import secrets
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from uuid import UUID

from survey.errors import Conflict, Refused, marked
from survey.sealing import (
    PEPPER_BYTES,
    PRIVATE_BYTES,
    PUBLIC_BYTES,
    SIGNING_BYTES,
    KeyPair,
    is_signed,
    new_key_pair,
    new_signing_key,
    sign,
    verifying_half,
)

OWNER_ONLY = 0o077
SECRET_BYTES = 32
AN_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Side(StrEnum):
    """Which secrets a process holds: those of the pages, those of the close, or both."""

    WEB = "web"
    CLOSING = "closing"
    BOTH = "both"

    @property
    def serves(self) -> bool:
        """Whether pages are served and mails sent here."""
        return self is not Side.CLOSING

    @property
    def closes(self) -> bool:
        """Whether rounds are closed here."""
        return self is not Side.WEB

    def parts(self) -> list[Side]:
        """Return the two sides that are one here, or the one that this is."""
        return [Side.WEB, Side.CLOSING] if self is Side.BOTH else [self]


class KeyringUnusable(Refused):
    """A secret cannot be read or written; nothing was changed."""

    status = 503
    message = marked(
        "The keyring cannot be used: %(reason)s. Nothing is lost; whoever runs this server can "
        "mend it."
    )


class OtherSide(Conflict):
    """Something was asked of the side that does not hold what it needs."""

    message = marked("This is the %(side)s side; that is done on the other one.")


@dataclass(frozen=True)
class RoundKeys:
    """What the web side holds of an open round.

    The pepper, the pair for its links, and the public keys to which ballots are
    sealed: the round's, and its trustee's where there is one.
    """

    pepper: bytes = field(repr=False)
    mail: KeyPair = field(repr=False)
    ballot: bytes = field(repr=False)
    trustee: bytes | None = field(repr=False, default=None)

    def to_bytes(self) -> bytes:
        """Return the keys as they are stored, one after the other."""
        return (
            self.pepper + self.mail.public + self.mail.private + self.ballot + (self.trustee or b"")
        )

    @classmethod
    def from_bytes(cls, stored: bytes) -> RoundKeys:
        """Return stored keys; ValueError if there are too few or too many bytes."""
        parts = []
        for length in (PEPPER_BYTES, PUBLIC_BYTES, PRIVATE_BYTES, PUBLIC_BYTES, PUBLIC_BYTES):
            parts.append(stored[:length])
            stored = stored[length:]
        pepper, mail_public, mail_private, ballot, trustee = parts
        if len(ballot) != PUBLIC_BYTES or len(trustee) not in (0, PUBLIC_BYTES) or stored:
            raise ValueError("not the keys of a round")
        return cls(pepper, KeyPair(mail_public, mail_private), ballot, trustee or None)


class Keyring:
    """The secrets of one side of an installation, or of both."""

    def __init__(self, path: Path, side: Side = Side.BOTH) -> None:
        self.path = path
        self.side = side

    def must_serve(self) -> None:
        """Raise OtherSide on the closing side."""
        if not self.side.serves:
            raise OtherSide(side=self.side)

    def must_close(self) -> None:
        """Raise OtherSide on the web side."""
        if not self.side.closes:
            raise OtherSide(side=self.side)

    def secret(self) -> bytes:
        """Return the web side's secret, made at the first call."""
        self.must_serve()
        return self._read_or_make("secret", secrets.token_bytes(SECRET_BYTES))

    def shared(self) -> bytes:
        """Return the secret that both sides know. Raises KeyringUnusable."""
        return self._shared()[:SECRET_BYTES]

    def sign(self, content: bytes, purpose: str) -> bytes:
        """Sign what the closing side puts into the database. Raises OtherSide."""
        self.must_close()
        self._shared()
        return sign(self._read("signing", SIGNING_BYTES), content, purpose)

    def has_signed(self, signature: bytes, content: bytes, purpose: str) -> bool:
        """Say whether the closing side has signed this. Raises KeyringUnusable."""
        return is_signed(self._shared()[SECRET_BYTES:], signature, content, purpose)

    def _shared(self) -> bytes:
        """Return the secret and the closing side's public signing key.

        The closing side makes them at its first call, but not anew while there are ballot keys:
        what they open was made with the old ones. The web side waits until they are brought.
        """
        if self.side.closes and not (self.path / "shared").exists():
            if self.ballot_keys():
                path = self.path / "shared"
                raise KeyringUnusable(reason=f"{path} is gone, though ballot keys are there")
            private = self._read_or_make("signing", new_signing_key())
            verifying = verifying_half(private)
            self._read_or_make("shared", secrets.token_bytes(SECRET_BYTES) + verifying)
        return self._read("shared", SECRET_BYTES + SIGNING_BYTES)

    def mail_pair(self) -> KeyPair:
        """Return the pair for what waits in the outbox, made at the first call."""
        self.must_serve()
        pair = new_key_pair()
        stored = self._read_or_make("mail", pair.public + pair.private)
        return KeyPair(stored[:PUBLIC_BYTES], stored[PUBLIC_BYTES:])

    def keep_round(self, round_id: UUID, keys: RoundKeys) -> None:
        """Store a round's keys, over what an opening that failed may have left."""
        self.must_serve()
        self._write(self._name(round_id), keys.to_bytes())

    def round_keys(self, round_id: UUID) -> RoundKeys:
        """Return a round's keys. Raises KeyringUnusable."""
        self.must_serve()
        try:
            return RoundKeys.from_bytes(self._read(self._name(round_id)))
        except ValueError as error:
            path = self.path / self._name(round_id)
            raise KeyringUnusable(reason=f"{path}: {error}") from None

    def make_ballot_key(self, key_id: UUID) -> bytes:
        """Make a pair for the ballots of a round to come; return its public half."""
        self.must_close()
        # Before the first ballot key, so that what is shared is never made anew beside one.
        self._shared()
        pair = new_key_pair()
        self._write(f"ballots/{key_id}", pair.private)
        return pair.public

    def ballot_key(self, key_id: UUID) -> bytes:
        """Return the private half for a round's ballots. Raises KeyringUnusable."""
        self.must_close()
        return self._read(f"ballots/{key_id}", PRIVATE_BYTES)

    def ballot_keys(self) -> list[UUID]:
        """Return the private halves that are here. Raises KeyringUnusable."""
        return self._ids("ballots")

    def destroy_ballot_key(self, key_id: UUID) -> None:
        """Overwrite and remove a private half, if it is there. Raises KeyringUnusable."""
        file = self.path / "ballots" / str(key_id)
        try:
            _overwrite(file)
            file.unlink(missing_ok=True)
            _sync(file.parent)
        except FileNotFoundError:
            return
        except OSError as error:
            raise KeyringUnusable(reason=f"{error.filename}: {error.strerror}") from error

    def rounds(self) -> list[UUID]:
        """Return the rounds that have a folder, be it an empty one. Raises KeyringUnusable."""
        return self._ids("rounds")

    def destroy_round(self, round_id: UUID) -> None:
        """Overwrite and remove a round's secrets.

        Its folder stays, empty, until `forget_round`: there is still something to clean up.
        Somebody else may be doing the same. Raises KeyringUnusable.
        """
        folder = self.path / "rounds" / str(round_id)
        try:
            for file in sorted(folder.iterdir()):
                _overwrite(file)
                file.unlink(missing_ok=True)
            _sync(folder)
        except FileNotFoundError:
            return
        except OSError as error:
            raise KeyringUnusable(reason=f"{error.filename}: {error.strerror}") from error

    def forget_round(self, round_id: UUID) -> None:
        """Remove the empty folder of a round. Raises KeyringUnusable."""
        try:
            (self.path / "rounds" / str(round_id)).rmdir()
        except FileNotFoundError:
            return
        except OSError as error:
            raise KeyringUnusable(reason=f"{error.filename}: {error.strerror}") from error

    def _name(self, round_id: UUID) -> str:
        return f"rounds/{round_id}/keys"

    def _ids(self, name: str) -> list[UUID]:
        folder = self.path / name
        try:
            names = [each.name for each in folder.iterdir()] if folder.is_dir() else []
        except OSError as error:
            raise KeyringUnusable(reason=f"{folder}: {error.strerror}") from error
        return sorted(UUID(name) for name in names if AN_ID.fullmatch(name))

    def _read(self, name: str, size: int | None = None) -> bytes:
        path = self.path / name
        try:
            if path.stat().st_mode & OWNER_ONLY:
                raise KeyringUnusable(reason=f"{path} can be read by others (chmod 600)")
            content = path.read_bytes()
        except OSError as error:
            raise KeyringUnusable(reason=f"{path}: {error.strerror}") from error
        if size is not None and len(content) != size:
            raise KeyringUnusable(reason=f"{path} has {len(content)} bytes instead of {size}")
        return content

    def _read_or_make(self, name: str, content: bytes) -> bytes:
        if not (self.path / name).exists():
            self._write(name, content, exclusive=True)
        return self._read(name, len(content))

    def _write(self, name: str, content: bytes, *, exclusive: bool = False) -> None:
        """Write a file whole or not at all, readable by the owner only, and safe on disk.

        `exclusive` leaves a file alone that another process made meanwhile.
        """
        path = self.path / name
        draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
        try:
            self.path.parent.mkdir(exist_ok=True, parents=True)
            for folder in reversed(path.relative_to(self.path).parents):
                (self.path / folder).mkdir(mode=0o700, exist_ok=True)
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            if exclusive:
                _link_if_new(draft, path)
            else:
                draft.replace(path)
            _sync(path.parent)
        except OSError as error:
            with suppress(OSError):
                draft.unlink()
            raise KeyringUnusable(reason=f"{path}: {error.strerror}") from error


def _link_if_new(draft: Path, path: Path) -> None:
    try:
        path.hardlink_to(draft)
    except FileExistsError:
        pass
    finally:
        draft.unlink()


def _overwrite(file: Path) -> None:
    """Write noise over a secret: worth little on some disks, and free."""
    with file.open("r+b") as opened:
        opened.write(secrets.token_bytes(file.stat().st_size))
        opened.flush()
        os.fsync(opened.fileno())


def _sync(folder: Path) -> None:
    """Make a folder's entries safe on disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
