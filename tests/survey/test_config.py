"""Settings that would harm are refused with their name and a cure."""

import pytest
from pydantic import ValidationError

from survey.config import Settings


def refused(**settings) -> str:
    with pytest.raises(ValidationError) as error:
        Settings(**settings)
    return str(error.value)


def test_a_keyring_beside_the_database_is_refused(tmp_path):
    said = refused(
        database_url=f"sqlite:///{tmp_path}/data/x.db", keyring=tmp_path / "data" / "keyring"
    )

    assert "lies in the folder of the database" in said


def test_a_keyring_that_only_seems_to_be_elsewhere_is_refused(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "data")

    assert "lies in the folder" in refused(
        database_url=f"sqlite:///{tmp_path}/data/x.db", keyring=tmp_path / "link" / "keyring"
    )


@pytest.mark.parametrize(
    ("setting", "value", "said"),
    [
        ("k", 2, "greater than or equal to 3"),
        ("base_url", "example.org", "http:// or https://"),
        ("base_url", "https://example.org/feedback", "without a path"),
        ("mail_url", "pop3://example.org", "smtp://"),
        ("language", "tlh", "is no language of the pages"),
        ("time_zone", "Middle Earth", "is no time zone"),
        ("database_url", "not a url", "SQLAlchemy URL"),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused(setting, value, said):
    assert said in refused(**{setting: value})


def test_settings_come_from_the_environment(monkeypatch):
    monkeypatch.setenv("PREVIEW360_K", "5")
    monkeypatch.setenv("PREVIEW360_ORGANISATION", "Example Works")

    assert (Settings().k, Settings().organisation) == (5, "Example Works")
