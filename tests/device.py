"""A device that holds a passkey, and a browser that asks it: both do what a test has them do."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from fido2.cose import ES256
from fido2.utils import websafe_decode, websafe_encode
from fido2.webauthn import (
    Aaguid,
    AttestationObject,
    AttestedCredentialData,
    AuthenticatorData,
    CollectedClientData,
)

FLAG = AuthenticatorData.FLAG
PRESENT, CHECKED = FLAG.UP, FLAG.UP | FLAG.UV


class Device:
    """Says the truth, but for what a test sets."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.host = urlsplit(origin).hostname or ""
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.id = secrets.token_bytes(32)
        self.flags = CHECKED
        self.uses = 0
        self.owner: bytes | None = None

    def make(self, options: Mapping[str, Any], **lies: str) -> str:
        """Return what a browser sends with a new passkey."""
        self.owner = websafe_decode(options["user"]["id"])
        public = ES256.from_cryptography_key(self.key.public_key())
        credential = AttestedCredentialData.create(Aaguid.NONE, self.id, public)
        data = AuthenticatorData.create(
            self._host_hash(), self.flags | FLAG.AT, self.uses, credential
        )
        attested = AttestationObject.create("none", data, {})
        return self._sent(
            {
                "clientDataJSON": self._said("webauthn.create", options, lies),
                "attestationObject": websafe_encode(attested),
            }
        )

    def answer(self, options: Mapping[str, Any], **lies: str) -> str:
        """Return what a browser sends with a passkey that is there."""
        data = AuthenticatorData.create(self._host_hash(), self.flags, self.uses)
        said = self._said("webauthn.get", options, lies)
        signed = data + hashlib.sha256(websafe_decode(said)).digest()
        return self._sent(
            {
                "clientDataJSON": said,
                "authenticatorData": websafe_encode(data),
                "signature": websafe_encode(self.key.sign(signed, ec.ECDSA(hashes.SHA256()))),
                "userHandle": websafe_encode(self.owner) if self.owner else None,
            }
        )

    def _host_hash(self) -> bytes:
        return hashlib.sha256(self.host.encode()).digest()

    def _said(self, what: str, options: Mapping[str, Any], lies: Mapping[str, str]) -> str:
        told = {"type": what, "challenge": options["challenge"], "origin": self.origin, **lies}
        return websafe_encode(CollectedClientData.create(**told))

    def _sent(self, response: Mapping[str, Any]) -> str:
        own = websafe_encode(self.id)
        shape = {"type": "public-key", "clientExtensionResults": {}}
        return json.dumps({"id": own, "rawId": own, "response": response, **shape})
