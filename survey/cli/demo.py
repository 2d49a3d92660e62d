"""The demonstration, as a command."""

from __future__ import annotations

import time
from pathlib import Path

import click

from survey.cli.serve import PORT


@click.command()
@click.option("--once", is_flag=True, help="End after the PDF, instead of serving.")
@click.option(
    "--folder", default="demo", show_default=True, type=click.Path(file_okay=False, path_type=Path)
)
@click.option("--port", default=8360, show_default=True, type=PORT, help="Port, if it is free.")
def demo(once: bool, folder: Path, port: int) -> None:
    """Show the whole way on invented people: ask, answer, close, read.

    Everything runs on this machine, in one process, with its files in one folder.
    """
    # The demonstration needs a mail server of its own, which nothing else does.
    from survey import jobs
    from survey.demo.play import Stage, play

    began = time.monotonic()
    stage = Stage(folder, port, click.echo)
    try:
        pdf = play(stage)
        click.echo(f"\nThe preview lies in {pdf} ({time.monotonic() - began:.0f} seconds).")
        if once:
            return
        click.echo(_what_to_open(stage.url))
        jobs.run(stage.app)
    except KeyboardInterrupt:
        click.echo("\nThe demonstration has ended.")
    finally:
        stage.stop()


def _what_to_open(url: str) -> str:
    return f"""
Now look around; everything stays on this machine:

  {url}/mails/   the mails that were sent: press a link to answer in the open round,
  {"".ljust(len(url))}          or read the code when you sign in
  {url}/sign-in  as a leader with a preview:      robin@example.org
  {"".ljust(len(url))}          as a leader with an open round:  sam@example.org
  {"".ljust(len(url))}          as a coach:                      casey@example.org
  {"".ljust(len(url))}          as an administrator:             andy@example.org
  {url}/parts    every part that pages are made of, on one page

End it with Ctrl+C.
"""
