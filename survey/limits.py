"""How often one may ask for codes, and guess them."""

from __future__ import annotations

from flask import Flask, request
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from werkzeug.wrappers import Response

CODES = "5 per 15 minutes; 20 per day"
WRONG_CODES = "30 per 15 minutes"

limiter = Limiter(key_func=get_remote_address, storage_uri="memory://")


def _posted_address() -> str:
    """Count by the address a code is asked for, so that nobody's mailbox can be flooded."""
    return request.form.get("email", "").strip().lower()[:320]


def _was_wrong(response: Response) -> bool:
    return response.status_code == 422


limit_codes = limiter.limit(CODES, key_func=_posted_address, methods=["POST"])
limit_wrong_codes = limiter.limit(WRONG_CODES, methods=["POST"], deduct_when=_was_wrong)


def init_app(app: Flask) -> None:
    """Start counting."""
    limiter.init_app(app)
