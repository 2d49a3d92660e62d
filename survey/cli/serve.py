"""Serving the pages and doing the work behind them."""

from __future__ import annotations

import click

from survey import create_app, jobs, logs
from survey.cli.database import check_up_to_date
from survey.server import Server, on_stop, serve_until_stopped
from survey.site import EXTENSION, Site, site

PORT = click.IntRange(0, 65_535)


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
    with app.app_context():
        logs.begin(site().settings.log)
        site().keyring.must_serve()
    check_up_to_date(app)
    server = Server(app, host, port, threads)
    click.echo(f"Preview360 listens on http://{host}:{port}. Stop it with Ctrl+C.")
    serve_until_stopped(app, server)


@click.command()
@click.option("--once", is_flag=True, help="Do what is due now, and end.")
def work(once: bool) -> None:
    """Do the work of this side without serving pages: close rounds, send mails."""
    app = create_app()
    with app.app_context():
        logs.begin(site().settings.log)
    check_up_to_date(app)
    if once:
        jobs.sweep(app)
        return
    here: Site = app.extensions[EXTENSION]
    on_stop(here.stopping.set)
    jobs.run(app)
