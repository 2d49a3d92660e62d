"""Drives a server as browsers would, from a process of its own; orders and answers are JSON lines.

Each order names a `do` and what it needs; the answer holds the times of each kind of request in
milliseconds, what went wrong, and how long all of it took in seconds.
"""

from __future__ import annotations

import http.client
import json
import queue
import re
import sys
import threading
import time
import zlib
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode, urlsplit

from survey.demo.browser import Form, form_to

ITEM = re.compile(r"[A-Z]{2}\d{2}")
FIELD = re.compile(r"[A-Z]{2}\d-\d")
COMMENT = "Hand over whole results, and ask on Thursday."
# The browser keeps these for all pages.
ONCE = ("/static/site.css", "/static/icon.svg", "/static/autosave.js")


def answer(link: str, item: str) -> int:
    """Return what the rater with a link answers to an item: always the same, from 1 to 5."""
    return 1 + zlib.crc32(f"{link} {item}".encode()) % 5


class Refused(Exception):
    """An answer that is none of those expected."""


class Told:
    """What all threads of one order have seen."""

    def __init__(self) -> None:
        self.times: dict[str, list[float]] = defaultdict(list)
        self.errors: list[str] = []


class Browser:
    """One browser that keeps its line and its cookies."""

    def __init__(self, url: str, told: Told, cookie: str = "") -> None:
        self.host, self.told, self.cookie = urlsplit(url).netloc, told, cookie
        self.line = http.client.HTTPConnection(self.host, timeout=60)

    def ask(self, kind: str, path: str, values: Mapping[str, str] | None = None) -> str:
        """Send one request and return the page, or where it leads to. Raises Refused."""
        body = None if values is None else urlencode(values)
        headers = {"Cookie": self.cookie, "Accept-Encoding": "gzip"}
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        began = time.perf_counter()
        self.line.request("GET" if body is None else "POST", path, body, headers)
        got = self.line.getresponse()
        content = got.read()
        self.told.times[kind].append((time.perf_counter() - began) * 1000)
        if cookie := got.headers["Set-Cookie"]:
            self.cookie = cookie.partition(";")[0]
        if got.status >= 400:
            raise Refused(f"{kind}: {got.status}")
        return got.headers["Location"] or content.decode(errors="replace")

    def close(self) -> None:
        """Hang up."""
        self.line.close()


def journey(browser: Browser, link: str) -> None:
    """Answer everything as a rater with a script in the page: each answer is saved by itself."""
    page = browser.ask("welcome", link)
    for path in ONCE:
        browser.ask("static", path)
    path = browser.ask("start", f"{link}/start", form_to(page, "/start").fields)
    while "/part/" in path:
        form = form_to(browser.ask("part", path), "")
        _keep_each(browser, path, link, form)
        path = browser.ask("save", path, form.fields | _answers(link, form))
    page = browser.ask("check", path)
    path = browser.ask("send", path, form_to(page, "").fields)
    browser.ask("thanks", path)


def _answers(link: str, form: Form) -> dict[str, str]:
    chosen = {name: str(answer(link, name)) for name in form.asks if ITEM.fullmatch(name)}
    if "shown" in form.asks:
        chosen["shown"] = "together"
    if "OP1-1" in form.asks:
        chosen["OP1-1"] = COMMENT
    return chosen


def _keep_each(browser: Browser, path: str, link: str, form: Form) -> None:
    csrf = form.fields["csrf_token"]
    for name, value in _answers(link, form).items():
        sent = {name: value, "filled": name, "csrf_token": csrf}
        browser.ask("keep", f"{path}/draft", sent)


def _at_once(jobs: Sequence[Callable[[], None]], number: int, told: Told) -> float:
    """Do all jobs, so many at a time; return the seconds from the first to the last."""
    waiting: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
    for job in jobs:
        waiting.put(job)

    def work() -> None:
        while True:
            try:
                job = waiting.get_nowait()
            except queue.Empty:
                return
            try:
                job()
            except (Refused, OSError, http.client.HTTPException, StopIteration) as error:
                told.errors.append(f"{type(error).__name__} {error}")

    threads = [threading.Thread(target=work) for _ in range(number)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.perf_counter() - began


def journeys(url: str, links: list[str], at_once: int) -> dict[str, Any]:
    """Let the raters with these links answer, so many at a time."""
    told = Told()

    def one(link: str) -> Callable[[], None]:
        def go() -> None:
            browser = Browser(url, told)
            try:
                journey(browser, link)
            finally:
                browser.close()

        return go

    seconds = _at_once([one(link) for link in links], at_once, told)
    return {"seconds": seconds, "times": told.times, "errors": told.errors}


def saves(url: str, links: list[str], each: int, instead: str = "") -> dict[str, Any]:
    """Let raters, all at once, save their first page of items again and again.

    `instead` is where the same requests go that would go to a part of the form.
    """
    told, unheard, ready = Told(), Told(), []
    for link in links:
        browser = Browser(url, unheard)
        begin = form_to(browser.ask("welcome", link), "/start")
        path = browser.ask("start", f"{link}/start", begin.fields)
        form = form_to(browser.ask("part", path), "")
        browser.told = told
        ready.append((browser, instead or path, form.fields | _answers(link, form)))

    def save(browser: Browser, path: str, values: Mapping[str, str]) -> Callable[[], None]:
        def go() -> None:
            for _ in range(each):
                browser.ask("save", path, values)
            browser.close()

        return go

    seconds = _at_once([save(*each) for each in ready], len(ready), told)
    return {"seconds": seconds, "times": told.times, "errors": told.errors}


def visits(pages: list[list[str]], times: int) -> dict[str, Any]:
    """Open pages in turns, one after the other: each a name, a server, a cookie and a path."""
    told = Told()
    browsers = [(name, Browser(url, told, cookie), path) for name, url, cookie, path in pages]

    def go() -> None:
        for _ in range(times):
            for name, browser, path in browsers:
                browser.ask(name, path)

    seconds = _at_once([go], 1, told)
    for _, browser, _ in browsers:
        browser.close()
    return {"seconds": seconds, "times": told.times, "errors": told.errors}


def main() -> None:
    """Carry out one order a line."""
    known: dict[str, Callable[..., dict[str, Any]]] = {
        "journeys": journeys,
        "saves": saves,
        "visits": visits,
    }
    for line in sys.stdin:
        order = json.loads(line)
        sys.stdout.write(json.dumps(known[order.pop("do")](**order)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
