"""The server that answers requests, and the worker beside it, in one process."""

from __future__ import annotations

import signal
from typing import Any

from flask import Flask
from waitress.server import create_server

from survey import jobs
from survey.errors import Refused, marked


class PortTaken(Refused):
    """Somebody else listens there."""

    message = marked(
        "Port %(port)s on %(host)s cannot be used: %(reason)s. Choose another with --port."
    )


def listening(app: Any, host: str, port: int, threads: int = 8) -> Any:
    """Return a server that listens already. Raises PortTaken."""
    try:
        return create_server(
            app,
            host=host,
            port=port,
            threads=threads,
            ident=None,
            clear_untrusted_proxy_headers=False,
        )
    except (OSError, ValueError) as error:
        reason = str(getattr(error, "strerror", None) or error).rstrip(".")
        raise PortTaken(port=port, host=host, reason=reason) from error


def serve_until_stopped(app: Flask, server: Any) -> None:
    """Answer requests and work until the process is asked to stop."""
    signal.signal(signal.SIGTERM, _interrupt)
    with jobs.working(app):
        try:
            server.run()
        except KeyboardInterrupt:
            pass
        finally:
            server.close()


def _interrupt(_number: int, _frame: Any) -> None:
    raise KeyboardInterrupt
