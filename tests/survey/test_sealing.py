"""Nothing sealed is read without its key, and nothing about it tells what it is."""

import hashlib
from uuid import UUID, uuid4

import pytest

from survey import sealing
from survey.sealing import SealBroken

ROUND = uuid4()


def test_only_the_private_half_opens_a_seal():
    pair, other = sealing.new_key_pair(), sealing.new_key_pair()
    sealed = sealing.seal(pair.public, b"frank words", "ballot")

    assert sealing.unseal(pair.private, sealed, "ballot") == b"frank words"
    with pytest.raises(SealBroken):
        sealing.unseal(other.private, sealed, "ballot")


def test_a_seal_opens_only_for_its_purpose():
    pair = sealing.new_key_pair()
    sealed = sealing.seal(pair.public, b"x", "ballot of one round")

    with pytest.raises(SealBroken):
        sealing.unseal(pair.private, sealed, "ballot of another round")


@pytest.mark.parametrize(
    "spoil",
    [lambda s: s[:-1], lambda s: s[:50], lambda s: s[:0], lambda s: s[:-1] + bytes([s[-1] ^ 1])],
)
def test_changed_bytes_are_noticed(spoil):
    pair = sealing.new_key_pair()

    with pytest.raises(SealBroken):
        sealing.unseal(pair.private, spoil(sealing.seal(pair.public, b"x", "ballot")), "ballot")


def test_the_length_of_a_ballot_tells_nothing():
    pair = sealing.new_key_pair()
    short, long = b"No.", b"A long comment that only one person would write. " * 20

    # Without padding, whoever holds the database sees who wrote much.
    unpadded = [len(sealing.seal(pair.public, text, "ballot")) for text in (short, long)]
    assert unpadded[0] != unpadded[1]

    padded = [
        len(sealing.seal(pair.public, sealing.padded(t, 2048), "ballot")) for t in (short, long)
    ]
    assert padded[0] == padded[1]


def test_padding_gives_back_what_was_padded():
    assert sealing.unpadded(sealing.padded(b"words\0", 64)) == b"words\0"
    assert sealing.unpadded(sealing.padded(b"", 64)) == b""


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="do not fit"):
        sealing.padded(b"x" * 61, 64)


def test_a_draft_opens_with_its_key_and_ballot_only():
    key, handle = sealing.new_pepper(), b"h" * 32
    locked = sealing.lock(key, b"half a sentence", 256, handle)

    assert sealing.unlock(key, locked, handle) == b"half a sentence"
    assert sealing.unlock(sealing.new_pepper(), locked, handle) is None
    assert sealing.unlock(key, locked, b"x" * 32) is None


def test_a_draft_and_noise_have_one_length():
    locked = sealing.lock(sealing.new_pepper(), b"half a sentence", 256, b"handle")

    assert len(locked) == len(sealing.noise(256))
    assert sealing.unlock(sealing.new_pepper(), sealing.noise(256), b"handle") is None


def test_a_links_values_cannot_be_had_from_one_another():
    token, pepper = sealing.new_token(), sealing.new_pepper()
    values = sealing.from_token(token, pepper)

    assert len({values.lookup, values.handle, values.draft_key}) == 3
    assert sealing.from_token(token, sealing.new_pepper()).lookup != values.lookup
    assert sealing.from_token(token, pepper) == values


def test_a_link_holds_192_random_bits():
    links = {sealing.link_path(ROUND, sealing.new_token()) for _ in range(100)}

    assert len(links) == 100
    assert len(sealing.new_token()) * 8 == 192


def test_a_link_comes_back_from_its_path():
    token = sealing.new_token()

    assert sealing.read_link(sealing.link_path(ROUND, token)) == (ROUND, token)


@pytest.mark.parametrize(
    "path", ["", "x", "ä" * 54, "=" * 54, "A" * 53, "A" * 55, "../../etc/passwd", "A" * 53 + "\n"]
)
def test_what_is_no_link_is_no_link(path):
    assert sealing.read_link(path) is None


def test_one_link_has_one_way_to_be_written():
    """Base64 leaves two bits over in the last letter; another last letter is another link."""
    path = sealing.link_path(ROUND, b"\0" * sealing.TOKEN_BYTES)

    assert sealing.read_link(path[:-1] + "B") is None


def test_links_of_old_mails_keep_opening():
    """What a token gives is fixed: BLAKE2b (RFC 7693) keyed with the pepper, a purpose each."""
    token, pepper = bytes(range(24)), bytes(range(32))
    values = sealing.from_token(token, pepper)

    for value, purpose in (
        (values.lookup, b"lookup"),
        (values.handle, b"handle"),
        (values.draft_key, b"draft"),
    ):
        known = hashlib.blake2b(token, key=pepper, person=purpose, digest_size=32)
        assert value == known.digest()


def test_what_is_filled_up_begins_with_its_length():
    assert sealing.padded(b"ab", 8) == b"\0\0\0\2ab\0\0"
    assert sealing.padded(b"abcd", 8) == b"\0\0\0\4abcd"
    assert sealing.unpadded(b"\0\0\0\2ab\0\0") == b"ab"
    with pytest.raises(ValueError, match="5 bytes do not fit into 4"):
        sealing.padded(b"abcde", 8)


def test_a_link_is_40_bytes_in_letters_that_no_mail_program_breaks():
    link = sealing.link_path(UUID(int=1), b"\xff" * 24)

    # 15 bytes of zeros are 20 letters A; 01 ff ff is A f _ _; 22 bytes ff are 29 of _, and w.
    assert link == "A" * 21 + "f" + "_" * 31 + "w"


def test_a_code_tells_who_wrote_something_and_for_what():
    shared = sealing.new_pepper()
    code = sealing.mac(shared, b"content", "ballot")

    assert sealing.fits_mac(code, shared, b"content", "ballot")
    assert not sealing.fits_mac(code, shared, b"content", "ballot key")
    assert not sealing.fits_mac(code, shared, b"contents", "ballot")
    assert not sealing.fits_mac(code, sealing.new_pepper(), b"content", "ballot")
    assert not sealing.fits_mac(code[:-1], shared, b"content", "ballot")


def test_where_a_purpose_ends_and_content_begins_cannot_be_moved():
    shared = sealing.new_pepper()

    assert sealing.mac(shared, b"key 1", "ballot") != sealing.mac(shared, b" 1", "ballot key")


def test_codes_of_old_ballots_keep_fitting():
    """BLAKE2b (RFC 7693), keyed, with a purpose."""
    shared = bytes(range(32))
    mac = hashlib.blake2b(b"ballot\0words", key=shared, person=b"mac", digest_size=32)

    assert sealing.mac(shared, b"words", "ballot") == mac.digest()


def test_a_signature_fits_its_key_content_and_purpose_only():
    private = sealing.new_signing_key()
    public = sealing.verifying_half(private)
    signature = sealing.sign(private, b"key", "ballot key")

    assert sealing.is_signed(public, signature, b"key", "ballot key")
    assert not sealing.is_signed(public, signature, b"keys", "ballot key")
    assert not sealing.is_signed(public, signature, b"key", "trustee")
    assert not sealing.is_signed(public, signature[:-1], b"key", "ballot key")
    other = sealing.verifying_half(sealing.new_signing_key())
    assert not sealing.is_signed(other, signature, b"key", "ballot key")
    assert not sealing.is_signed(b"no key", signature, b"key", "ballot key")


def test_signatures_are_ed25519():
    """The first test vector of RFC 8032, 7.1, gives this public half."""
    private = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")

    assert sealing.verifying_half(private).hex() == (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    )
    assert len(sealing.sign(private, b"", "")) == 64


def test_every_token_and_number_is_another_one():
    assert len({sealing.new_token() for _ in range(100)}) == 100
    assert len({sealing.new_serial() for _ in range(100)}) == 100
    assert (len(sealing.new_token()), len(sealing.new_serial())) == (24, 16)


def test_a_public_half_is_found_again_from_the_private_one():
    pair = sealing.new_key_pair()

    assert sealing.public_of(pair.private) == pair.public
    assert (len(pair.public), len(pair.private)) == (sealing.PUBLIC_BYTES, sealing.PRIVATE_BYTES)
