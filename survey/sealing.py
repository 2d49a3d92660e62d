"""Sealing: what nobody can read before the close, and how long each secret lives.

Ballots, tokens and codes are sealed with HPKE (RFC 9180) to a key pair of
X25519 and ML-KEM-768 together, from the `cryptography` library: what is copied
today stays closed even for somebody who breaks elliptic curves tomorrow. Drafts
are locked with AES-256-GCM under a key that only the rater's link gives.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from dataclasses import dataclass
from uuid import UUID

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hpke import (
    AEAD,
    KDF,
    KEM,
    MLKEM768X25519PrivateKey,
    MLKEM768X25519PublicKey,
    Suite,
)

TOKEN_BYTES = 24
PEPPER_BYTES = 32
NONCE_BYTES = 12
TAG_BYTES = 16
LENGTH_BYTES = 4
CURVE_BYTES = 32
PUBLIC_BYTES = CURVE_BYTES + 1184
PRIVATE_BYTES = CURVE_BYTES + 64
MAC_BYTES = 32
SERIAL_BYTES = 16
SIGNING_BYTES = 32
SUITE = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


class SealBroken(Exception):
    """What was sealed cannot be opened with this key: another key, or changed bytes."""


@dataclass(frozen=True)
class KeyPair:
    """The two halves of a key, as bytes to store."""

    public: bytes
    private: bytes


def new_key_pair() -> KeyPair:
    """Return a fresh key pair."""
    lattice, curve = MLKEM768PrivateKey.generate(), X25519PrivateKey.generate()
    return KeyPair(
        public=curve.public_key().public_bytes_raw() + lattice.public_key().public_bytes_raw(),
        private=curve.private_bytes_raw() + lattice.private_bytes_raw(),
    )


def public_of(private: bytes) -> bytes:
    """Return the public half that belongs to a private one."""
    curve = X25519PrivateKey.from_private_bytes(private[:CURVE_BYTES]).public_key()
    lattice = MLKEM768PrivateKey.from_seed_bytes(private[CURVE_BYTES:]).public_key()
    return curve.public_bytes_raw() + lattice.public_bytes_raw()


def seal(public: bytes, content: bytes, purpose: str) -> bytes:
    """Seal content so that only the private half opens it, and only for the same purpose."""
    key = MLKEM768X25519PublicKey(
        MLKEM768PublicKey.from_public_bytes(public[CURVE_BYTES:]),
        X25519PublicKey.from_public_bytes(public[:CURVE_BYTES]),
    )
    return SUITE.encrypt(content, key, purpose.encode())


def unseal(private: bytes, sealed: bytes, purpose: str) -> bytes:
    """Open what was sealed. Raises SealBroken if it does not belong to this key and purpose."""
    key = MLKEM768X25519PrivateKey(
        MLKEM768PrivateKey.from_seed_bytes(private[CURVE_BYTES:]),
        X25519PrivateKey.from_private_bytes(private[:CURVE_BYTES]),
    )
    try:
        return SUITE.decrypt(sealed, key, purpose.encode())
    except (InvalidTag, ValueError):
        raise SealBroken(purpose) from None


def mac(shared: bytes, content: bytes, purpose: str) -> bytes:
    """Return what shows that content comes from somebody who knows the shared secret.

    A message authentication code: keyed BLAKE2b over purpose and content.
    """
    purposed = purpose.encode() + b"\0" + content
    return hashlib.blake2b(purposed, key=shared, person=b"mac", digest_size=MAC_BYTES).digest()


def fits_mac(code: bytes, shared: bytes, content: bytes, purpose: str) -> bool:
    """Say whether content comes, for this purpose, from somebody who knows the shared secret."""
    return hmac.compare_digest(code, mac(shared, content, purpose))


def new_signing_key() -> bytes:
    """Return the private half of a fresh Ed25519 pair."""
    return Ed25519PrivateKey.generate().private_bytes_raw()


def verifying_half(private: bytes) -> bytes:
    """Return the public half that belongs to a private signing key."""
    return Ed25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


def sign(private: bytes, content: bytes, purpose: str) -> bytes:
    """Sign content for a purpose."""
    key = Ed25519PrivateKey.from_private_bytes(private)
    return key.sign(purpose.encode() + b"\0" + content)


def is_signed(public: bytes, signature: bytes, content: bytes, purpose: str) -> bool:
    """Say whether content was signed for this purpose."""
    try:
        key = Ed25519PublicKey.from_public_bytes(public)
        key.verify(signature, purpose.encode() + b"\0" + content)
    except (InvalidSignature, ValueError):
        return False
    return True


@dataclass(frozen=True)
class FromToken:
    """The three values that a link's token gives with the round's pepper.

    `lookup` finds the invitation, `handle` the ballot, `draft_key` opens the
    draft; none of them can be had from another.
    """

    lookup: bytes
    handle: bytes
    draft_key: bytes


def from_token(token: bytes, pepper: bytes) -> FromToken:
    """Derive a link's values: BLAKE2b keyed with the pepper, one purpose each."""

    def derived(purpose: bytes) -> bytes:
        return hashlib.blake2b(token, key=pepper, person=purpose, digest_size=32).digest()

    return FromToken(derived(b"lookup"), derived(b"handle"), derived(b"draft"))


def new_token() -> bytes:
    """Return 192 random bits."""
    return secrets.token_bytes(TOKEN_BYTES)


def new_serial() -> bytes:
    """Return a random number for one rater in one round."""
    return secrets.token_bytes(SERIAL_BYTES)


def new_pepper() -> bytes:
    """Return a fresh pepper."""
    return secrets.token_bytes(PEPPER_BYTES)


def link_path(round_id: UUID, token: bytes) -> str:
    """Return the part of a link that says which round and which token."""
    return urlsafe_b64encode(round_id.bytes + token).rstrip(b"=").decode()


def read_link(path: str) -> tuple[UUID, bytes] | None:
    """Return round and token of a link, or None for anything that is no link."""
    try:
        content = urlsafe_b64decode(path + "=" * (-len(path) % 4))
    except (NotBase64, ValueError):
        return None
    if (
        len(content) != 16 + TOKEN_BYTES
        or link_path(UUID(bytes=content[:16]), content[16:]) != path
    ):
        return None
    return UUID(bytes=content[:16]), content[16:]


def padded(content: bytes, size: int) -> bytes:
    """Return content filled up to one size, so that its length tells nothing.

    Raises ValueError if it does not fit.
    """
    room = size - LENGTH_BYTES
    if len(content) > room:
        raise ValueError(f"{len(content)} bytes do not fit into {room}")
    return len(content).to_bytes(LENGTH_BYTES, "big") + content.ljust(room, b"\0")


def unpadded(content: bytes) -> bytes:
    """Return what was filled up."""
    length = int.from_bytes(content[:LENGTH_BYTES], "big")
    return content[LENGTH_BYTES : LENGTH_BYTES + length]


def lock(key: bytes, content: bytes, size: int, handle: bytes) -> bytes:
    """Lock a draft for the ballot it belongs to; the result has one length for one size."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, padded(content, size), handle)


def unlock(key: bytes, locked: bytes, handle: bytes) -> bytes | None:
    """Return a draft, or None where there is none (noise looks the same to everybody else)."""
    nonce, content = locked[:NONCE_BYTES], locked[NONCE_BYTES:]
    try:
        return unpadded(AESGCM(key).decrypt(nonce, content, handle))
    except InvalidTag:
        return None


def noise(size: int) -> bytes:
    """Return random bytes as long as a locked draft of that size."""
    return secrets.token_bytes(locked_length(size))


def locked_length(size: int) -> int:
    """Return how many bytes are locked content of that size."""
    return NONCE_BYTES + size + TAG_BYTES
