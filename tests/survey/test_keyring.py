"""Secrets are files for their owner only, and gone when they are destroyed."""

import stat
from pathlib import Path
from uuid import uuid4

import pytest

from survey.keyring import Keyring, KeyringUnusable

ROUND = uuid4()


@pytest.fixture
def keyring(tmp_path):
    return Keyring(tmp_path / "keyring")


def test_secrets_are_readable_by_their_owner_only(keyring):
    keyring.make_round(ROUND)
    keyring.secret()
    keyring.mail_pair()

    for path in [keyring.path, *keyring.path.rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_a_secret_that_others_can_read_is_refused(keyring):
    keyring.make_round(ROUND)
    (keyring.path / "rounds" / str(ROUND) / "ballot").chmod(0o640)

    with pytest.raises(KeyringUnusable, match="chmod 600"):
        keyring.ballot_key(ROUND)


def test_a_missing_secret_is_named(keyring):
    with pytest.raises(KeyringUnusable, match="pepper: No such file"):
        keyring.pepper(ROUND)


def test_a_keyring_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").touch()

    with pytest.raises(KeyringUnusable, match=r"file/rounds/.*: File exists"):
        Keyring(tmp_path / "file").make_round(ROUND)


def test_what_was_made_is_what_is_read(keyring):
    keys = keyring.make_round(ROUND)

    assert keyring.pepper(ROUND) == keys.pepper
    assert keyring.ballot_key(ROUND) == keys.ballot.private
    assert keyring.mail_key(ROUND) == keys.mail.private


def test_the_installations_secrets_are_made_once(keyring):
    assert keyring.secret() == Keyring(keyring.path).secret()
    assert keyring.mail_pair() == Keyring(keyring.path).mail_pair()


def test_destroyed_secrets_are_overwritten_and_gone(keyring):
    keys = keyring.make_round(ROUND)
    other = uuid4()
    keyring.make_round(other)
    pepper = keyring.path / "rounds" / str(ROUND) / "pepper"
    kept = keyring.path / "a-link-to-the-same-bytes"
    kept.hardlink_to(pepper)

    keyring.destroy_round(ROUND)

    assert not pepper.exists()
    assert kept.read_bytes() != keys.pepper
    assert keyring.pepper(other)


def test_a_round_is_listed_until_it_is_forgotten(keyring):
    """What the keys opened may still have to be cleaned up."""
    keyring.make_round(ROUND)
    keyring.destroy_round(ROUND)
    assert keyring.rounds() == [ROUND]

    keyring.forget_round(ROUND)
    assert keyring.rounds() == []
    # Another worker may have been faster.
    keyring.destroy_round(ROUND)
    keyring.forget_round(ROUND)


def test_a_round_with_secrets_cannot_be_forgotten(keyring):
    keyring.make_round(ROUND)

    with pytest.raises(KeyringUnusable, match="not empty"):
        keyring.forget_round(ROUND)


def test_what_is_no_round_is_left_alone(keyring):
    keyring.make_round(ROUND)
    (keyring.path / "rounds" / ".DS_Store").touch()
    (keyring.path / "rounds" / "lost+found").mkdir()

    assert keyring.rounds() == [ROUND]


def test_a_keyring_named_from_here_is_its_owners_only(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Keyring(Path("here") / "keyring").make_round(ROUND)

    made = sorted(path for path in (tmp_path / "here").rglob("*") if path.is_dir())
    assert [path.relative_to(tmp_path / "here").parts[0] for path in made] == ["keyring"] * 3
    assert {stat.S_IMODE(path.stat().st_mode) for path in made} == {0o700}


def test_destroying_twice_does_no_harm(keyring):
    keyring.make_round(ROUND)
    keyring.destroy_round(ROUND)
    keyring.destroy_round(ROUND)

    assert list((keyring.path / "rounds" / str(ROUND)).iterdir()) == []


def test_a_destruction_that_was_interrupted_is_finished(keyring):
    keyring.make_round(ROUND)
    (keyring.path / "rounds" / str(ROUND) / "ballot").unlink()

    keyring.destroy_round(ROUND)

    assert list((keyring.path / "rounds" / str(ROUND)).iterdir()) == []
