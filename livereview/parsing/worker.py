"""The process that reads bytes from outside: one request after another from standard input, until
that is closed.

Its limits are kept by the kernel, not by Python: a timer's signal ends the process even while a
regular expression holds the interpreter's lock, and an allocation beyond the limit fails.
"""

from __future__ import annotations

import os
import pickle
import resource
import select
import signal
import struct
import traceback
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO

from livereview import pdf_text, sources
from livereview.errors import LivereviewError, Refused, Retry, SourceBroken
from livereview.exchange import decisions
from livereview.parsing.packing import packed
from livereview.parsing.requests import CopyPdf, Limits, ParsePage, ParseRequest, ReadPdf, ReadTable

LENGTH = struct.Struct("<Q")
# after which the process ends, so that nothing is held for the rest of the day
IDLE_SECONDS = 300.0
STATUS = Path("/proc/self/status")
KEPT_BYTES = 300_000_000  # of memory at its peak, above which the process ends after its answer

ANSWERED, REFUSED, EXCEEDED, FAILED = "answered", "refused", "exceeded", "failed"


def main() -> None:
    """Answer requests until the other end closes, is silent for long, or this process has grown."""
    requests, replies = _channel()
    _defaults()
    while select.select([requests], [], [], IDLE_SECONDS)[0]:
        message = receive(requests)
        if message is None:
            return
        limits, request = pickle.loads(message)  # noqa: S301 - written by the process that started this one
        _load(request)
        reply = within(limits, request)
        replies.write(LENGTH.pack(len(reply)))
        replies.write(reply)
        replies.flush()
        if _peak_bytes() > KEPT_BYTES:
            return


def _peak_bytes() -> int:
    """The most memory that this program ever had.

    Not `ru_maxrss`, which Linux hands on through fork and exec: there a large owner's process looks
    as large as its owner from the start, and would end after each page.
    """
    try:
        status = STATUS.read_text(encoding="ascii")
    except OSError:  # no Linux
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    peak = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(peak.split()[1]) * 1024


def _load(request: ParseRequest) -> None:
    """Import what reads this: that is installed code, and not what the limits are for."""
    with suppress(Exception):  # it is tried again, and told of, when the request is answered
        if isinstance(request, ParsePage):
            sources.find(request.source)
        elif isinstance(request, ReadPdf):
            import_module("livereview.parsing.pdf")
        elif isinstance(request, CopyPdf):
            import_module("livereview.parsing.safe_pdf")
        else:
            import_module("openpyxl")


def _channel() -> tuple[BinaryIO, BinaryIO]:
    """The two ends of the pipes, out of the reach of a parser that prints or reads."""
    requests, replies = os.fdopen(os.dup(0), "rb", buffering=0), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    os.close(nothing)
    return requests, replies


def _defaults() -> None:
    """Ctrl-C is the parent's affair; a timer ends the process; nothing is written when it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def receive(stream: BinaryIO) -> bytes | None:
    """The next message, or None at the end."""
    head = _exactly(stream, LENGTH.size)
    if head is None:
        return None
    return _exactly(stream, LENGTH.unpack(head)[0])


def _exactly(stream: BinaryIO, size: int) -> bytes | None:
    parts = []
    while size:
        part = stream.read(min(size, 1 << 20))
        if not part:
            return None
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def within(limits: Limits, request: ParseRequest) -> bytes:
    """The packed reply to one request, under its limits."""
    signal.setitimer(signal.ITIMER_REAL, limits.wall_seconds)
    signal.setitimer(signal.ITIMER_PROF, limits.cpu_seconds)
    resource.setrlimit(resource.RLIMIT_AS, (limits.memory_bytes, resource.RLIM_INFINITY))
    try:
        packed = _reply(request)
    except MemoryError:
        packed = pickle.dumps((EXCEEDED, "memory"))
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.setitimer(signal.ITIMER_PROF, 0)
    if len(packed) > limits.result_bytes:
        return pickle.dumps((EXCEEDED, "result"))
    return packed


def _reply(request: ParseRequest) -> bytes:
    answer: tuple[str, Any]
    try:
        answer = ANSWERED, packed(parse(request))
    except LivereviewError as error:
        answer = REFUSED, _plain(error)
    except RecursionError:
        answer = EXCEEDED, "depth"
    except MemoryError:
        raise
    except Exception:
        answer = FAILED, traceback.format_exc()[-4_000:]
    return pickle.dumps(answer, protocol=pickle.HIGHEST_PROTOCOL)


def _plain(error: LivereviewError) -> LivereviewError:
    """A third party's own kind of error as the one of ours that it is."""
    kind = next(
        kind for kind in (Retry, SourceBroken, Refused, LivereviewError) if isinstance(error, kind)
    )
    plain = kind(error.message)
    plain.__dict__.update(error.__dict__)
    return plain


def parse(request: ParseRequest) -> object:
    """The answer to a request, in this process."""
    if isinstance(request, ReadTable):
        return decisions.read(request.body, request.name)
    if isinstance(request, ReadPdf):
        # packed: a book has forty million bytes of boxes, and a tenth of that packed
        return pdf_text.pack(import_module("livereview.parsing.pdf").read(request.body))
    if isinstance(request, CopyPdf):
        return import_module("livereview.parsing.safe_pdf").copy(request.body)
    assert isinstance(request, ParsePage)
    source = sources.find(request.source)
    if source.read and request.query is not None:
        return source.read(request.body, request.query)
    return source.parse(request.body, request.cursor)


if __name__ == "__main__":
    main()
