"""Runs the program as people do, in a folder of the test's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.launching import launched


@pytest.fixture(scope="session")
def program() -> Iterator[Callable[..., str]]:
    """Run a command in a folder; return what it printed if it ends with `code`."""
    with launched("tests.survey.cli.program") as order:

        def ran(*words: str, folder: Path, environment: dict[str, str], code: int = 0) -> str:
            words_given = [str(word) for word in words]
            ended, said = order(words=words_given, folder=str(folder), environment=environment)
            assert ended == code, said
            assert "Traceback" not in said
            return str(said)

        yield ran
