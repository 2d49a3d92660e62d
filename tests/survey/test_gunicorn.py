"""gunicorn serves the pages from several processes, and keeps the promises that `serve` keeps."""

import http.client
import socket
import subprocess
from contextlib import contextmanager

import pytest
from prometheus_client.parser import text_string_to_metric_families

from survey.demo.catcher import free_port
from tests.conftest import METRICS_KEY, on_sqlite
from tests.launching import GUNICORN, environment, running

pytestmark = on_sqlite
LINK = "0123456789abcdef0123456789abcdef"
MALFORMED = {
    "a header without a colon": f"GET /r/{LINK} HTTP/1.1\r\nHost: a\r\nBad header\r\n\r\n",
    "a line without a version": f"GET /r/{LINK}\r\nHost: a\r\n\r\n",
    "a line that is too long": f"GET /r/{LINK}/{'x' * 9000} HTTP/1.1\r\nHost: a\r\n\r\n",
}


@contextmanager
def gunicorn(settings, folder, workers=2):
    """Serve pages; give the URL and the file of what is said meanwhile."""
    port = free_port()
    told = environment(settings, WEB_CONCURRENCY=str(workers), TMPDIR=str(folder))
    said = folder / "said"
    with said.open("wb") as stream:
        command = [*GUNICORN, "--bind", f"127.0.0.1:{port}"]
        with running(command, port, env=told, stderr=stream) as process:
            yield port, said, process


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (
            {"PREVIEW360_DATABASE_URL": "sqlite:///nowhere/empty.db"},
            "The database is not up to date. Run `preview360 db upgrade` first.",
        ),
        ({"PREVIEW360_K": "1"}, "PREVIEW360_K: Input should be greater than or equal to 3"),
        ({"PREVIEW360_KEYS": "1"}, "PREVIEW360_KEYS is no setting."),
    ],
    ids=["database", "value", "name"],
)
def test_what_could_serve_nobody_does_not_start(wrong, sentence, settings, session, tmp_path):
    session.close()
    folder = tmp_path / "temporary"
    folder.mkdir()
    tried = subprocess.run(
        [*GUNICORN, "--bind", f"127.0.0.1:{free_port()}"],
        env=environment(settings, TMPDIR=str(folder)) | wrong,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert tried.returncode == 1
    *before, last = tried.stderr.splitlines()
    assert last.startswith(sentence)
    assert "Traceback" not in before
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("raw", MALFORMED.values(), ids=MALFORMED)
def test_a_request_that_makes_no_sense_leaves_neither_link_nor_address_in_a_line(
    raw, settings, session, tmp_path
):
    session.close()
    with (
        gunicorn(settings, tmp_path, workers=1) as (port, said, _),
        socket.create_connection(("127.0.0.1", port)) as line,
    ):
        line.sendall(raw.encode())
        answer = http.client.HTTPResponse(line)
        answer.begin()
        assert 400 <= answer.status < 600
    lines = said.read_text()

    assert "Invalid request from ip=(address)" in lines
    assert LINK not in lines
    assert "127.0.0.1" not in lines.replace(f"127.0.0.1:{port}", "")


def test_all_processes_tell_prometheus_the_same_and_leave_nothing_behind(
    settings, session, tmp_path
):
    session.close()
    opened = 12
    with gunicorn(settings, tmp_path) as (port, _, process):
        counted = set()
        for _ in range(opened):
            assert _open(port, "/rounds")[0] in (302, 303)
        for _ in range(6):
            _, told = _open(port, "/metrics", Authorization=f"Bearer {METRICS_KEY}")
            counted.add(_opened(told))
        assert len(list(tmp_path.glob("preview360-counts-*/*.db"))) > 1, "one process did it all"
        process.terminate()
        assert process.wait(timeout=60) == 0
    assert counted == {opened}
    assert list(tmp_path.glob("preview360-counts-*")) == []


def _open(port, path, **headers):
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    line.request("GET", path, headers={"Host": "localhost"} | headers)
    answer = line.getresponse()
    content = answer.read().decode()
    line.close()
    return answer.status, content


def _opened(told):
    [count] = [
        sample.value
        for family in text_string_to_metric_families(told)
        for sample in family.samples
        if sample.name == "preview360_request_seconds_count"
    ]
    return count
