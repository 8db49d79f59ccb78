"""Who does the parts of a step: this process, or the workers of Dask on one or many machines."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from livereview.batches.layout import Layout
from livereview.errors import Refused

if TYPE_CHECKING:
    from distributed import Client

Step = Callable[[Layout, int], None]
Progress = Callable[[str], None]
TRIES = 3  # a part whose worker died is done again this often


class Engine(Protocol):
    """Does a step on every part of a batch before it returns."""

    def every_part(self, step: Step, layout: Layout, progress: Progress) -> None: ...


class ThisProcess:
    """One part after the other."""

    def every_part(self, step: Step, layout: Layout, progress: Progress) -> None:
        for part in layout.parts:
            step(layout, part)
            progress(f"{step.__name__}: {part + 1} of {len(layout.parts)} parts")


class DaskWorkers:
    """The workers that a Dask client reaches."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def every_part(self, step: Step, layout: Layout, progress: Progress) -> None:
        from distributed import as_completed

        # Not pure: a batch in the same folder is not the same batch.
        waiting = self._client.map(
            step, [layout] * len(layout.parts), list(layout.parts), pure=False, retries=TRIES
        )
        for done, future in enumerate(as_completed(waiting), start=1):
            future.result()
            progress(f"{step.__name__}: {done} of {len(layout.parts)} parts")


@contextmanager
def named(engine: str, scheduler: str | None, workers: int, memory: str) -> Iterator[Engine]:
    """The engine of this name, "files" or "dask"; the rest as in `dask`."""
    if engine == "dask":
        with dask(scheduler, workers, memory) as dask_workers:
            yield dask_workers
    else:
        yield ThisProcess()


@contextmanager
def dask(scheduler: str | None, workers: int, memory: str) -> Iterator[DaskWorkers]:
    """Workers of the scheduler at this address, or else so many processes of this machine.

    Args:
        scheduler: Address as `dask scheduler` prints it ("tcp://10.0.0.4:8786").
        workers: Processes to start where no scheduler is named.
        memory: What each of these may use ("2GB"); one that uses more is started anew.

    Raises:
        Refused: Dask is not installed, nobody answers at the address, or `memory` is no size.
    """
    try:
        from dask.utils import parse_bytes
        from distributed import Client, LocalCluster
    except ImportError:
        raise Refused(
            "--engine dask needs Dask, which is not installed: pip install 'livereview[dask]'; "
            "or use --engine files, which needs nothing"
        ) from None
    if scheduler:
        try:
            client = Client(scheduler, timeout="10s")
        except (OSError, ValueError) as error:
            raise Refused(
                f"no Dask scheduler answers at {scheduler} ({error}); start one by `dask scheduler`, "
                "or leave --scheduler out to use this machine"
            ) from None
        with client:
            yield DaskWorkers(client)
        return
    try:
        parse_bytes(memory)
    except ValueError:
        raise Refused(f"--memory must be a size such as 2GB or 500MB; got {memory!r}") from None
    with (
        LocalCluster(
            n_workers=workers, threads_per_worker=1, memory_limit=memory, dashboard_address=None
        ) as cluster,
        Client(cluster) as client,
    ):
        yield DaskWorkers(client)
