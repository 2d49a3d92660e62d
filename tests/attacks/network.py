"""Attacks by whoever sees traffic, addresses, cookies, caches, logs or mails."""

from __future__ import annotations

import base64
import logging
import zlib

from tests.attacks.target import Target, cookies, fetch, without_csrf

WORDS = "Unmistakable words"


class Log(logging.Handler):
    """Everything that anybody logs while it is open, at any level."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.setFormatter(logging.Formatter("%(message)s"))
        self.text = ""

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record, its traceback included."""
        self.text += self.format(record) + "\n"

    def __enter__(self) -> Log:
        root = logging.getLogger()
        self.before = root.level
        root.addHandler(self)
        root.setLevel(logging.DEBUG)
        return self

    def __exit__(self, *_: object) -> None:
        logging.getLogger().removeHandler(self)
        logging.getLogger().setLevel(self.before)


def link_in_the_access_log(target: Target) -> list[str]:
    """A server that logs addresses logs the keys to all answers, with times."""
    with Log() as log, target.serving() as url:
        fetch(url + target.link)
    return [target.token] if target.token in log.text else []


def words_in_the_log_of_a_failure(target: Target) -> list[str]:
    """Something breaks while a page is saved; what stands in the log then?"""
    with Log() as log:
        target.type(target.client(), WORDS, target.break_down)
    assert "failed" in log.text or "ballot" in log.text, "nothing was logged at all"
    return [secret for secret in (WORDS, target.token) if secret in log.text]


def words_in_addresses(target: Target) -> list[str]:
    """Addresses stand in the logs of every proxy on the way."""
    target.type(target.client(), WORDS)
    return [address for address in target.addresses if "Unmistakable" in address]


def words_in_cookies(target: Target) -> list[str]:
    """A cookie stays in the browser of a shared computer, and Flask's can be read."""
    client = target.client()
    target.type(client, WORDS)
    held = b"".join(_decoded(cookie.value) for cookie in cookies(client))
    return [secret for secret in (WORDS, target.token) if secret.encode() in held]


def words_in_the_browsers_cache(target: Target) -> list[str]:
    """What may be cached is read later, with the button Back or from the disk."""
    client = target.client()
    target.type(client, WORDS)
    answer = client.get(target.link)
    return [] if "no-store" in answer.headers.get("Cache-Control", "") else [answer.text]


def page_in_a_frame(target: Target) -> list[str]:
    """A page in a transparent frame gets clicks that were meant for another."""
    headers = target.client().get(target.link).headers
    policy = headers.get("Content-Security-Policy", "")
    guarded = "frame-ancestors 'none'" in policy and headers.get("X-Frame-Options") == "DENY"
    return [] if guarded else [policy]


def poisoned_host_in_mails(target: Target) -> list[str]:
    """A request with a foreign Host makes the server mail links that lead there."""
    target.ask_for_code("robin@example.org", host="evil.example.net")
    return [str(mail) for mail in target.mails() if "evil.example.net" in str(mail)]


def known_addresses(target: Target) -> list[str]:
    """The page after asking for a code tells who has an account."""
    told = [target.ask_for_code(f"{name}@example.org") for name in ("robin", "nobody")]
    pages = {(answer.status_code, without_csrf(answer.text)) for answer in told}
    return [] if len(pages) == 1 else ["robin@example.org"]


def figures_around_an_answer(target: Target) -> list[str]:
    """Whoever watches the server sees figures that move when somebody answers."""
    client = target.client()
    before = target.figures()
    assert "# HELP" in before
    moved = []
    for act in (
        lambda: client.get(target.link),
        lambda: target.type(client, WORDS),
        lambda: target.finish(client),
        lambda: target.send(client),
    ):
        act()
        moved += sorted(set(target.figures().splitlines()) - set(before.splitlines()))
    return moved


ATTACKS = (
    figures_around_an_answer,
    link_in_the_access_log,
    words_in_the_log_of_a_failure,
    words_in_addresses,
    words_in_cookies,
    words_in_the_browsers_cache,
    page_in_a_frame,
    poisoned_host_in_mails,
    known_addresses,
)


def _decoded(value: str) -> bytes:
    """Return what Flask put into a cookie; its signature hides nothing."""
    content = value.lstrip(".").partition(".")[0]
    decoded = base64.urlsafe_b64decode(content + "=" * (-len(content) % 4))
    return zlib.decompress(decoded) if value.startswith(".") else decoded
