"""The processes that read bytes from outside: started when they are needed, ended when they exceed
their limits.
"""

from __future__ import annotations

import atexit
import io
import os
import pickle
import select
import signal
import subprocess
import sys
import threading
import time
from typing import Any

from livereview.errors import LivereviewError, Retry
from livereview.parsing import worker
from livereview.parsing.packing import unpacked
from livereview.parsing.requests import Limits, ParseExceeded, ParseRequest, ParserFailed

GRACE_SECONDS = 5.0  # for a process to end itself, before it is ended from here
SEND_SECONDS = 60.0  # for a process to take a request from its pipe: it does nothing else then
QUEUE_SECONDS = 300.0  # a request may wait for a process that is free
# no secret among them
PASSED_ON = ("PATH", "LANG", "LC_ALL", "TZ", "TMPDIR", "PYTHONHASHSEED", "VIRTUAL_ENV")
_RETURNED = {
    "livereview.exchange.decisions": {"Sheet", "Row"},
    "livereview.links": {"LinkKind"},
    "livereview.records": {"Related"},
    "livereview.errors": {"_revive", "Retry", "SourceBroken", "Refused", "LivereviewError"},
}


class Pool:
    """Up to `size` processes, each reading one body at a time."""

    def __init__(self, size: int):
        self._size = size
        self._stopping = False
        self._start_again()

    def _start_again(self) -> None:
        self._pid = os.getpid()
        self._slots = threading.BoundedSemaphore(self._size)
        self._lock = threading.Lock()
        self._idle: list[_Process] = []
        self._busy: set[_Process] = set()

    def run(self, request: ParseRequest, limits: Limits) -> object:
        """The answer to `request`; raises what `livereview.parsing.read_page` tells of."""
        if self._pid != os.getpid():  # this is a fork, whose parent owns the processes
            self._start_again()
        self._refuse_if_stopping(request)
        if not self._slots.acquire(timeout=QUEUE_SECONDS):
            raise Retry(
                f"{request.subject} waits for others that are being read; try again in a few minutes"
            )
        try:
            return self._run(request, limits)
        except (ParseExceeded, ParserFailed):
            self._refuse_if_stopping(request)  # it was ended from here
            raise
        finally:
            self._slots.release()

    def _refuse_if_stopping(self, request: ParseRequest) -> None:
        if self._stopping:
            raise Retry(f"{request.subject} was not read: the service is stopping; try again later")

    def _run(self, request: ParseRequest, limits: Limits) -> object:
        for _ in range(2):  # a process that was idle for long may have ended just now
            process, fresh = self._take()
            healthy = False
            try:
                reply = process.ask(request, limits)
                healthy = process.alive
            except _Gone:
                if fresh:
                    raise ParserFailed("the process that reads pages can't be started") from None
                continue
            finally:
                self._give_back(process, healthy)
            return _unpacked(reply, request, limits)
        raise ParserFailed("the process that reads pages ended twice before it began")

    def _take(self) -> tuple[_Process, bool]:
        with self._lock:
            while self._idle:
                process = self._idle.pop()
                if process.alive:
                    self._busy.add(process)
                    return process, False
                process.end()
            process = _Process()
            self._busy.add(process)
            return process, True

    def _give_back(self, process: _Process, healthy: bool) -> None:
        with self._lock:
            self._busy.discard(process)
            if healthy:
                self._idle.append(process)
        if not healthy:
            process.end()

    def stop(self) -> None:
        """End all processes and read nothing more, until `resume`."""
        self._stopping = True
        self.close()

    def resume(self) -> None:
        """Read again."""
        self._stopping = False

    def close(self) -> None:
        """End all processes; what is being read fails."""
        if self._pid != os.getpid():
            return
        with self._lock:
            idle, self._idle = self._idle, []
            busy = list(self._busy)
        for process in idle:
            process.end()
        for process in busy:  # whoever asked it sees its end, and closes the pipes to it
            process.kill()


class _Gone(Exception):
    """The process ended before it began to read this request."""


class _Process:
    """One worker process and the pipes to it."""

    def __init__(self) -> None:
        path = os.pathsep.join(os.path.abspath(part) for part in sys.path)  # noqa: PTH100 - "" is this folder
        passed = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        self._child = subprocess.Popen(  # noqa: S603 - this program
            [sys.executable, "-m", worker.__name__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**passed, "PYTHONPATH": path},
        )
        atexit.register(self.end)

    @property
    def alive(self) -> bool:
        return self._child.poll() is None

    def ask(self, request: ParseRequest, limits: Limits) -> bytes:
        """The packed reply.

        Raises _Gone, or ParseExceeded where the process was ended by its limits.
        """
        deadline = time.monotonic() + limits.wall_seconds + GRACE_SECONDS
        message = pickle.dumps((limits, request), protocol=pickle.HIGHEST_PROTOCOL)
        self._send(worker.LENGTH.pack(len(message)) + message)
        (size,) = worker.LENGTH.unpack(self._read(worker.LENGTH.size, deadline, request, limits))
        if size > limits.result_bytes:
            raise ParseExceeded(_too_much("result", request, limits))
        return self._read(size, deadline, request, limits)

    def _send(self, message: bytes) -> None:
        """Hand over the request.

        Raises _Gone where the process has ended, or does not read it in SEND_SECONDS.
        """
        assert self._child.stdin
        pipe = self._child.stdin.fileno()
        os.set_blocking(pipe, False)
        deadline = time.monotonic() + SEND_SECONDS
        room = select.poll()
        room.register(pipe, select.POLLOUT)
        rest = memoryview(message)
        while rest:
            if not room.poll(1_000 * max(0.0, deadline - time.monotonic())):
                raise _Gone
            try:
                rest = rest[os.write(pipe, rest) :]
            except BlockingIOError:
                continue
            except OSError:
                raise _Gone from None

    def _read(self, size: int, deadline: float, request: ParseRequest, limits: Limits) -> bytes:
        assert self._child.stdout
        pipe = self._child.stdout.fileno()
        # select.select takes no descriptor above 1,023, and a busy owner has those
        answers = select.poll()
        answers.register(pipe, select.POLLIN)
        whole = bytearray()
        while len(whole) < size:
            if not answers.poll(1_000 * max(0.0, deadline - time.monotonic())):
                raise ParseExceeded(_too_much("wall", request, limits))
            part = os.read(pipe, min(size - len(whole), 1 << 20))
            if not part:
                raise self._ended(request, limits)
            whole += part
        return bytes(whole)

    def _ended(self, request: ParseRequest, limits: Limits) -> Exception:
        """What the end of a process without an answer means."""
        try:
            code = self._child.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            code = -signal.SIGKILL
        if code >= 0:
            return _Gone()
        limit = {signal.SIGPROF: "cpu", signal.SIGALRM: "wall"}.get(signal.Signals(-code))
        if limit:
            return ParseExceeded(_too_much(limit, request, limits))
        return ParseExceeded(
            f"reading {request.subject} ended its process ({signal.Signals(-code).name})"
        )

    def kill(self) -> None:
        """End the process, whatever it does; its pipes stay with whoever reads from them."""
        self._child.kill()

    def end(self) -> None:
        """End the process and close its pipes, whatever it does."""
        atexit.unregister(self.end)
        self._child.kill()
        self._child.wait()
        for pipe in (self._child.stdin, self._child.stdout):
            try:
                if pipe:
                    pipe.close()
            except OSError:  # what was not sent can't be sent any more
                pass


class _Unpickler(pickle.Unpickler):
    """Takes only what a parser's answer is made of: the process that wrote it had hostile bytes in
    hand.
    """

    def find_class(self, module: str, name: str) -> Any:
        if name not in _RETURNED.get(module, ()):
            raise pickle.UnpicklingError(f"a parser's answer holds {module}.{name}")
        return super().find_class(module, name)


def _unpacked(reply: bytes, request: ParseRequest, limits: Limits) -> object:
    kind, value = _Unpickler(io.BytesIO(reply)).load()
    if kind == worker.ANSWERED:
        return unpacked(value)
    if kind == worker.REFUSED:
        assert isinstance(value, LivereviewError)
        raise value
    if kind == worker.EXCEEDED:
        raise ParseExceeded(_too_much(value, request, limits))
    raise ParserFailed(value)


def _too_much(limit: str, request: ParseRequest, limits: Limits) -> str:
    """Which limit was exceeded, with its number, in words."""
    used = {
        "cpu": f"took more than {limits.cpu_seconds:,.0f} s of computing",
        "wall": f"took more than {limits.wall_seconds:,.0f} s",
        "memory": f"took more than {limits.memory_bytes / 1e9:,.1f} GB of memory",
        "result": f"gave more than {limits.result_bytes / 1e6:,.0f} MB",
        "depth": "found it nested too deeply",
    }[limit]
    return f"reading {request.subject} ({len(request.body):,} bytes) {used}, which no real one does"
