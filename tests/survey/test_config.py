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
        ("base_url", "https://example.org?x=1", "without a path"),
        ("base_url", "https://ada@example.org", "and a host"),
        ("mail_url", "smtp:mail.example.org", "should name a host"),
        ("mail_url", "file:", "should name a folder"),
        ("mail_url", "smtp://ada:sec/ret@example.org", "its port is no number; write /"),
        ("mail_url", "smtp://ada:gehe%C3%AFm@example.org", "only in ASCII"),
        ("mail_from", "nobody", "should hold one address"),
        ("mail_from", "a@example.org, b@example.org", "should hold one address"),
        ("mail_from", "X <a b@example.org>", "should hold one address"),
        ("language", "tlh", "is no language of the pages"),
        ("time_zone", "Middle Earth", "is no time zone"),
        ("database_url", "not a url", "SQLAlchemy URL"),
        ("queue_url", "amqp://localhost", "should begin with sqlite:///, postgresql:// or redis"),
        ("queue_url", "sqlite://", "should begin with sqlite:///"),
        ("queue_url", "queue.db", "should begin with sqlite:///"),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused(setting, value, said):
    assert said in refused(**{setting: value})


def test_settings_come_from_the_environment(monkeypatch):
    monkeypatch.setenv("PREVIEW360_K", "5")
    monkeypatch.setenv("PREVIEW360_ORGANISATION", "Example Works")

    assert (Settings().k, Settings().organisation) == (5, "Example Works")


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("base_url", "https://[2001:db8::1]:8443"),
        ("base_url", "http://feedback.intranet/"),
        ("mail_url", "smtp://ada:p%40ss%2Fword@mail.example.org:587"),
        ("mail_url", "smtps://[::1]"),
        ("mail_url", "file:mails"),
        ("mail_from", "feedback@example.org"),
        ("mail_from", "Büro <feedback@example.org>"),
        ("database_url", "sqlite:///:memory:"),
        ("time_zone", "America/Argentina/Buenos_Aires"),
    ],
)
def test_what_makes_sense_is_taken(setting, value):
    assert str(getattr(Settings(**{setting: value}), setting)) == value.rstrip("/")


def test_a_secure_address_is_known_however_it_is_written():
    assert Settings(base_url="HTTPS://feedback.example.org").is_secure()


def test_a_sender_is_one_address_also_as_it_is_written_into_a_mail():
    """The library loses quotation marks where it folds a long name; this one would be two."""
    name = "Example Works, the people's office of the whole company, Eve <eve@example.net>"
    long = name.replace(" <eve@example.net>", ", in all of its many buildings")

    with pytest.raises(ValidationError, match=r"one address|shorter"):
        Settings(mail_from=f'"{name}" <feedback@example.org>')
    with pytest.raises(ValidationError, match=r"one address|shorter"):
        Settings(mail_from=f'"{long}" <feedback@example.org>')
    assert Settings(mail_from='"Works, Example" <feedback@example.org>')


def test_records_outlast_the_pulses_that_need_them():
    assert "at least 180" in refused(keep_records=179)
    assert Settings(keep_records=0).keep_records == 0


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"webhook_url": "http://portal.example.org"}, "https"),
        ({"webhook_url": "portal.example.org"}, "https"),
        ({"webhook_secret": ""}, "WEBHOOK_SECRET"),
        ({"webhook_secret": "whsec_c2hvcnQ="}, "24 to 64 bytes"),
        ({"webhook_secret": "whsec_!"}, "24 to 64 bytes"),
        ({"webhook_secret": "A" * 44}, "24 to 64 bytes"),
    ],
)
def test_webhooks_that_others_could_read_or_make_are_refused(wrong, sentence):
    usual = {"webhook_url": "https://portal.example.org", "webhook_secret": f"whsec_{'A' * 44}"}

    assert Settings(**usual).webhook_url == usual["webhook_url"]
    assert sentence in refused(**usual | wrong)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"oidc_client": ""}, "OIDC_CLIENT"),
        ({"oidc_issuer": "http://login.example.org"}, "https"),
        ({"oidc_issuer": "login.example.org"}, "https"),
        ({"oidc_issuer": "", "oidc_client": "", "mailed_codes": False}, "nobody could sign in"),
    ],
)
def test_settings_with_which_nobody_could_sign_in_are_refused(wrong, sentence):
    usual = {"oidc_issuer": "https://login.example.org", "oidc_client": "preview360"}

    assert Settings(**usual).oidc_issuer == usual["oidc_issuer"]
    assert sentence in refused(**usual | wrong)
