"""Puts the program under load, as an organisation would run it, and writes what was found.

Both set-ups are filled with 100, 1,000 and 10,000 rounds that collect and as many previews of
last year, and driven by whole journeys of raters from a process of its own.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from tests.load.page import bars, write
from tests.load.run import measure

SIZES = (100, 1_000, 10_000)


def main() -> None:
    """Measure, and write the page; a bar that is missed is an error."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)), help="rounds stored")
    parser.add_argument("--journeys", type=int, default=150, help="raters who answer in each run")
    parser.add_argument("--keep", type=Path, help="a folder for what was filled, used again")
    chosen = parser.parse_args()
    sizes = [int(size) for size in chosen.sizes.split(",")]
    sizes.sort()
    with tempfile.TemporaryDirectory(prefix="preview360-load-") as folder:
        found = measure(chosen.keep or Path(folder), sizes, chosen.journeys)
    write(found)
    if missed := [bar.what for bar in bars(found) if not bar.holds]:
        raise SystemExit(f"missed: {'; '.join(missed)}")


if __name__ == "__main__":
    main()
