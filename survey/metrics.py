"""What Prometheus is told: what waits and failed, and how long pages of signed-in people take.

Nothing that a rater does moves any figure, or whoever reads them would learn when somebody
answered.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from flask import Flask, current_app, g, request
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from survey.config import Settings
from survey.keyring import Side
from survey.models import ImportState, PeopleImport, Round, RoundState, Schedule
from survey.services import custody, mails, rounds
from survey.site import Site

if TYPE_CHECKING:
    from prometheus_client import Metric

EXTENSION = "preview360_metrics"
# Where the processes of one machine count together, as prometheus_client wants to be told.
SHARED = "PROMETHEUS_MULTIPROC_DIR"


class Metrics:
    """What the processes of this machine have counted since they began."""

    def __init__(self) -> None:
        # Read late: it looks at `SHARED` while it is imported.
        from prometheus_client import CollectorRegistry, Counter, Histogram

        self._counted = CollectorRegistry()
        self._seconds = Histogram(
            "preview360_request_seconds",
            "How long pages took that only signed-in people open.",
            ["page", "status"],
            registry=self._counted,
        )
        self._failures = Counter(
            "preview360_failures",
            "Requests that ended with an error of the program or of what it needs.",
            registry=self._counted,
        )

    def count(self, response: Response) -> Response:
        """Count a request that is answered."""
        if response.status_code >= 500:
            self._failures.inc()
        view = current_app.view_functions.get(request.endpoint or "")
        if getattr(view, "allowed", "anybody") != "anybody":
            took = time.perf_counter() - g.preview360_began
            self._seconds.labels(request.endpoint, response.status_code).observe(took)
        return response

    def text(self, site: Site, session: Session) -> bytes:
        """Return everything in Prometheus' text format."""
        from prometheus_client import CollectorRegistry, generate_latest

        counted, state = self._counted, CollectorRegistry()
        if folder := os.environ.get(SHARED):
            counted = CollectorRegistry()
            counted.register(_Shared(Path(folder)))
        state.register(_State(_state(site, session)))
        return generate_latest(state) + generate_latest(counted)


class _Shared:
    """What all processes of this machine have counted."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def collect(self) -> Iterable[Metric]:
        """Return it, from the files that hold something: a process that starts makes empty ones."""
        from prometheus_client.multiprocess import MultiProcessCollector

        files = [str(file) for file in self._folder.glob("*.db") if file.stat().st_size]
        found: Iterable[Metric] = MultiProcessCollector.merge(files)  # type: ignore[no-untyped-call]
        return found


class _State:
    """Figures that are looked up whenever somebody asks."""

    def __init__(self, figures: Iterable[Metric]) -> None:
        self._figures = figures

    def collect(self) -> Iterable[Metric]:
        """Return them, as the library asks for."""
        return self._figures

    def describe(self) -> Iterable[Metric]:
        """Return no names: the library would look everything up to know them."""
        return ()


def init_app(app: Flask, settings: Settings) -> None:
    """Count requests from now on, if anybody may read the counts."""
    if not settings.metrics_key:
        return
    metrics = app.extensions[EXTENSION] = Metrics()

    @app.before_request
    def _begin() -> None:
        g.preview360_began = time.perf_counter()

    app.after_request(metrics.count)


def metrics() -> Metrics:
    """Return what the running application counts."""
    return cast(Metrics, current_app.extensions[EXTENSION])


def _state(site: Site, session: Session) -> list[Metric]:
    now = site.now()
    counts = session.execute(select(Round.state, func.count()).group_by(Round.state))
    by_state = dict.fromkeys(RoundState, 0) | {state: int(count) for state, count in counts}
    due = {
        name: due_at.timestamp()
        for name, due_at in session.execute(select(Schedule.name, Schedule.due_at))
    }
    importing = select(func.count()).where(PeopleImport.state == ImportState.RUNNING)
    figures = [
        _gauge("info", "The program's version.", {version("preview360"): 1}, "version"),
        _gauge("rounds", "Rounds and pulses by state.", by_state, "state"),
        _gauge(
            "rounds_overdue",
            "Open rounds whose closing day has passed.",
            len(rounds.due(session, now)),
        ),
        _gauge(
            "mails",
            "Mails that could leave now, and those that were given up; reminders left out.",
            mails.backlog(session, now),
            "state",
        ),
        _gauge("imports", "Imports of people that are not done.", session.scalar(importing) or 0),
        _gauge(
            "task_due_timestamp_seconds",
            "When a task that comes again is due; long past where no worker runs.",
            due,
            "task",
        ),
    ]
    if site.keyring.side is Side.WEB:
        free = custody.free_keys(session)
        figures.append(_gauge("ballot_keys", "Ballot keys ready for rounds to open.", free))
    return figures


def _gauge(name: str, said: str, values: float | Mapping[Any, float], label: str = "") -> Metric:
    from prometheus_client.core import GaugeMetricFamily

    if not isinstance(values, Mapping):
        return GaugeMetricFamily(f"preview360_{name}", said, value=values)
    figure = GaugeMetricFamily(f"preview360_{name}", said, labels=[label])
    for each, value in values.items():
        figure.add_metric([str(each)], value)
    return figure
