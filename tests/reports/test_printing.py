"""Previews are printed in a process that can do nothing else, and fail with a sentence."""

import gc
import os
import signal
import subprocess
import sys
import time
from functools import partial

import pytest

from reports.layout import lay_out
from reports.pdf import preview_html
from reports.preview import Preview
from reports.printing import Limits, Printer, PrintFailed
from tests.launching import at_once


@pytest.fixture(scope="module")
def printer():
    printer = Printer()
    yield printer
    printer.close()


@pytest.fixture
def html(release, questionnaire):
    return preview_html(Preview(release, questionnaire))


def typed(html, words):
    assert "Peer&#39;s wish 0" in html
    return html.replace("Peer&#39;s wish 0", words)


def test_what_is_printed_is_the_same_as_without_the_process(printer, html):
    assert printer.print(html) == lay_out(html)


def test_one_process_prints_many(printer, html):
    printer.print(html)
    first = printer._process.pid
    printer.print(typed(html, "Words."))

    assert printer._process.pid == first


def test_a_process_is_kept_for_so_many_documents_only(html):
    """What a library keeps of each document cannot pile up."""
    printer = Printer(Limits(documents=2))
    pids = []
    for _ in range(5):
        printer.print(html)
        pids.append(printer._process.pid)
    printer.close()

    assert [pid == pids[0] for pid in pids[:3]] == [True, True, False]
    assert len(set(pids)) == 3


def test_many_who_want_one_get_their_own(printer, html):
    wanted = {words: typed(html, words) for words in ("One word.", "Two words.", "Three.")}
    got = {}

    def fetch(words):
        got[words] = printer.print(wanted[words])

    at_once(partial(fetch, words) for words in wanted)
    assert got == {words: lay_out(each) for words, each in wanted.items()}


def test_what_takes_too_long_ends_with_a_sentence_and_the_next_one_prints(html):
    """Four thousand lines of combining marks; without a limit they are laid out for minutes."""
    impatient = Printer()
    impatient.print(html)
    impatient.limits = Limits(seconds=2)
    began = time.monotonic()
    with pytest.raises(PrintFailed, match="it took longer than it may"):
        impatient.print(typed(html, ("a" + "\u0301" * 100 + " ") * 4000))
    assert time.monotonic() - began < 20

    impatient.limits = Limits()
    assert impatient.print(html).startswith(b"%PDF-")
    impatient.close()


def test_what_needs_too_much_memory_ends_with_a_sentence(html):
    small = Printer(Limits(memory=50 * 1024**2))

    with pytest.raises(PrintFailed, match="memory"):
        small.print(html)
    small.close()


def test_a_printer_that_is_forgotten_leaves_no_process(html):
    forgotten = Printer()
    forgotten.print(html)
    process = forgotten._process
    del forgotten
    gc.collect()

    assert process.poll() is not None


def test_a_process_that_died_is_started_again(printer, html):
    printer.print(html)
    printer._process.kill()
    printer._process.wait()

    assert printer.print(html).startswith(b"%PDF-")


CONFINED = """
import sys
from reports.printing import confine
if sys.argv[1] == "confined":
    confine(2 * 1024**3)
try:
    {act}
except OSError as error:
    print("refused", error)
else:
    print("done")
"""


@pytest.mark.parametrize(
    "act",
    [
        "import urllib.request; urllib.request.urlopen('{sink}')",
        "import socket; socket.create_connection(('127.0.0.1', {port}))",
        "import socket; socket.getaddrinfo('localhost', 80)",
        "import subprocess; subprocess.run(['true'], check=True)",
        "import os; os.system('true')",
        "import pathlib; pathlib.Path('{folder}/written').write_text('x' * 10)",
        "import os; os.truncate('{folder}/there', 0)",
        "import os; os.remove('{folder}/there')",
        "import ctypes; ctypes.CDLL(None)",
        "open('{folder}/there', 'r+').close()",
    ],
)
def test_it_reaches_nobody_starts_nothing_and_writes_nothing(act, sink, tmp_path):
    port = sink.url.rpartition(":")[2]
    act = act.format(sink=sink.url, port=port, folder=tmp_path)

    (tmp_path / "there").write_text("words")

    def outcome(how):
        command = [sys.executable, "-c", CONFINED.format(act=act), how]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout

    assert outcome("free").startswith("done")
    (tmp_path / "there").write_text("words")
    sink.forget()
    assert outcome("confined").startswith("refused")
    assert sink.paths == []
    assert (tmp_path / "there").read_text() == "words"


def test_a_process_that_neither_reads_nor_answers_ends_in_time(html):
    printer = Printer()
    printer.print(html)
    os.kill(printer._process.pid, signal.SIGSTOP)
    printer.limits = Limits(seconds=1)

    with pytest.raises(PrintFailed, match="it took longer than it may"):
        printer.print(typed(html, "A long text. " * 20_000))
    printer.close()


def test_nothing_is_left_running_when_its_parent_is_gone(html, tmp_path):
    source = (
        "import os, sys; from reports.printing import Printer; printer = Printer();"
        "printer.print(sys.stdin.read());"
        "print(printer._process.pid, flush=True); os.kill(os.getpid(), 9)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", source],
        input=html,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    pid = int(ended.stdout)

    for _ in range(100):
        try:
            with open(f"/proc/{pid}/stat") as stat:  # noqa: PTH123
                if stat.read().split(")")[1].split()[0] == "Z":
                    return
        except (FileNotFoundError, ProcessLookupError):
            return
        time.sleep(0.1)
    pytest.fail("the process goes on printing for nobody")
