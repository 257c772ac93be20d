"""What is counted, in Prometheus's text format (prometheus.io/docs/instrumenting/exposition_formats).

Requests are counted by each process; gunicorn.conf.py names a folder in PROMETHEUS_MULTIPROC_DIR where
all processes of a server keep their counts, so that any of them can tell the sum. Figures of the
database are asked for at each call.
"""

import os
from collections.abc import Iterator, Mapping

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from gemba.upkeep.service import Figures

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

_here = CollectorRegistry()
_requests = Counter(
    "gemba_http_requests", "Requests answered.", ["endpoint", "method", "status"], registry=_here
)
_seconds = Histogram(
    "gemba_http_request_seconds",
    "How long answers took.",
    ["endpoint"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
    registry=_here,
)


def count(endpoint: str | None, method: str, status: int, seconds: float) -> None:
    """Counts one answered request; what no route answers is counted together, lest names grow for ever."""
    name = endpoint or "none"
    _requests.labels(name, method if method in METHODS else "OTHER", str(status)).inc()
    _seconds.labels(name).observe(seconds)


def text(figures: Figures | None) -> bytes:
    """Everything, for one answer; None for figures where the database does not answer."""
    counted = _here
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        counted = CollectorRegistry()
        MultiProcessCollector(counted)  # type: ignore[no-untyped-call]
    asked = CollectorRegistry()
    asked.register(_Figures(figures))
    return generate_latest(counted) + generate_latest(asked)


class _Figures(Collector):
    def __init__(self, figures: Figures | None) -> None:
        self._figures = figures

    def collect(self) -> Iterator[Metric]:
        figures = self._figures
        yield GaugeMetricFamily(
            "gemba_database_up", "Whether the database answers.", value=figures is not None
        )
        if figures is None:
            return
        yield _by("gemba_outbox_items", "Messages by state.", "state", figures.outbox)
        yield GaugeMetricFamily(
            "gemba_outbox_oldest_ready_seconds", "How long a due message waits.", value=figures.oldest
        )
        if figures.silent is not None:
            yield GaugeMetricFamily(
                "gemba_worker_seen_seconds", "Since when no worker was seen.", value=figures.silent
            )
        yield _by("gemba_visits", "Visits by status.", "status", figures.visits)


def _by(name: str, words: str, label: str, counts: Mapping[str, int]) -> Metric:
    family = GaugeMetricFamily(name, words, labels=[label])
    for value, number in counts.items():
        family.add_metric([value], number)
    return family
