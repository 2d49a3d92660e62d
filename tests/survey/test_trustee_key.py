"""A trustee's key: one file to keep, locked, and one to hand over."""

import json

import pytest

from survey import sealing, trustee_key
from survey.trustee_key import KeyFileInvalid, PassphraseShort, PassphraseWrong

PHRASE = "correct horse battery staple"
PAIR = sealing.new_key_pair()
KEPT = trustee_key.private_file(PAIR, PHRASE)


def test_the_kept_file_opens_with_its_passphrase_only():
    assert trustee_key.read_private(KEPT, PHRASE) == PAIR.private
    with pytest.raises(PassphraseWrong):
        trustee_key.read_private(KEPT, PHRASE + " ")


def test_the_same_passphrase_locks_differently_each_time():
    assert json.loads(KEPT)["salt"] != json.loads(trustee_key.private_file(PAIR, PHRASE))["salt"]


def test_a_passphrase_that_could_be_guessed_is_refused():
    with pytest.raises(PassphraseShort, match="at least 12 characters"):
        trustee_key.private_file(PAIR, "elevenchars")


def test_what_is_handed_over_is_read_again():
    assert trustee_key.read_public(trustee_key.public_file(PAIR.public)) == PAIR.public


# Named by number, since the keys in them differ from run to run.
@pytest.mark.parametrize(
    "content",
    [
        "",
        "nonsense",
        KEPT,
        "preview360-trustee AAAA",
        "preview360-trustee ä",
        trustee_key.public_file(PAIR.public)[:-8],
        trustee_key.public_file(b"\xff" * 1216),
        trustee_key.public_file(bytes(32) + PAIR.public[32:]),
        trustee_key.public_file(PAIR.public).removeprefix("preview360-trustee "),
    ],
    ids=lambda _: "file",
)
def test_what_is_no_public_half_is_refused(content):
    with pytest.raises(KeyFileInvalid):
        trustee_key.read_public(content)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        '{"kind": "preview360 trustee key", "salt": "AAAA", "locked": "AAAA"}',
        '{"kind": "preview360 trustee key", "salt": 5, "locked": "AAAA"}',
        KEPT.replace("trustee key", "ballot key"),
        json.dumps({**json.loads(KEPT), "locked": ""}),
        "[" * 100_000,
        trustee_key.public_file(PAIR.public),
    ],
    ids=lambda _: "file",
)
def test_what_is_no_kept_key_is_refused(content):
    with pytest.raises(KeyFileInvalid):
        trustee_key.read_private(content, PHRASE)


def test_people_compare_keys_by_twenty_letters():
    """SHA-256 of nothing begins with e3b0c442 98fc1c14 9afb (FIPS 180-4)."""
    assert trustee_key.fingerprint(b"") == "e3b0 c442 98fc 1c14 9afb"
