"""One request at a time to a host, over all processes and machines of a centre.

A global concurrency limit of Prefect for each host, of one slot, is held from before a request until
the source's interval after it has passed. So the interval that a source asks for lies between the
end of one request and the start of the next, whoever makes them. Where no Prefect server is set,
there is one process, whose own turns suffice.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import GlobalConcurrencyLimitCreate
from prefect.exceptions import ObjectAlreadyExists, PrefectException

from livereview import fetch
from livereview.errors import Retry
from livereview.fetch.politeness import no_lane
from livereview.settings import Settings

log = logging.getLogger("livereview.lanes")

PREFIX = "livereview host "
SLOTS = 1
# seconds without a renewal after which the slot of a process that was killed is free again: the
# least that Prefect takes
LEASE = 60.0
RENEWED_EACH = 20.0
# Should a lease itself be lost (Prefect's server began again), its slot is free after ten minutes:
# longer than any request and interval together.
DECAY = 1 / 600
FIRST_LOOK, LONGEST_LOOK = 0.05, 2.0  # seconds between two tries for a slot
LONGEST_WAIT = 4 * 3600.0  # seconds; a search may take no longer
LOCKED = 423  # Prefect's status for: no slot is free


def limit_name(host: str) -> str:
    """What the limit of a host is called in Prefect."""
    return f"{PREFIX}{host.lower()}"


@dataclass
class Held:
    """A turn, and for how many seconds it is kept after its block."""

    seconds: float = 0.0

    def keep_for(self, seconds: float) -> None:
        """Keep it for so many seconds."""
        self.seconds = seconds


class Lanes:
    """Hosts' turns, kept by a Prefect server; a `fetch.politeness.Lane`.

    Args:
        prefect: A client, which threads may share.
    """

    def __init__(
        self,
        prefect: SyncPrefectClient,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ):
        self._prefect = prefect
        self._sleep = sleep
        self._clock = clock
        self._kept: list[threading.Thread] = []

    @contextmanager
    def __call__(self, host: str, longest: float) -> Iterator[Callable[[float], None]]:
        """As `Lane`; the turn is given back by a thread, while the caller goes on."""
        lease = self._taken(host, min(longest, LONGEST_WAIT))
        over = threading.Event()
        renewing = threading.Thread(target=self._renew, args=(lease, over), daemon=True)
        renewing.start()
        turn = Held()
        try:
            yield turn.keep_for
        finally:
            keeping = threading.Thread(
                target=self._give_back, args=(lease, over, turn.seconds), daemon=True
            )
            keeping.start()
            self._kept = [thread for thread in self._kept if thread.is_alive()]
            self._kept.append(keeping)

    def close(self) -> None:
        """Wait until all turns are given back: at most the longest interval of a source."""
        for thread in self._kept:
            thread.join()

    def _taken(self, host: str, longest: float) -> UUID:
        """The lease of the host's slot, once it is free."""
        until = self._clock() + longest
        pause = FIRST_LOOK
        while True:
            lease = self._try(host)
            if lease is not None:
                return lease
            if self._clock() + pause > until:
                raise Retry(f"{host} had no turn free within {longest:,.0f} s")
            self._sleep(pause)
            pause = min(2 * pause, LONGEST_LOOK)

    def _try(self, host: str) -> UUID | None:
        """The lease, or None where another has the slot."""
        try:
            answer = self._ask(host)
            if not answer["limits"]:
                self._make(host)
                answer = self._ask(host)
        except httpx.HTTPStatusError as refusal:
            if refusal.response.status_code == LOCKED:
                return None
            raise self._away(refusal) from None
        except (httpx.HTTPError, PrefectException, OSError) as error:
            raise self._away(error) from None
        return UUID(answer["lease_id"])

    def _ask(self, host: str) -> dict[str, Any]:
        names = [limit_name(host)]
        reply = self._prefect.increment_concurrency_slots_with_lease(
            names, SLOTS, "concurrency", LEASE
        )
        answer: dict[str, Any] = reply.json()
        return answer

    def _make(self, host: str) -> None:
        """The limit of a host that no deployment knew, such as one that a feed moved to."""
        with suppress(ObjectAlreadyExists):  # another process was first
            self._prefect.create_global_concurrency_limit(wanted_limit(host))

    def _away(self, error: Exception) -> Retry:
        return Retry(
            f"the Prefect server that keeps the turns of hosts does not answer:"
            f" {type(error).__name__}"
        )

    def _renew(self, lease: UUID, over: threading.Event) -> None:
        while not over.wait(RENEWED_EACH):
            try:
                self._prefect.renew_concurrency_lease(lease, LEASE)
            except Exception as error:
                log.warning("a host's turn could not be renewed: %s", type(error).__name__)

    def _give_back(self, lease: UUID, over: threading.Event, gap: float) -> None:
        self._sleep(gap)
        over.set()
        try:
            self._prefect.release_concurrency_slots_with_lease(lease)
        except Exception as error:
            log.warning(
                "a host's turn could not be given back, it ends in %.0f s: %s",
                LEASE,
                type(error).__name__,
            )


def wanted_limit(host: str) -> GlobalConcurrencyLimitCreate:
    """The limit of a host as Prefect is to have it."""
    return GlobalConcurrencyLimitCreate(
        name=limit_name(host), limit=SLOTS, slot_decay_per_second=DECAY
    )


@contextmanager
def fetcher(settings: Settings, via: str | None = None) -> Iterator[fetch.Fetcher]:
    """A fetcher that keeps hosts' turns with all others that speak to the same Prefect server.

    Without one (PREFECT_API_URL is not set), and on a recording, it keeps its own only.
    """
    if via or not os.environ.get("PREFECT_API_URL"):
        with fetch.Fetcher(secrets=settings.secrets, via=via, lane=no_lane) as alone:
            yield alone
        return
    with get_client(sync_client=True) as prefect:
        lanes = Lanes(prefect)
        with fetch.Fetcher(secrets=settings.secrets, lane=lanes) as shared:
            try:
                yield shared
            finally:
                lanes.close()
