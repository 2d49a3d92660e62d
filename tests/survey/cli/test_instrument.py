"""The technical page from the command line."""

from datetime import date

import pytest
from click.testing import CliRunner

from reports.release import OTHERS, Figure, sha256
from survey.cli.instrument import instrument
from survey.models import Release
from tests import factories
from tests.reports.conftest import answered, release

# Fixtures of the reports' tests.
__all__ = ["answered", "release"]


@pytest.fixture
def command(app, monkeypatch):
    """Run the command in this app, on its database."""
    monkeypatch.setattr("survey.cli.application.create_app", lambda: app)
    return lambda *words: CliRunner().invoke(instrument, words)


def released(session, release, leader, facets, day=1):
    round_ = factories.prepared(session, leader=leader, roster={})
    figures = tuple(
        Figure(scope="facet", key=key, of=OTHERS, n=5, mean=mean) for key, mean in facets.items()
    )
    document = release.model_copy(update={"figures": figures}).to_json()
    session.add(
        Release(
            round_id=round_.id,
            released_on=date(2026, 11, day),
            document=document,
            sha256=sha256(document),
        )
    )


def test_the_page_counts_the_latest_release_of_each_leader(session, release, command):
    for number in range(32):
        leader = factories.person(session, f"L{number}", "leader")
        released(session, release, leader, {"MM1": 1.0, "MM2": 1.0, "MM3": 1.0})
        # Two facets that go together and a third that goes its own way, with variances v each:
        # the sum's is 5 v. Alpha is 3/2 · (1 − 3/5); omega, with loadings 1, 1 and 0, is 4/5.
        both, alone = 2.0 + number % 2, 2.0 + number // 2 % 2
        released(session, release, leader, {"MM1": both, "MM2": both, "MM3": alone}, day=2)
    session.commit()
    session.close()

    result = command()

    assert result.exit_code == 0
    assert "technical_leader, over 32 leaders" in result.output
    lines = [line.split() for line in result.output.splitlines()]
    assert ["MM", "facets", "0.60", "0.80", "32"] in lines
    assert ["MM01", "–", "–", "–", "0"] in lines
    assert "0  0 leaders have every part; 30 are needed" in result.output


def test_below_thirty_leaders_one_sentence_says_how_many_there_are(session, release, command):
    released(session, release, factories.person(session, "Robin", "leader"), {"MM1": 3.0})
    session.commit()
    session.close()

    result = command("technical_leader")

    assert result.exit_code == 1
    assert result.output == (
        "Error: 1 leaders have a release of technical_leader; the technical page begins at 30.\n"
    )
