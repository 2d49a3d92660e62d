"""Somebody at a browser without a screen: opens pages and sends the forms that stand in them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urljoin, urlsplit

from flask import Flask

from survey.demo.browser import form_to
from survey.models import Person
from tests.conftest import NOW


class Visitor:
    """A browser with cookies of its own; follows redirects."""

    def __init__(self, app: Flask, person: Person | None = None, now=NOW) -> None:
        self.client = app.test_client()
        self.address = "/"
        self.status = 0
        self.page = ""
        self.last: Any = None
        if person is not None:
            with self.client.session_transaction() as cookie:
                cookie["person"], cookie["key"] = str(person.id), person.session_key
                cookie["since"] = int(now.timestamp())

    def open(self, address: str) -> str:
        return self._request("GET", urljoin(self.address, address))

    def send(self, values: Mapping[str, Any] | None = None, action: str = "") -> str:
        """Send the form that goes to `action`, also fields it does not have."""
        form = form_to(self.page, action)
        return self._request(
            "POST", urljoin(self.address, form.action), {**form.fields, **(values or {})}
        )

    def _request(self, method: str, address: str, data: dict[str, Any] | None = None) -> str:
        answer = self.client.open(address, method=method, data=data, follow_redirects=True)
        self.address = urlsplit(answer.request.url).path
        if answer.request.query_string:
            self.address += "?" + answer.request.query_string.decode()
        self.status, self.last = answer.status_code, answer
        self.page = answer.text if answer.mimetype == "text/html" else ""
        return self.page
