"""A browser without a screen: it opens pages and sends the forms that stand in them."""

from __future__ import annotations

import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.cookiejar import CookieJar


class PageRefused(Exception):
    """The server answered with an error."""


@dataclass
class Form:
    """A form of a page: where it goes, what it asks for, and what it holds already."""

    action: str
    asks: set[str] = field(default_factory=set)
    fields: dict[str, str] = field(default_factory=dict)


class _Forms(HTMLParser):
    """Collects the forms of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.area: str | None = None
        self.choice: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(given.get("action", "")))
        elif self.forms and tag == "input":
            self._input(given)
        elif self.forms and tag == "textarea":
            self.area = given["name"]
            self.forms[-1].asks.add(self.area)
            self.forms[-1].fields[self.area] = ""
        elif self.forms and tag == "select":
            self.choice = given["name"]
            self.forms[-1].asks.add(self.choice)
        elif self.choice and tag == "option":
            # A browser chooses the first one where none is marked.
            first = self.choice not in self.forms[-1].fields
            if first or "selected" in given:
                self.forms[-1].fields[self.choice] = given.get("value", "")

    def _input(self, given: dict[str, str]) -> None:
        self.forms[-1].asks.add(given["name"])
        if given.get("type") not in ("radio", "checkbox") or "checked" in given:
            self.forms[-1].fields[given["name"]] = given.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self.area = None
        elif tag == "select":
            self.choice = None

    def handle_data(self, data: str) -> None:
        if self.area:
            self.forms[-1].fields[self.area] += data


def forms_in(page: str) -> list[Form]:
    """Return the forms of a page."""
    reader = _Forms()
    reader.feed(page)
    return reader.forms


def form_to(page: str, action: str) -> Form:
    """Return the form that goes to `action` (the end of its path; empty: to the page itself)."""
    return next(
        form
        for form in forms_in(page)
        if form.action == action or (action and form.action.partition("?")[0].endswith(action))
    )


class Browser:
    """One person's browser, with their cookies."""

    def __init__(
        self, *handlers: urllib.request.BaseHandler, home: str = "http://127.0.0.1:"
    ) -> None:
        self.home, self.cookies = home, CookieJar()
        cookies = urllib.request.HTTPCookieProcessor(self.cookies)
        self.opener = urllib.request.build_opener(cookies, *handlers)
        self.address = ""
        self.content = b""

    def open(self, address: str) -> None:
        """Open a page. Raises PageRefused."""
        self._request(urllib.parse.urljoin(self.address, address), None)

    def send(self, values: Mapping[str, str] | None = None, action: str = "") -> None:
        """Fill in and send the page's form, or the one whose action ends so.

        Of the values only what the form asks for is taken. Raises PageRefused.
        """
        form = form_to(self.content.decode(), action)
        known = {name: value for name, value in (values or {}).items() if name in form.asks}
        content = urllib.parse.urlencode({**form.fields, **known}).encode()
        self._request(urllib.parse.urljoin(self.address, form.action), content)

    def _request(self, address: str, content: bytes | None) -> None:
        if not address.startswith(self.home):
            raise PageRefused(f"{address} leads elsewhere")
        try:
            with self.opener.open(address, content, timeout=60) as answer:
                self.address, self.content = answer.url, answer.read()
        except urllib.error.HTTPError as error:
            raise PageRefused(f"{error.code} {address}") from error
