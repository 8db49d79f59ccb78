"""Ranking in a process of its own, so that decisions do not wait for it.

Starting a process and importing scikit-learn takes two seconds, ranking a small queue a twentieth
of one: so a process ranks one review after another, and ends with the last.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import pickle
from collections.abc import Sequence
from dataclasses import asdict, replace
from importlib.metadata import version
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path
from threading import Event
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple

from livereview.errors import Retry
from livereview.private_files import write_private

if TYPE_CHECKING:
    from livereview.ranking.nightly import Ranked

NICE = 10
LOOK = 0.2  # seconds between two looks at whether it is to stop


class RankingRequest(NamedTuple):
    """What a ranking is worked out from.

    Attributes:
        texts: (report, title, abstract) of each report.
        labels: (report, went on) of each settled one, in order.
        words: What the protocol says that relevant records are about.
        seed: The same one gives the same order.
        cache: The file in which what the model sees of the texts is kept between rankings.
        new: Reports that were found lately, the newest last: they are compared with the others.
    """

    texts: Sequence[tuple[str, str, str]]
    labels: Sequence[tuple[str, bool]]
    words: str
    seed: int
    cache: str
    new: Sequence[str] = ()


class RankingProcess:
    """Ranks one queue after another in a process of low priority.

    It is started by the first queue, and anew where it died of one.

    Args:
        stop: Once set, whoever waits for a ranking is answered with Retry.
    """

    def __init__(self, stop: Event | None = None) -> None:
        self._stop = stop
        self._child: SpawnProcess | None = None
        self._pipe: Connection | None = None

    def __enter__(self) -> RankingProcess:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._end()

    def rank(self, request: RankingRequest) -> Ranked:
        """The queue in order.

        Raises:
            Retry: It was stopped, or its process died.
        """
        pipe = self._pipe or self._start()
        try:
            pipe.send(request)
            while not pipe.poll(LOOK):
                if self._stop is not None and self._stop.is_set():
                    self._end()
                    raise Retry("the ranking was stopped; the order before stands")
            ranked: Ranked = pipe.recv()
        except (EOFError, OSError):
            self._end()
            raise Retry("the process that ranks ended early; the order before stands") from None
        return ranked

    def _start(self) -> Connection:
        context = multiprocessing.get_context("spawn")
        here, there = context.Pipe()
        self._child = context.Process(target=_work, args=(there,), daemon=True)
        self._child.start()
        there.close()
        self._pipe = here
        return here

    def _end(self) -> None:
        if self._child is not None and self._pipe is not None:
            self._child.terminate()
            self._child.join()
            self._pipe.close()
        self._child = self._pipe = None


def _work(pipe: Connection) -> None:
    os.nice(NICE)
    while True:
        try:
            request = pipe.recv()
        except EOFError:
            return
        pipe.send(rank(request))


def rank(request: RankingRequest) -> Ranked:
    """The queue in order, in this process, by one thread.

    More threads wait for each other on busy processors: thirty records then take seven times as
    long, and whoever screens at that time waits too.
    """
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1, "blas"):
        return _by_one_thread(request)


def _by_one_thread(request: RankingRequest) -> Ranked:
    # scikit-learn takes a second that only a ranking needs
    from livereview.ranking import nightly

    path = Path(request.cache)
    made_by = [version(name) for name in ("livereview", "scikit-learn", "numpy")]
    text = json.dumps([made_by, request.words, request.texts], ensure_ascii=False)
    key = hashlib.sha256(text.encode("utf-8", "replace")).digest()
    known = _kept(path, key)
    if known is None:
        known = nightly.prepare(request.texts, request.words)
        _keep(path, key, known)
    ranked = nightly.rank(request.texts, request.labels, request.words, request.seed, known)
    told = {**ranked.told, "drift": _drift(request)}
    return replace(ranked, told=told)


def _drift(request: RankingRequest) -> dict[str, Any] | None:
    """How far the new reports differ from the others, as plain data of a `Drift`."""
    from livereview.ranking.drift import drift

    texts = {report: f"{title} {abstract}" for report, title, abstract in request.texts}
    new = [texts.pop(report) for report in request.new if report in texts]
    found = drift(list(texts.values()), new)
    return {**asdict(found), "alarm": found.alarm} if found else None


def _kept(path: Path, key: bytes) -> Any:
    """The features made of the same texts by the same programs.

    None where there are none, or they are torn.
    """
    try:
        whole = path.read_bytes()
    except OSError:
        return None
    content = whole[2 * len(key) :]
    fits = whole[: 2 * len(key)] == key + hashlib.sha256(content).digest()
    return pickle.loads(content) if fits else None  # noqa: S301 - our own file, whole


def _keep(path: Path, key: bytes, features: Any) -> None:
    content = pickle.dumps(features, protocol=pickle.HIGHEST_PROTOCOL)
    write_private(path, key + hashlib.sha256(content).digest() + content)
