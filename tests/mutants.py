"""Counts the changes to the code that the tests noticed, and those that they did not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

LEAST = 0.9


def main() -> None:
    """Print every change that went unnoticed; fail if they are more than one in ten."""
    program = Path(sys.executable).with_name("mutmut")
    told = subprocess.run(
        [program, "results", "--all", "true"], capture_output=True, text=True, check=True
    ).stdout
    states = [line.strip().partition(": ") for line in told.splitlines() if ": " in line]
    unnoticed = [name for name, _, state in states if state != "killed"]
    share = 1 - len(unnoticed) / len(states)
    sys.stdout.write("".join(f"unnoticed: {name}\n" for name in unnoticed))
    sys.stdout.write(f"{share:.1%} of {len(states)} changes were noticed.\n")
    sys.exit(share < LEAST)


if __name__ == "__main__":
    main()
