"""A rater's phone, as far as the network sees it: a save that can be sent in pieces."""

from __future__ import annotations

import socket
from http.client import HTTPResponse
from urllib.parse import urlencode, urlsplit
from urllib.request import Request

from survey.demo.browser import Browser, form_to

ITEM = "MM01"


class Save:
    """One answer of one rater, on its way to the server."""

    def __init__(self, url: str, link: str) -> None:
        browser = Browser()
        browser.open(f"{url}/r/{link}")
        browser.send(action="/start")
        while ITEM not in form_to(browser.content.decode(), "").asks:
            browser.send({"shown": "together"})
        form = form_to(browser.content.decode(), "")
        self.to = Request(f"{browser.address}/draft")
        browser.cookies.add_cookie_header(self.to)
        self.content = urlencode({**form.fields, ITEM: "4"}).encode()
        self.line = socket.socket()

    def connect(self) -> None:
        host, _, port = self.to.host.partition(":")
        self.line.settimeout(30)
        self.line.connect((host, int(port)))

    def send_half(self) -> None:
        """Send everything but the last bytes."""
        self.line.sendall(self._whole()[:-10])

    def send_rest(self) -> None:
        self.line.sendall(self._whole()[-10:])

    def answer(self) -> int | str:
        """Return the status that came back, or how the line ended without one."""
        try:
            with self.line:
                answer = HTTPResponse(self.line)
                answer.begin()
                return answer.status
        except OSError as error:
            return type(error).__name__

    def _whole(self) -> bytes:
        head = [
            f"POST {urlsplit(self.to.full_url).path} HTTP/1.1",
            f"Host: {self.to.host}",
            "Connection: close",
            "Content-Type: application/x-www-form-urlencoded",
            f"Content-Length: {len(self.content)}",
            *(f"{name}: {value}" for name, value in self.to.unredirected_hdrs.items()),
        ]
        return "\r\n".join([*head, "", ""]).encode() + self.content
