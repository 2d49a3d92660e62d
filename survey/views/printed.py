"""Files as answers: a PDF from the printing process, or a sentence where it fails."""

from __future__ import annotations

import io
import logging

from flask import Response, send_file

from reports.printing import PrintFailed
from survey.errors import Refused, marked
from survey.site import site

log = logging.getLogger(__name__)


class Unprintable(Refused):
    """A PDF that could not be made within its limits."""

    status = 503
    message = marked(
        "The PDF could not be made in the time and memory that it may take. The preview on the "
        "page says the same; please tell whoever runs this server."
    )


def printed(html: str, name: str, about: str, ready: bytes | None = None) -> Response:
    """Send HTML as a PDF, the one that is `ready` or a new one.

    Where it fails, `about` says in the log of what. Raises Unprintable.
    """
    try:
        content = ready or site().printer.print(html)
    except PrintFailed as failure:
        log.error("%s: %s", about, failure)
        raise Unprintable from None
    return download(content, "application/pdf", f"{name}.pdf")


def download(content: bytes, mimetype: str, name: str) -> Response:
    """Send a file to keep."""
    return send_file(io.BytesIO(content), mimetype=mimetype, as_attachment=True, download_name=name)
