"""The keyring: a directory of small secret files, outside the database.

    secret              signs session cookies and hashes sign-in codes
    mail                opens what the outbox keeps sealed (sign-in codes)
    rounds/<id>/pepper  turns a rater's link into what the database knows
    rounds/<id>/ballot  opens the ballots, at the close
    rounds/<id>/mail    opens the links, for mails

A round's secrets are destroyed when it is released or void. What they sealed is
noise from then on, also in every backup.
"""

from __future__ import annotations

import os
import re
import secrets
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from survey.errors import Refused, marked
from survey.sealing import KeyPair, new_key_pair, new_pepper

OWNER_ONLY = 0o077
ROUND_FOLDER = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class KeyringUnusable(Refused):
    """A secret cannot be read or written; nothing was changed."""

    status = 503
    message = marked(
        "The keyring cannot be used: %(reason)s. Nothing is lost; whoever runs this server can "
        "mend it."
    )


@dataclass(frozen=True)
class RoundKeys:
    """A round's secrets when they are made: the pepper, and the pairs for ballots and mails."""

    pepper: bytes
    ballot: KeyPair
    mail: KeyPair


class Keyring:
    """The secrets of one installation."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def secret(self) -> bytes:
        """Return the installation's secret, made at the first call."""
        return self._read_or_make("secret", secrets.token_bytes(32))

    def mail_pair(self) -> KeyPair:
        """Return the pair for what waits in the outbox, made at the first call."""
        pair = new_key_pair()
        stored = self._read_or_make("mail", pair.public + pair.private)
        return KeyPair(stored[: len(pair.public)], stored[len(pair.public) :])

    def make_round(self, round_id: UUID) -> RoundKeys:
        """Make and store a round's secrets, over what an opening that failed may have left."""
        keys = RoundKeys(new_pepper(), new_key_pair(), new_key_pair())
        self._write(self._name(round_id, "pepper"), keys.pepper)
        self._write(self._name(round_id, "ballot"), keys.ballot.private)
        self._write(self._name(round_id, "mail"), keys.mail.private)
        return keys

    def pepper(self, round_id: UUID) -> bytes:
        """Return a round's pepper. Raises KeyringUnusable."""
        return self._read(self._name(round_id, "pepper"))

    def ballot_key(self, round_id: UUID) -> bytes:
        """Return the private half for a round's ballots. Raises KeyringUnusable."""
        return self._read(self._name(round_id, "ballot"))

    def mail_key(self, round_id: UUID) -> bytes:
        """Return the private half for a round's links. Raises KeyringUnusable."""
        return self._read(self._name(round_id, "mail"))

    def rounds(self) -> list[UUID]:
        """Return the rounds that have a folder, be it an empty one. Raises KeyringUnusable."""
        folder = self.path / "rounds"
        try:
            names = [each.name for each in folder.iterdir()] if folder.is_dir() else []
        except OSError as error:
            raise KeyringUnusable(reason=f"{folder}: {error.strerror}") from error
        return sorted(UUID(name) for name in names if ROUND_FOLDER.fullmatch(name))

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

    def _name(self, round_id: UUID, kind: str) -> str:
        return f"rounds/{round_id}/{kind}"

    def _read(self, name: str) -> bytes:
        path = self.path / name
        try:
            if path.stat().st_mode & OWNER_ONLY:
                raise KeyringUnusable(reason=f"{path} can be read by others (chmod 600)")
            return path.read_bytes()
        except OSError as error:
            raise KeyringUnusable(reason=f"{path}: {error.strerror}") from error

    def _read_or_make(self, name: str, content: bytes) -> bytes:
        if not (self.path / name).exists():
            self._write(name, content, exclusive=True)
        return self._read(name)

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
