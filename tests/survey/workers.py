"""A launcher of workers that are killed: everything is imported once, then each worker is a fork.

Reads a line of JSON for each order: a worker to start on an installation, or to kill, and answers
with its process id. Their clocks all run from the same moment, some times faster than ours.
"""

import json
import os
import signal
import sys
import traceback
from datetime import UTC, datetime, timedelta
from typing import Any

from reports import aggregate  # noqa: F401 - with pandas, once instead of in every fork
from survey import create_app, jobs
from survey.config import Settings
from survey.server import on_stop
from survey.site import EXTENSION


def start(order: dict[str, Any]) -> int:
    """Fork a worker; it works until it is killed or asked to stop."""
    worker = os.fork()
    if worker:
        return worker
    os.dup2(os.open(os.devnull, os.O_RDWR), 1)
    begun, faster = datetime.fromisoformat(order["begun"]), order["faster"]
    told = datetime.fromisoformat(order["told"])

    def clock() -> datetime:
        since: timedelta = faster * (datetime.now(UTC) - begun)
        return told + since

    try:
        app = create_app(Settings(**order["settings"]), clock=clock)
        on_stop(app.extensions[EXTENSION].stopping.set)
        jobs.run(app, order["seconds"])
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def main() -> None:
    """Answer orders until there are no more; kill whatever is left then."""
    running = set()
    for line in sys.stdin:
        order = json.loads(line)
        if order["do"] == "start":
            worker = start(order)
            running.add(worker)
        else:
            worker = order["worker"]
            os.kill(worker, getattr(signal, order["do"]))
            os.waitpid(worker, 0)
            running.discard(worker)
        sys.stdout.write(json.dumps(worker) + "\n")
        sys.stdout.flush()
    for worker in running:
        os.kill(worker, signal.SIGKILL)
        os.waitpid(worker, 0)


if __name__ == "__main__":
    main()
