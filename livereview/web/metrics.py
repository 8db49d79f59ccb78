"""`/metrics`: the figures for Prometheus, and the count of requests that goes with them.

Whoever asks has a token with the scope `monitor`, or the owner's own. That a request comes from
this machine proves nothing, as a proxy on it sends everybody's.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from datetime import datetime
from importlib.metadata import version

from fastapi import Request
from fastapi.responses import Response
from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from livereview.ops import metrics
from livereview.ops.metrics import Kind, Metric
from livereview.store.open import Store
from livereview.store.vitals import WAIT_BOUNDS, WriterLoad

# Prometheus asks each 15 to 60 s; two of them, or an eager one, shall not cost twice as much
KEPT_SECONDS = 10.0
# seconds; a page is to come within .1, and who waited ten has gone
LATENCIES = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
OTHER = "other"  # of anything that visitors choose, so that they can't make labels without end


class Requests:
    """Requests that were answered, by method, route and status, and how long each route takes."""

    def __init__(self, registry: CollectorRegistry):
        self._answered = Counter(
            "livereview_http_requests_total",
            "Requests that were answered.",
            ("method", "route", "status"),
            registry=registry,
        )
        self._seconds = Histogram(
            "livereview_http_request_seconds",
            "How long requests took, up to the last byte of the answer.",
            ("route",),
            buckets=LATENCIES,
            registry=registry,
        )

    def note(self, method: str, route: str, status: int, seconds: float) -> None:
        """One request was answered; `route` is its template, such as /r/{review}."""
        word = method if method in METHODS else OTHER
        self._answered.labels(word, route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)


class StoreCollector(Collector):
    """What `ops.metrics` measures and how long jobs wait for the writers, looked at once in
    KEPT_SECONDS.
    """

    def __init__(self, store: Store, clock: Callable[[], datetime]):
        self._store, self._clock = store, clock
        self._lock = threading.Lock()
        self._kept: list[Family] = []
        self._until = 0.0

    def forget(self) -> None:
        """Look anew at the next question."""
        self._until = 0.0

    def describe(self) -> Iterable[Family]:
        """Nothing, so that to register it does not look into the database."""
        return ()

    def collect(self) -> Iterable[Family]:
        """The families of this moment, or of a few seconds ago."""
        with self._lock:
            if time.monotonic() >= self._until:
                measured = metrics.measured(self._store, now=self._clock())
                self._kept = [_family(metric) for metric in measured]
                self._kept += [_waits(self._store.loads()), _build()]
                self._until = time.monotonic() + KEPT_SECONDS
            return list(self._kept)


def _family(metric: Metric) -> Family:
    family: GaugeMetricFamily | CounterMetricFamily
    if metric.kind == Kind.COUNTER:
        family = CounterMetricFamily(metric.name, metric.help, labels=metric.labels)
    else:
        family = GaugeMetricFamily(metric.name, metric.help, labels=metric.labels)
    for labels, value in metric.values.items():
        family.add_metric(labels, float(value))
    return family


def _waits(loads: Iterable[WriterLoad]) -> Family:
    family = HistogramMetricFamily(
        "livereview_writer_wait_seconds",
        "How long jobs waited until a writer took them.",
        labels=("writer",),
    )
    for load in loads:
        bounds = [str(bound) for bound in WAIT_BOUNDS]
        buckets = [*zip(bounds, load.buckets, strict=True), ("+Inf", load.waited)]
        family.add_metric((load.writer,), buckets, load.seconds)
    return family


def _build() -> Family:
    family = GaugeMetricFamily("livereview_build_info", "This livereview.", labels=("version",))
    family.add_metric((version("livereview"),), 1)
    return family


class Registry:
    """All figures of one owner; `requests` counts what it answers."""

    def __init__(self, store: Store, clock: Callable[[], datetime]):
        self._registry = CollectorRegistry(auto_describe=False)
        self.requests = Requests(self._registry)
        self._of_store = StoreCollector(store, clock)
        self._registry.register(self._of_store)
        ProcessCollector(registry=self._registry)

    def forget(self) -> None:
        """Look anew at the next question, however soon it comes."""
        self._of_store.forget()

    def text(self) -> bytes:
        """The figures, in Prometheus's text format."""
        return generate_latest(self._registry)


def page(request: Request) -> Response:
    """The figures of this moment."""
    registry: Registry = request.app.state.metrics
    return Response(registry.text(), headers={"Content-Type": CONTENT_TYPE_LATEST})


class Counted:
    """ASGI middleware that counts requests; the outermost but for the page of an unforeseen error."""

    def __init__(self, app: ASGIApp, requests: Requests):
        self.app, self._requests = app, requests

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        status = 500  # where no answer begins
        started = time.monotonic()

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, noting)
        finally:
            seconds = time.monotonic() - started
            self._requests.note(scope["method"], route_of(scope), status, seconds)


def route_of(scope: Scope) -> str:
    """The template of the route that answered; OTHER where none did, as addresses have no end."""
    route = scope.get("route")
    path = getattr(route, "path", None)
    return path if isinstance(path, str) else OTHER
