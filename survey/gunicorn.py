"""How gunicorn serves the pages: `gunicorn --config python:survey.gunicorn`.

Only the pages: `preview360 work` beside it, once or more often, does the work. What is written
here in lower case are settings of gunicorn, which its command line and GUNICORN_CMD_ARGS change.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from gunicorn.glogging import Logger

from survey import create_app, logs
from survey.cli import in_a_sentence
from survey.cli.database import check_up_to_date
from survey.config import from_environment
from survey.db import db
from survey.metrics import SHARED
from survey.site import site

wsgi_app = "survey:create_app()"
bind = "127.0.0.1:8360"
workers = int(os.environ.get("WEB_CONCURRENCY") or len(os.sched_getaffinity(0)))
worker_class = "gthread"
threads = 8
# Whoever knows when a page was opened knows who answered.
accesslog = None
# Nobody needs to change a running server over a socket.
control_socket_disable = True
# Workers show in a file that they live; on a disk it could keep them waiting.
worker_tmp_dir = next((str(each) for each in [Path("/dev/shm")] if each.is_dir()), None)  # noqa: S108


class Lines(Logger):  # type: ignore[misc]
    """Writes the server's lines as all others are written: without addresses and links."""

    def setup(self, cfg: Any) -> None:
        """Hand lines on instead of writing them."""
        super().setup(cfg)
        self.error_log.handlers = []
        self.error_log.propagate = True
        with in_a_sentence():
            logs.begin(from_environment().log)


logger_class = Lines


def on_starting(server: Any) -> None:
    """Refuse to start, in a sentence, what could serve nobody; let processes count together."""
    os.environ[SHARED] = tempfile.mkdtemp(prefix="preview360-counts-")
    try:
        with in_a_sentence():
            _check()
    except SystemExit:
        on_exit(server)
        raise


def _check() -> None:
    app = create_app()
    with app.app_context():
        site().keyring.must_serve()
    check_up_to_date(app)
    with app.app_context():
        # Each worker has connections of its own.
        db.engine.dispose()


def on_exit(_server: Any) -> None:
    """Leave nothing behind."""
    shutil.rmtree(os.environ[SHARED], ignore_errors=True)
