"""Hosts' turns that processes share: taken one at a time, kept for the interval, given back."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import contextmanager
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from flows.lanes import DECAY, LEASE, Lanes, fetcher, limit_name
from livereview.errors import Retry
from livereview.fetch.politeness import Turns
from livereview.settings import Settings


class Answered:
    def __init__(self, body: Any):
        self._body = body

    def json(self) -> Any:
        return self._body


class FakePrefect:
    """The slots of Prefect's limits, and what was done to them in order."""

    def __init__(self, *hosts: str):
        self.names = {limit_name(host) for host in hosts}
        self.leases: dict[UUID, str] = {}
        self.done: list[str] = []
        self.away = False
        self._lock = threading.Lock()

    def increment_concurrency_slots_with_lease(
        self, names: list[str], slots: int, mode: str, lease_duration: float
    ) -> Answered:
        assert (slots, mode, lease_duration) == (1, "concurrency", LEASE)
        request = httpx.Request("POST", "http://prefect.example/api")
        if self.away:
            raise httpx.ConnectError("away", request=request)
        with self._lock:
            present = [name for name in names if name in self.names]
            if set(present) & set(self.leases.values()):
                reply = httpx.Response(423, request=request)
                raise httpx.HTTPStatusError("locked", request=request, response=reply)
            lease = uuid4()
            if present:
                self.leases[lease] = present[0]
                self.done.append("taken")
            return Answered({"lease_id": str(lease), "limits": present})

    def renew_concurrency_lease(self, lease: UUID, seconds: float) -> None:
        self.done.append("renewed")

    def release_concurrency_slots_with_lease(self, lease: UUID) -> None:
        with self._lock:
            del self.leases[lease]
            self.done.append("given back")

    def create_global_concurrency_limit(self, wanted: Any) -> None:
        assert (wanted.limit, wanted.slot_decay_per_second) == (1, DECAY)
        self.names.add(wanted.name)


def lanes_of(prefect: FakePrefect, sleep: Callable[[float], None] = lambda seconds: None) -> Lanes:
    return Lanes(prefect, sleep)  # type: ignore[arg-type]


def test_a_turn_is_kept_for_the_interval_after_the_request_and_given_back() -> None:
    prefect = FakePrefect("api.example.org")
    slept: list[float] = []
    lanes = lanes_of(prefect, slept.append)
    turns = Turns(lambda: 0.0, lambda seconds: None, lanes)
    with turns.turn("API.example.org", 7.0):
        assert list(prefect.leases.values()) == ["livereview host api.example.org"]
    lanes.close()
    assert slept == [7.0] and prefect.done == ["taken", "given back"]


def test_a_rate_that_a_host_states_is_kept_among_all() -> None:
    prefect = FakePrefect("api.example.org")
    slept: list[float] = []
    lanes = lanes_of(prefect, slept.append)
    turns = Turns(lambda: 0.0, lambda seconds: None, lanes)
    with turns.turn("api.example.org", 1.0):
        turns.heed("api.example.org", {"x-rate-limit-limit": "1", "x-rate-limit-interval": "9s"})
    lanes.close()
    assert slept == [9.0]


def test_who_waits_gets_the_turn_once_it_is_free_and_others_hosts_meanwhile() -> None:
    prefect = FakePrefect("a.example", "b.example")
    first, second = lanes_of(prefect), lanes_of(prefect)
    with first("a.example", 60), second("b.example", 60):
        assert len(prefect.leases) == 2
    first.close()
    second.close()
    free = threading.Event()
    waited: list[float] = []

    def wait(seconds: float) -> None:
        waited.append(seconds)
        free.set()
        released.wait(5)

    released = threading.Event()
    third = lanes_of(prefect, wait)

    def hold() -> None:
        with first("a.example", 60):
            taken.set()
            free.wait(5)
        first.close()
        released.set()

    taken = threading.Event()
    other = threading.Thread(target=hold)
    other.start()
    taken.wait(5)
    with third("a.example", 60):
        assert list(prefect.leases.values()) == [limit_name("a.example")]
    other.join()
    third.close()
    assert waited


def test_a_host_that_no_deployment_knew_gets_its_limit_when_it_is_asked() -> None:
    prefect = FakePrefect()
    lanes = lanes_of(prefect)
    with lanes("new.example", 60):
        assert list(prefect.leases.values()) == [limit_name("new.example")]
    lanes.close()


def test_without_the_keeper_of_turns_no_host_is_asked() -> None:
    prefect = FakePrefect("a.example")
    prefect.away = True
    with (
        pytest.raises(Retry, match="keeps the turns of hosts"),
        lanes_of(prefect)("a.example", 60),
    ):
        raise AssertionError("asked")


def test_a_turn_that_never_comes_is_told() -> None:
    prefect = FakePrefect("a.example")
    holder, waiting = lanes_of(prefect), lanes_of(prefect)
    with (
        holder("a.example", 60),
        pytest.raises(Retry, match="no turn free"),
        waiting("a.example", 0.0),
    ):
        raise AssertionError("asked")
    holder.close()


def test_a_turn_is_given_back_where_the_request_fails() -> None:
    prefect = FakePrefect("a.example")
    lanes = lanes_of(prefect)
    with pytest.raises(ValueError), lanes("a.example", 60):
        raise ValueError
    lanes.close()
    assert not prefect.leases


def test_a_process_without_prefect_keeps_its_own_turns(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def refused(**options: Any) -> Any:
        raise AssertionError("asked Prefect")
        yield

    monkeypatch.setattr("flows.lanes.get_client", refused)
    chosen = Settings(home=tmp_path, secrets={})
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:1/api")
    with fetcher(chosen, via="http://127.0.0.1:2"):
        pass
    monkeypatch.delenv("PREFECT_API_URL")
    with fetcher(chosen):
        pass
