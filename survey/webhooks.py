"""Tells another program of rounds, signed as the Standard Webhooks say, until it has heard.

A message is claimed, and the claim committed, before it is sent; what came of it is committed
before the next one. It may come twice, under the same number, never not at all.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy.orm import Session

from survey.errors import Refused, marked
from survey.models import Webhook
from survey.services import webhooks
from survey.site import Site

SECRET_PREFIX = "whsec_"  # noqa: S105
SECONDS_TO_ANSWER = 10


class NoReceiver(Refused):
    """Nobody is to be told."""

    message = marked(
        "No receiver is set. Set PREVIEW360_WEBHOOK_URL and PREVIEW360_WEBHOOK_SECRET."
    )


class NotTaken(Refused):
    """The receiver did not take a message."""

    message = marked("%(url)s did not take the message: %(reason)s.")


def deliver(site: Site, session: Session, most: int) -> int:
    """Send the messages that are due, at most so many; return how many were taken.

    Ends with the first that is not: other work waits meanwhile. Without a receiver, all are
    forgotten. Commits after each step.
    """
    if not site.settings.webhook_url:
        if webhooks.forget(session):
            session.commit()
        return 0
    for taken in range(most):
        webhook = None if site.stopping.is_set() else webhooks.claim(session, site.now())
        session.commit()
        if webhook is None:
            return taken
        body = _body(webhook)
        session.rollback()
        try:
            _post(site, webhook.id, body)
        except NotTaken as trouble:
            reason = str(trouble.gaps["reason"])
            webhooks.mark_trouble(session, webhook, reason, site.now())
            session.commit()
            return taken
        webhooks.mark_taken(session, webhook.id)
        session.commit()
    return most


def send_test(site: Site) -> None:
    """Send a message that says nothing. Raises NoReceiver, NotTaken."""
    if not site.settings.webhook_url:
        raise NoReceiver
    _post(site, uuid4(), _written("test", site.now(), {}))


def signature(secret: str, number: UUID | str, seconds: int, body: bytes) -> str:
    """Return what shows that a message comes from here, and when it was sent.

    Standard Webhooks 1.0: HMAC-SHA-256 over number, time and body.
    """
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    signed = f"{number}.{seconds}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


def _post(site: Site, number: UUID, body: bytes) -> None:
    """Send a message. Raises NotTaken, whose reason names no secret and nothing of the answer."""
    import requests

    url, seconds = site.settings.webhook_url, int(site.now().timestamp())
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Preview360",
        "webhook-id": str(number),
        "webhook-timestamp": str(seconds),
        "webhook-signature": signature(site.settings.webhook_secret, number, seconds, body),
    }
    try:
        with requests.post(
            url,
            body,
            headers=headers,
            timeout=SECONDS_TO_ANSWER,
            # What was signed is for that address; the answer's body is not read.
            allow_redirects=False,
            stream=True,
        ) as answer:
            if not 200 <= answer.status_code < 300:
                raise NotTaken(url=url, reason=f"it answered with status {answer.status_code}")
    except requests.RequestException as error:
        raise NotTaken(url=url, reason=type(error).__name__) from error


def _body(webhook: Webhook) -> bytes:
    round_ = webhook.round
    data = {
        "round_id": str(round_.id),
        "leader_id": str(round_.leader_id),
        "programme_id": str(round_.programme_id) if round_.programme_id else None,
    }
    return _written(webhook.kind, webhook.happened_at, data)


def _written(kind: str, at: datetime, data: dict[str, Any]) -> bytes:
    told = {"type": kind, "timestamp": at.isoformat().replace("+00:00", "Z"), "data": data}
    return json.dumps(told).encode()
