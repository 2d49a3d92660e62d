"""Secrets are files for their owner only, and gone when they are destroyed."""

import shutil
import stat
from pathlib import Path
from uuid import uuid4

import pytest

from survey import sealing
from survey.keyring import Keyring, KeyringUnusable, OtherSide, RoundKeys, Side

ROUND = uuid4()
KEY = uuid4()


def keys(trustee: bytes | None = None) -> RoundKeys:
    pair = sealing.new_key_pair()
    return RoundKeys(sealing.new_pepper(), pair, sealing.new_key_pair().public, trustee)


@pytest.fixture
def keyring(tmp_path):
    return Keyring(tmp_path / "keyring")


def test_secrets_are_readable_by_their_owner_only(keyring):
    keyring.keep_round(ROUND, keys())
    keyring.make_ballot_key(KEY)
    keyring.secret()
    keyring.shared()
    keyring.mail_pair()

    for path in [keyring.path, *keyring.path.rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_a_secret_that_others_can_read_is_refused(keyring):
    keyring.keep_round(ROUND, keys())
    (keyring.path / "rounds" / str(ROUND) / "keys").chmod(0o640)

    with pytest.raises(KeyringUnusable, match="chmod 600"):
        keyring.round_keys(ROUND)


def test_a_missing_secret_is_named(keyring):
    with pytest.raises(KeyringUnusable, match="keys: No such file"):
        keyring.round_keys(ROUND)
    with pytest.raises(KeyringUnusable, match=f"{KEY}: No such file"):
        keyring.ballot_key(KEY)


def test_a_file_that_was_cut_short_is_named(keyring):
    keyring.keep_round(ROUND, keys())
    file = keyring.path / "rounds" / str(ROUND) / "keys"
    file.write_bytes(file.read_bytes()[:-1])

    with pytest.raises(KeyringUnusable, match="keys: not the keys of a round"):
        keyring.round_keys(ROUND)


def test_a_keyring_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").touch()

    with pytest.raises(KeyringUnusable, match=r"file/rounds/.*: File exists"):
        Keyring(tmp_path / "file").keep_round(ROUND, keys())


@pytest.mark.parametrize("trustee", [None, sealing.new_key_pair().public], ids=["no", "yes"])
def test_what_was_kept_is_what_is_read(keyring, trustee):
    kept = keys(trustee)
    keyring.keep_round(ROUND, kept)
    public = keyring.make_ballot_key(KEY)

    assert keyring.round_keys(ROUND) == kept
    assert sealing.public_of(keyring.ballot_key(KEY)) == public
    assert keyring.ballot_keys() == [KEY]


def test_keys_are_not_told_by_how_they_are_shown():
    shown = keys(b"trustee" * 8)
    for secret in (shown.pepper, shown.mail.private, shown.ballot):
        assert repr(secret)[2:20] not in repr(shown)


def test_each_side_refuses_what_is_the_others(keyring):
    web, closing = (Keyring(keyring.path / side, side) for side in (Side.WEB, Side.CLOSING))

    for asked in (
        lambda: web.make_ballot_key(KEY),
        lambda: web.ballot_key(KEY),
        web.must_close,
        closing.secret,
        closing.mail_pair,
        lambda: closing.keep_round(ROUND, keys()),
        lambda: closing.round_keys(ROUND),
    ):
        with pytest.raises(OtherSide, match="done on the other one"):
            asked()
    assert not list(keyring.path.rglob("*"))


def test_the_web_side_does_not_make_up_what_both_must_share(keyring):
    web, closing = (Keyring(keyring.path / side, side) for side in (Side.WEB, Side.CLOSING))
    shared = closing.shared()
    signature = closing.sign(b"key", "ballot key")

    with pytest.raises(KeyringUnusable, match="shared: No such file"):
        web.shared()
    web.secret()
    shutil.copy(closing.path / "shared", web.path / "shared")
    assert web.shared() == shared
    assert web.has_signed(signature, b"key", "ballot key")
    assert not web.has_signed(signature, b"another", "ballot key")
    with pytest.raises(OtherSide):
        web.sign(b"key", "ballot key")


def test_what_is_shared_is_not_made_anew_while_it_is_needed(keyring):
    """With another one every ballot of the open rounds would be refused."""
    keyring.shared()
    keyring.make_ballot_key(KEY)
    (keyring.path / "shared").unlink()

    with pytest.raises(KeyringUnusable, match="shared is gone"):
        keyring.shared()


@pytest.mark.parametrize("content", [b"", b"x" * 63, b"x" * 100])
def test_a_secret_of_another_length_is_refused(keyring, content):
    keyring.shared()
    (keyring.path / "shared").write_bytes(content)

    with pytest.raises(KeyringUnusable, match=f"has {len(content)} bytes instead of 64"):
        keyring.shared()


def test_the_installations_secrets_are_made_once(keyring):
    assert keyring.secret() == Keyring(keyring.path).secret()
    assert keyring.mail_pair() == Keyring(keyring.path).mail_pair()


def test_destroyed_secrets_are_overwritten_and_gone(keyring):
    other, other_key = uuid4(), uuid4()
    keyring.keep_round(ROUND, keys())
    keyring.keep_round(other, keys())
    keyring.make_ballot_key(KEY)
    keyring.make_ballot_key(other_key)
    for file in (
        keyring.path / "rounds" / str(ROUND) / "keys",
        keyring.path / "ballots" / str(KEY),
    ):
        was = file.read_bytes()
        kept = keyring.path / f"a-link-to-{file.name}"
        kept.hardlink_to(file)

        keyring.destroy_round(ROUND)
        keyring.destroy_ballot_key(KEY)

        assert not file.exists()
        assert kept.read_bytes() != was
        assert len(kept.read_bytes()) == len(was)
        keyring.keep_round(ROUND, keys())
        keyring.make_ballot_key(KEY)
    assert keyring.round_keys(other)
    assert keyring.ballot_key(other_key)


def test_a_round_is_listed_until_it_is_forgotten(keyring):
    """What the keys opened may still have to be cleaned up."""
    keyring.keep_round(ROUND, keys())
    keyring.destroy_round(ROUND)
    assert keyring.rounds() == [ROUND]

    keyring.forget_round(ROUND)
    assert keyring.rounds() == []
    # Another worker may have been faster.
    keyring.destroy_round(ROUND)
    keyring.forget_round(ROUND)


def test_a_round_with_secrets_cannot_be_forgotten(keyring):
    keyring.keep_round(ROUND, keys())

    with pytest.raises(KeyringUnusable, match="not empty"):
        keyring.forget_round(ROUND)


def test_what_is_no_round_is_left_alone(keyring):
    keyring.keep_round(ROUND, keys())
    (keyring.path / "rounds" / ".DS_Store").touch()
    (keyring.path / "rounds" / "lost+found").mkdir()

    assert keyring.rounds() == [ROUND]


def test_a_keyring_named_from_here_is_its_owners_only(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Keyring(Path("here") / "keyring").keep_round(ROUND, keys())

    made = sorted(path for path in (tmp_path / "here").rglob("*") if path.is_dir())
    assert [path.relative_to(tmp_path / "here").parts[0] for path in made] == ["keyring"] * 3
    assert {stat.S_IMODE(path.stat().st_mode) for path in made} == {0o700}


def test_destroying_twice_does_no_harm(keyring):
    keyring.keep_round(ROUND, keys())
    keyring.make_ballot_key(KEY)
    keyring.destroy_round(ROUND)
    keyring.destroy_round(ROUND)
    keyring.destroy_ballot_key(KEY)
    keyring.destroy_ballot_key(KEY)

    assert keyring.ballot_keys() == []
    assert list((keyring.path / "rounds" / str(ROUND)).iterdir()) == []


def test_a_destruction_that_was_interrupted_is_finished(keyring):
    keyring.keep_round(ROUND, keys())
    (keyring.path / "rounds" / str(ROUND) / "keys").unlink()

    keyring.destroy_round(ROUND)

    assert list((keyring.path / "rounds" / str(ROUND)).iterdir()) == []
