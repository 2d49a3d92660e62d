"""Serving the pages and doing the work behind them."""

from __future__ import annotations

import signal
import threading
from typing import Any

import click
from flask import Flask
from waitress.server import create_server

from survey import create_app, jobs
from survey.cli.database import check_up_to_date
from survey.errors import Refused, marked

PORT = click.IntRange(0, 65_535)


class PortTaken(Refused):
    """Somebody else listens there."""

    message = marked(
        "Port %(port)s on %(host)s cannot be used: %(reason)s. Choose another with --port."
    )


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8360, show_default=True, type=PORT, help="Port to listen on.")
@click.option(
    "--threads",
    default=8,
    show_default=True,
    type=click.IntRange(1, 256),
    help="Pages answered at once.",
)
def serve(host: str, port: int, threads: int) -> None:
    """Serve the pages, send mails and close rounds, all in one process."""
    app = create_app()
    check_up_to_date(app)
    server = listening(app, host, port, threads)
    click.echo(f"Preview360 listens on http://{host}:{port}. Stop it with Ctrl+C.")
    serve_until_stopped(app, server)


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
        reason = getattr(error, "strerror", None) or error
        raise PortTaken(port=port, host=host, reason=reason) from error


def serve_until_stopped(app: Flask, server: Any) -> None:
    """Answer requests and sweep until the process is asked to stop."""
    stop = threading.Event()
    worker = threading.Thread(target=jobs.run, args=(app, stop), name="worker")
    worker.start()
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        server.run()
    except KeyboardInterrupt:
        pass
    finally:
        stop.set()
        server.close()
        worker.join()


def _interrupt(_number: int, _frame: Any) -> None:
    raise KeyboardInterrupt


@click.command()
@click.option("--once", is_flag=True, help="Do what is due now, and end.")
def work(once: bool) -> None:
    """Send mails and close rounds, without serving pages."""
    app = create_app()
    check_up_to_date(app)
    jobs.sweep(app)
    if once:
        return
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    signal.signal(signal.SIGINT, lambda *_: stop.set())
    jobs.run(app, stop)
