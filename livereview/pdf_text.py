"""The text of a PDF with the place of each character: plain data, read in a process with limits.

It is derived from the file and can be made again at any time, so it is kept beside the full texts
and is no part of a backup.
"""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from array import array
from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

READER = 2  # its version: what an older one read is read again

State = Literal["read", "no text", "encrypted", "damaged", "too long"]
STATES: dict[State, str] = {
    "read": "",
    "no text": "it holds no text: a scan, perhaps. Add a copy with text (OCR) to find quotes in it",
    "encrypted": "it opens with a password only; add a copy without one",
    "damaged": "it can't be read as a PDF; save it again from the publisher's page",
    "too long": "it is longer than any report; add the part that the study is in",
}
ABOUT = "about.json"
# of zlib: a higher one makes files a tenth smaller and takes three times as long
COMPRESSION = 3
MOST_UNPACKED = 150_000_000  # bytes: six million characters (parsing/pdf.py) have 120 million
PER_POINT = 100  # boxes are whole hundredths of a point, 1/72 inch
BOX = 4  # numbers: left, bottom, right, top
# of its height that two boxes must share to stand on one line
SAME_LINE = 0.5


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle on a page, in points from its lower left corner."""

    left: float
    bottom: float
    right: float
    top: float


@dataclass(frozen=True, slots=True)
class PageText:
    """A page: its size in points, its text, and the boxes of its characters as packed int32.

    Characters that are nowhere on the page, such as line ends, have an empty box.
    """

    width: float
    height: float
    text: str
    boxes: bytes = b""


@dataclass(frozen=True)
class PdfText:
    """What could be read of a file.

    Attributes:
        state: Whether it was read, or why not; `STATES` has the words.
        active: What in it may run: "scripts", "programs to start", "attached files".
    """

    state: State
    pages: tuple[PageText, ...] = ()
    active: tuple[str, ...] = ()

    @cached_property
    def text(self) -> str:
        """The text of all pages; a line ends between them."""
        return "\n".join(page.text for page in self.pages)

    @cached_property
    def _starts(self) -> list[int]:
        starts, at = [], 0
        for page in self.pages:
            starts.append(at)
            at += len(page.text) + 1
        return starts

    def page_at(self, place: int) -> int:
        """The number of the page, from 1, that this character of `text` stands on."""
        return bisect_right(self._starts, place)

    def start_of(self, number: int) -> int:
        """Where in `text` the page of this number, from 1, begins."""
        return self._starts[number - 1]

    def boxes(self, start: int, end: int) -> tuple[tuple[int, Box], ...]:
        """(page, box) of each line of `text[start:end]`, in order."""
        lines: list[tuple[int, Box]] = []
        for number in range(self.page_at(start), self.page_at(max(start, end - 1)) + 1):
            begin = self._starts[number - 1]
            page = self.pages[number - 1]
            first, last = max(0, start - begin), min(len(page.text), end - begin)
            lines += [(number, box) for box in _lines(page.boxes, first, last)]
        return tuple(lines)


def _lines(boxes: bytes, first: int, last: int) -> list[Box]:
    """The boxes of characters put together by lines."""
    numbers = array("i")
    numbers.frombytes(boxes[first * BOX * numbers.itemsize : last * BOX * numbers.itemsize])
    lines: list[Box] = []
    for place in range(0, len(numbers) - BOX + 1, BOX):
        left, bottom, right, top = (number / PER_POINT for number in numbers[place : place + BOX])
        if right <= left or top <= bottom:
            continue
        box = Box(left, bottom, right, top)
        if lines and _on_one_line(lines[-1], box):
            lines[-1] = _around(lines[-1], box)
        else:
            lines.append(box)
    return lines


def _on_one_line(line: Box, box: Box) -> bool:
    shared = min(line.top, box.top) - max(line.bottom, box.bottom)
    height = min(line.top - line.bottom, box.top - box.bottom)
    return shared > SAME_LINE * height and box.right > line.left


def _around(line: Box, box: Box) -> Box:
    return Box(
        min(line.left, box.left),
        min(line.bottom, box.bottom),
        max(line.right, box.right),
        max(line.top, box.top),
    )


def pack(text: PdfText) -> bytes:
    """The text as it is kept, an archive of what it is and of its boxes by page; `unpack` reads it
    back. The same text makes the same bytes.
    """
    about = {
        "reader": READER,
        "state": text.state,
        "active": list(text.active),
        "pages": [[page.width, page.height, page.text] for page in text.pages],
    }
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=COMPRESSION) as archive:
        archive.writestr(_entry(ABOUT), json.dumps(about))
        for number, page in enumerate(text.pages, start=1):
            archive.writestr(_entry(_boxes_of(number)), page.boxes)
    return target.getvalue()


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name)  # of the year 1980, always
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry


def _boxes_of(number: int) -> str:
    return f"boxes/{number}"


def unpack(kept: bytes) -> PdfText | None:
    """What `pack` kept; None where an older reader made it, or the bytes are damaged or unpack to
    more than any text does.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(kept)) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > MOST_UNPACKED:
                return None
            about: dict[str, Any] = json.loads(archive.read(ABOUT))
            if about["reader"] != READER:
                return None
            pages = [
                PageText(width, height, text, archive.read(_boxes_of(number)))
                for number, (width, height, text) in enumerate(about["pages"], start=1)
            ]
            return PdfText(about["state"], tuple(pages), tuple(about["active"]))
    except (zipfile.BadZipFile, OSError, EOFError, zlib.error, ValueError, KeyError, TypeError):
        return None
