"""An OpenID Connect provider that says whatever a test has it say."""

from __future__ import annotations

import json
import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from flask.testing import FlaskClient
from joserfc import jwt
from joserfc.jwk import RSAKey
from werkzeug.serving import make_server
from werkzeug.test import TestResponse
from werkzeug.wrappers import Request, Response

CLIENT, ADDRESS = "preview360", "robin@example.org"


class Liar:
    """Says the truth, but for `claims` and what else a test sets."""

    def __init__(self) -> None:
        self.server = make_server("127.0.0.1", 0, self, threaded=True)
        self.issuer = f"http://127.0.0.1:{self.server.server_port}"
        self.key = RSAKey.generate_key(2048, {"kid": "one"})
        self.signs_with = self.key
        self.algorithm = "RS256"
        self.claims: dict[str, Any] = {}
        self.info: dict[str, Any] = {}
        self.nonce = ""
        self.answers: dict[str, Response] = {}
        self.asked: list[str] = []

    def __call__(self, environ: dict[str, Any], start: Any) -> Any:
        path = Request(environ).path
        self.asked.append(path)
        answer = self.answers.get(path) or Response(
            json.dumps(self._told(path)), mimetype="application/json"
        )
        return answer(environ, start)

    def _told(self, path: str) -> dict[str, Any]:
        if path == "/jwks":
            return {"keys": [self.key.as_dict(private=False)]}
        if path == "/token":
            return {"access_token": "any", "token_type": "Bearer", "id_token": self.token()}
        if path == "/info":
            return self.info
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "userinfo_endpoint": f"{self.issuer}/info",
            "jwks_uri": f"{self.issuer}/jwks",
        }

    def token(self) -> str:
        """Who signs in, in claims without those that are None."""
        now = int(time.time())
        usual = {
            "iss": self.issuer,
            "aud": CLIENT,
            "sub": "17",
            "iat": now,
            "exp": now + 300,
            "nonce": self.nonce,
            "email": ADDRESS,
            "email_verified": True,
        }
        claims = {name: value for name, value in (usual | self.claims).items() if value is not None}
        if self.algorithm == "none":
            return ".".join(map(_encoded, ({"alg": "none"}, claims))) + "."
        header = {"alg": self.algorithm, "kid": self.signs_with.kid}
        return jwt.encode(header, claims, self.signs_with, algorithms=[self.algorithm])

    def sign_in(self, client: FlaskClient, **instead: str) -> TestResponse:
        """Leave to this provider and return from it, as a browser would."""
        leaving = client.get("/sign-in/organisation")
        asked = dict(parse_qsl(urlsplit(leaving.location).query))
        self.nonce = asked["nonce"]
        return client.get(
            "/sign-in/organisation/back",
            query_string={"code": "any", "state": asked["state"]} | instead,
        )


def _encoded(part: object) -> str:
    return urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")


@contextmanager
def lying() -> Iterator[Liar]:
    """Give a provider that listens."""
    liar = Liar()
    thread = threading.Thread(target=liar.server.serve_forever)
    thread.start()
    yield liar
    liar.server.shutdown()
    thread.join()
    liar.server.server_close()
