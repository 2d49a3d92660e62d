"""Whoever has waited longest is let in first, and whoever gives up is passed over."""

import threading
import time

from survey.fair_lock import FairLock

LONG = 30.0


def queue_up(lock, names, let_in):
    """Let threads wait for a lock that is taken, one behind the other."""

    def wait(name):
        assert lock.acquire(LONG)
        let_in.append(name)
        lock.release()

    threads = []
    for name in names:
        threads.append(threading.Thread(target=wait, args=(name,)))
        threads[-1].start()
        while len(lock._waiting) < len(threads):
            time.sleep(0.001)
    return threads


def test_whoever_has_waited_longest_is_let_in_first():
    lock, let_in = FairLock(), []
    assert lock.acquire(LONG)
    threads = queue_up(lock, range(20), let_in)

    lock.release()
    for thread in threads:
        thread.join()
    assert let_in == list(range(20))
    assert lock.acquire(0), "nobody has it any more"


def test_whoever_gives_up_is_passed_over():
    lock, let_in = FairLock(), []
    assert lock.acquire(LONG)
    assert not lock.acquire(0.01)
    [thread] = queue_up(lock, ["next"], let_in)

    lock.release()
    thread.join()
    assert let_in == ["next"]
