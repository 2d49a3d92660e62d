"""Previews are printed in a process that can do nothing else, and fail with a sentence."""

import gc
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from reports.pdf import preview_pdf
from reports.printing import Limits, Printer, PrintFailed


@pytest.fixture(scope="module")
def printer():
    printer = Printer()
    yield printer
    printer.close()


def typed(release, words):
    groups = tuple(group.model_copy(update={"texts": (words,)}) for group in release.comments)
    return release.model_copy(update={"comments": groups})


def test_what_is_printed_is_the_same_as_without_the_process(printer, release, questionnaire):
    assert printer.print(release, questionnaire) == preview_pdf(release, questionnaire)


def test_one_process_prints_many(printer, release, questionnaire):
    printer.print(release, questionnaire)
    first = printer._process.pid
    printer.print(typed(release, "Words."), questionnaire)

    assert printer._process.pid == first


def test_a_process_is_kept_for_so_many_documents_only(release, questionnaire):
    """What a library keeps of each document cannot pile up."""
    printer = Printer(Limits(documents=2))
    pids = []
    for _ in range(5):
        printer.print(release, questionnaire)
        pids.append(printer._process.pid)
    printer.close()

    assert [pid == pids[0] for pid in pids[:3]] == [True, True, False]
    assert len(set(pids)) == 3


def test_many_who_want_one_get_their_own(printer, release, questionnaire):
    wanted = {words: typed(release, words) for words in ("One word.", "Two words.", "Three.")}
    got = {}

    def fetch(words):
        got[words] = printer.print(wanted[words], questionnaire)

    threads = [threading.Thread(target=fetch, args=(words,)) for words in wanted]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == {words: preview_pdf(each, questionnaire) for words, each in wanted.items()}


def test_what_takes_too_long_ends_with_a_sentence_and_the_next_one_prints(release, questionnaire):
    """Four thousand lines of combining marks; without a limit they are laid out for minutes."""
    impatient = Printer()
    impatient.print(release, questionnaire)
    impatient.limits = Limits(seconds=2)
    began = time.monotonic()
    with pytest.raises(PrintFailed, match="it took longer than it may"):
        impatient.print(typed(release, ("a" + "\u0301" * 100 + " ") * 4000), questionnaire)
    assert time.monotonic() - began < 20

    impatient.limits = Limits()
    assert impatient.print(release, questionnaire).startswith(b"%PDF-")
    impatient.close()


def test_what_needs_too_much_memory_ends_with_a_sentence(release, questionnaire):
    small = Printer(Limits(memory=50 * 1024**2))

    with pytest.raises(PrintFailed, match="memory"):
        small.print(release, questionnaire)
    small.close()


def test_a_printer_that_is_forgotten_leaves_no_process(release, questionnaire):
    forgotten = Printer()
    forgotten.print(release, questionnaire)
    process = forgotten._process
    del forgotten
    gc.collect()

    assert process.poll() is not None


def test_a_process_that_died_is_started_again(printer, release, questionnaire):
    printer.print(release, questionnaire)
    printer._process.kill()
    printer._process.wait()

    assert printer.print(release, questionnaire).startswith(b"%PDF-")


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


def test_a_process_that_neither_reads_nor_answers_ends_in_time(release, questionnaire):
    printer = Printer()
    printer.print(release, questionnaire)
    os.kill(printer._process.pid, signal.SIGSTOP)
    printer.limits = Limits(seconds=1)

    with pytest.raises(PrintFailed, match="it took longer than it may"):
        printer.print(typed(release, "A long text. " * 20_000), questionnaire)
    printer.close()


def test_nothing_is_left_running_when_its_parent_is_gone(release, questionnaire, tmp_path):
    source = (
        "import sys; from reports.release import Release;"
        "from questionnaires.loader import builtin;"
        "from reports.printing import Printer; printer = Printer();"
        "release = Release.model_validate_json(sys.stdin.read());"
        "printer.print(release, builtin('technical_leader'));"
        "print(printer._process.pid, flush=True); import os; os.kill(os.getpid(), 9)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", source],
        input=release.to_json(),
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
