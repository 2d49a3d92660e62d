"""The two files of a trustee's key: one to keep, locked with a passphrase, and one to hand over.

The private one is locked with AES-256-GCM under a key that Argon2id makes of
the passphrase, with the costs that RFC 9106 proposes where memory is scarce.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from base64 import b64decode, b64encode
from binascii import Error as NotBase64

from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from survey import sealing
from survey.errors import Refused, marked
from survey.sealing import PRIVATE_BYTES, PUBLIC_BYTES, KeyPair

PUBLIC = "preview360-trustee "
KIND = "preview360 trustee key"
SALT_BYTES = 16
PASSES, LANES, MEMORY_KIB = 3, 4, 64 * 1024
LOCKED_SIZE = 256
SHORTEST_PASSPHRASE = 12


class KeyFileInvalid(Refused):
    """A file that holds no trustee's key, or another half of one."""

    status = 422
    message = marked("This file holds no trustee's key of the kind that is needed here.")


class PassphraseWrong(Refused):
    """The passphrase does not open the key."""

    status = 422
    message = marked("This passphrase does not open the key.")


class PassphraseShort(Refused):
    """A passphrase that could be guessed."""

    status = 422
    message = marked("A passphrase has at least %(fewest)s characters; four words are good.")


def private_file(pair: KeyPair, passphrase: str) -> str:
    """Return what the trustee keeps. Raises PassphraseShort."""
    if len(passphrase) < SHORTEST_PASSPHRASE:
        raise PassphraseShort(fewest=SHORTEST_PASSPHRASE)
    salt = secrets.token_bytes(SALT_BYTES)
    key = _from_passphrase(passphrase, salt)
    locked = sealing.lock(key, pair.private, LOCKED_SIZE, KIND.encode())
    kept = {"kind": KIND, "salt": _text(salt), "locked": _text(locked)}
    return json.dumps(kept, indent=1) + "\n"


def read_private(content: str, passphrase: str) -> bytes:
    """Return the private half of a trustee's key. Raises KeyFileInvalid, PassphraseWrong."""
    try:
        kept = json.loads(content)
        salt, locked = b64decode(kept["salt"]), b64decode(kept["locked"])
        lengths = len(salt), len(locked)
        if kept["kind"] != KIND or lengths != (SALT_BYTES, sealing.locked_length(LOCKED_SIZE)):
            raise KeyFileInvalid
    except (ValueError, KeyError, TypeError, NotBase64, RecursionError):
        raise KeyFileInvalid from None
    private = sealing.unlock(_from_passphrase(passphrase, salt), locked, KIND.encode())
    if private is None or len(private) != PRIVATE_BYTES:
        raise PassphraseWrong
    return private


def public_file(public: bytes) -> str:
    """Return what the trustee hands over to whoever runs the server."""
    return f"{PUBLIC}{_text(public)}\n"


def read_public(content: str) -> bytes:
    """Return the public half that was handed over. Raises KeyFileInvalid."""
    try:
        public = b64decode(content.strip().removeprefix(PUBLIC), validate=True)
    except (ValueError, NotBase64):
        raise KeyFileInvalid from None
    if not content.startswith(PUBLIC) or len(public) != PUBLIC_BYTES:
        raise KeyFileInvalid
    try:
        # Not everything that is long enough can be sealed to.
        sealing.seal(public, b"", KIND)
    except ValueError:
        raise KeyFileInvalid from None
    return public


def fingerprint(public: bytes) -> str:
    """Return by what people compare keys: 80 bits of SHA-256, in groups of four letters."""
    digest = hashlib.sha256(public).hexdigest()[:20]
    return " ".join(digest[at : at + 4] for at in range(0, len(digest), 4))


def _from_passphrase(passphrase: str, salt: bytes) -> bytes:
    derivation = Argon2id(
        salt=salt, length=32, iterations=PASSES, lanes=LANES, memory_cost=MEMORY_KIB
    )
    return derivation.derive(passphrase.encode(errors="surrogateescape"))


def _text(content: bytes) -> str:
    return b64encode(content).decode()
