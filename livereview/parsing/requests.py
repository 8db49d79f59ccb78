"""What can be asked of a parser's process, what it may use, and what comes of asking for too much."""

from __future__ import annotations

from dataclasses import dataclass

from livereview.errors import SourceBroken
from livereview.sources.protocol import Query

MEGABYTE = 1_000_000

# The slowest real page of 5 MB takes about three seconds of CPU, and ten times its size in memory.
CPU_SECONDS = 60.0
CPU_SECONDS_PER_MEGABYTE = 2.0
WALL_PER_CPU = 4.0  # on a machine that is busy with other things a second of CPU takes several
LEAST_WALL_SECONDS = 240.0
MOST_WALL_SECONDS = 500.0  # less than the 600 s that a flow waits for the owner's answer
MEMORY_BYTES = 1_000 * MEGABYTE
MEMORY_PER_BYTE = 12
RESULT_BYTES = 20 * MEGABYTE
RESULT_PER_BYTE = 4


@dataclass(frozen=True, slots=True)
class ParsePage:
    """One answer of a source: `query` is for sources that must know what was asked, `cursor` for
    the others.
    """

    source: str
    body: bytes
    cursor: str | None = None
    query: Query | None = None

    @property
    def subject(self) -> str:
        return "this page"


@dataclass(frozen=True, slots=True)
class ReadTable:
    """A file of decisions that somebody sent."""

    body: bytes
    name: str

    @property
    def subject(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class ReadPdf:
    """A publication as PDF."""

    body: bytes
    name: str

    @property
    def subject(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class CopyPdf:
    """A publication as PDF, of which a copy is wanted in which nothing can run."""

    body: bytes
    name: str

    @property
    def subject(self) -> str:
        return self.name


ParseRequest = ParsePage | ReadTable | ReadPdf | CopyPdf


@dataclass(frozen=True, slots=True)
class Limits:
    """What reading one body may use."""

    cpu_seconds: float
    wall_seconds: float
    memory_bytes: int
    result_bytes: int


def limits_for(request: ParseRequest) -> Limits:
    """The limits for a body of this size: a file of a hundred thousand records may take its time."""
    size = len(request.body)
    cpu_seconds = CPU_SECONDS + CPU_SECONDS_PER_MEGABYTE * size / MEGABYTE
    return Limits(
        cpu_seconds=cpu_seconds,
        wall_seconds=min(max(cpu_seconds * WALL_PER_CPU, LEAST_WALL_SECONDS), MOST_WALL_SECONDS),
        memory_bytes=MEMORY_BYTES + MEMORY_PER_BYTE * size,
        result_bytes=RESULT_BYTES + RESULT_PER_BYTE * size,
    )


class ParseExceeded(SourceBroken):
    """Reading the bytes took more time or memory than it may, or ended the process that read them."""


class ParserFailed(RuntimeError):
    """A bug in a parser: the message is its traceback."""
