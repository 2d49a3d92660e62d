"""Changes sealing, closing and partition line by line, and counts what the tests notice.

Before that, the same tests must run every branch there. What is changed and
which tests must notice stands in pyproject.toml under `tool.mutmut`.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

LEAST = 0.9
WORKPLACE = Path("mutants")


def main() -> None:
    """Print every change that went unnoticed; fail if they are more than one in ten."""
    settings = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["tool"]["mutmut"]
    # What was found before says nothing of tests that have changed since.
    shutil.rmtree(WORKPLACE, ignore_errors=True)
    WORKPLACE.mkdir()
    data = f"--data-file={WORKPLACE}/.coverage"
    changed = f"--include={','.join(settings['only_mutate'])}"
    tests = settings["pytest_add_cli_args_test_selection"]
    _run("coverage", "run", "--branch", data, changed, "-m", "pytest", "-q", *tests)
    _run("coverage", "report", data, "--show-missing", "--fail-under=100")
    _run("mutmut", "run", silent=True)
    told = _run("mutmut", "results", "--all", "true", silent=True)
    states = [line.strip().partition(": ") for line in told.splitlines() if ": " in line]
    unnoticed = [name for name, _, state in states if state != "killed"]
    share = 1 - len(unnoticed) / len(states)
    sys.stdout.write("".join(f"unnoticed: {name}\n" for name in unnoticed))
    sys.stdout.write(f"{share:.1%} of {len(states)} changes were noticed.\n")
    sys.exit(share < LEAST)


def _run(program: str, *arguments: str, silent: bool = False) -> str:
    """Run a program of this environment; a silent one shows what it said only if it fails."""
    command = [str(Path(sys.executable).with_name(program)), *arguments]
    done = subprocess.run(command, capture_output=silent, text=True, check=False)
    if done.returncode:
        sys.exit(f"{program} failed. {(done.stdout or '')[-2000:]}{done.stderr or ''}")
    return done.stdout or ""


if __name__ == "__main__":
    main()
