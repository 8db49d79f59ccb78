"""A process that asks a local server politely: python -m tests.polite_process URL TIMES INTERVAL.

Its turns are kept by the Prefect server of PREFECT_API_URL, as those of a night are.
"""

from __future__ import annotations

import sys
from urllib.parse import urlsplit

from prefect.client.orchestration import get_client

from flows.lanes import Lanes
from livereview.fetch import Fetcher
from livereview.sources.protocol import Page, Request, Source


def ask(url: str, times: int, interval: float) -> None:
    """Ask so many times, one after another."""
    source = Source("polite", "Polite", lambda body, cursor: Page(), interval=interval)
    port = urlsplit(url).port or 80
    with get_client(sync_client=True) as prefect:
        lanes = Lanes(prefect)
        with Fetcher(secrets={}, permitted={("127.0.0.1", port)}, lane=lanes) as fetcher:
            for _ in range(times):
                fetcher.get(Request(url), source)
        lanes.close()


if __name__ == "__main__":
    ask(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))
