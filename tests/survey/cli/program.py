"""A launcher of the program: imported once, then each command is a process of its own.

Reads a line of JSON for each command: its words, folder and environment. Answers with
a line: its exit code and what it printed.
"""

import json
import os
import sys
import tempfile
import traceback
from typing import Any

from survey.cli import main as program


def command(order: dict[str, Any]) -> int:
    """Run the program as its own file would; return its exit code."""
    os.chdir(order["folder"])
    os.environ.clear()
    os.environ.update(order["environment"])
    sys.argv = ["preview360", *order["words"]]
    try:
        program()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


def forked(order: dict[str, Any]) -> tuple[int, str]:
    """Run a command in a process of its own; return its exit code and what it printed."""
    with tempfile.TemporaryFile() as printed:
        child = os.fork()
        if not child:
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            for stream in (1, 2):
                os.dup2(printed.fileno(), stream)
            code = command(order)
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
        _, status = os.waitpid(child, 0)
        printed.seek(0)
        return os.waitstatus_to_exitcode(status), printed.read().decode()


def main() -> None:
    """Run commands until there are no more."""
    for line in sys.stdin:
        sys.stdout.write(json.dumps(forked(json.loads(line))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
