"""What the program says on its standard error stream: what failed, when, in which request.

Never an address or a link: what libraries say is searched for both.
"""

from __future__ import annotations

import logging
import re
from uuid import uuid4

import structlog
from flask import Flask, request
from structlog.typing import EventDict, Processor, WrappedLogger
from werkzeug.wrappers import Response

HEADER = "X-Request-ID"
REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")
SECRETS = (
    (re.compile(r"\bip=\S+"), "ip=(address)"),
    (re.compile(r"[^\s@<>\"'(),;:]+@[^\s@<>\"'(),;:]+"), "(address)"),
    (re.compile(r"/(r|approve|no-reminders)/[^\s\"'<>?#]+"), r"/\1/(link)"),
)


def init_app(app: Flask, proxies: int) -> None:
    """Give every request an id, which its answer and all that is said about it carry.

    A proxy in front may have given one already.
    """

    @app.before_request
    def _begin() -> None:
        given = request.headers.get(HEADER, "") if proxies else ""
        name = given if REQUEST_ID.fullmatch(given) else uuid4().hex
        structlog.contextvars.bind_contextvars(request=name)

    @app.after_request
    def _tell(response: Response) -> Response:
        bound = structlog.contextvars.get_contextvars()
        if "request" in bound:
            response.headers[HEADER] = bound["request"]
        return response

    @app.teardown_request
    def _end(_error: BaseException | None) -> None:
        # The next one in this thread may fail before it has an id.
        structlog.contextvars.clear_contextvars()


def begin(form: str) -> None:
    """Write lines for people (`text`) or for a collector of logs (`json`)."""
    first: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last: Processor = (
        structlog.processors.JSONRenderer()
        if form == "json"
        else structlog.processors.KeyValueRenderer(key_order=["timestamp", "level", "event"])
    )
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=first,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                # Before it is redacted, since an error's text may quote anything.
                structlog.processors.format_exc_info,
                redact,
                last,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    # One line for each request that has to wait, with its moment: it might be a rater who saves.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)


def redact(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Take addresses and links out of all that is said."""
    for name, value in event.items():
        if isinstance(value, str):
            for secret, instead in SECRETS:
                value = secret.sub(instead, value)
            event[name] = value
    return event
