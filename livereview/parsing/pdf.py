"""Reading a PDF: its text and the place of each character, by pdfium."""

from __future__ import annotations

import ctypes
import re
import zlib
from array import array
from collections.abc import Iterator

import pypdfium2
from pypdfium2 import raw as pdfium

from livereview.pdf_text import PER_POINT, PageText, PdfText

MOST_PAGES = 3_000
MOST_CHARACTERS = 6_000_000  # a thousand dense pages have three million
# letters a page on average, under which the pages are pictures: stamps of a library remain
LEAST_LETTERS_PER_PAGE = 20
MOST_UNPACKED = 20_000_000  # bytes of objects that are looked at for scripts
_ACTIVE = {
    "scripts": re.compile(rb"/(?:JavaScript|JS)(?![A-Za-z])"),
    "programs to start": re.compile(rb"/Launch(?![A-Za-z])"),
    "attached files": re.compile(rb"/EmbeddedFiles?(?![A-Za-z])"),
}
DICTIONARY = 600  # bytes before a stream in which its kind is said
_ESCAPED = re.compile(rb"#([0-9A-Fa-f]{2})")


def read(body: bytes) -> PdfText:
    """The text of a PDF; a file that can't be read is an answer too, by its state."""
    found = active(body)
    try:
        document = pypdfium2.PdfDocument(body)
    except pypdfium2.PdfiumError as error:
        is_locked = getattr(error, "err_code", None) == pdfium.FPDF_ERR_PASSWORD
        return PdfText("encrypted" if is_locked else "damaged", (), found)
    try:
        return _read(document, found)
    finally:
        document.close()


def _read(document: pypdfium2.PdfDocument, active: tuple[str, ...]) -> PdfText:
    if len(document) > MOST_PAGES:
        return PdfText("too long", (), active)
    pages: list[PageText] = []
    characters = 0
    for number in range(len(document)):
        try:
            page = _page(document, number)
        except pypdfium2.PdfiumError:
            page = PageText(0.0, 0.0, "")  # a damaged page: the others still count
        characters += len(page.text)
        if characters > MOST_CHARACTERS:
            return PdfText("too long", (), active)
        pages.append(page)
    letters = sum(1 for page in pages for sign in page.text if sign.isalnum())
    if letters < LEAST_LETTERS_PER_PAGE * len(pages):
        return PdfText("no text", (), active)
    return PdfText("read", tuple(pages), active)


def _page(document: pypdfium2.PdfDocument, number: int) -> PageText:
    page = document[number]
    try:
        width, height = page.get_size()
        text_page = page.get_textpage()
        try:
            text, boxes = _characters(text_page)
        finally:
            text_page.close()
    finally:
        page.close()
    return PageText(round(width, 2), round(height, 2), text, boxes)


def _characters(text_page: pypdfium2.PdfTextPage) -> tuple[str, bytes]:
    """The characters of a page in reading order, and a box for each."""
    left, right, bottom, top = (ctypes.c_double() for _ in range(4))
    corners = [ctypes.byref(number) for number in (left, right, bottom, top)]
    handle = text_page.raw
    signs: list[str] = []
    boxes = array("i")
    high = 0  # the first half of a character beyond U+FFFF
    for index in range(pdfium.FPDFText_CountChars(handle)):
        code = pdfium.FPDFText_GetUnicode(handle, index)
        if 0xD800 <= code < 0xDC00:
            high = code
            continue
        signs.append(_sign(code, high))
        high = 0
        if pdfium.FPDFText_GetCharBox(handle, index, *corners):
            numbers = (left.value, bottom.value, right.value, top.value)
            boxes.extend(_hundredths(number) for number in numbers)
        else:
            boxes.extend((0, 0, 0, 0))
    return "".join(signs), boxes.tobytes()


def _sign(code: int, high: int) -> str:
    """A character; what is none becomes U+FFFD."""
    if 0xDC00 <= code < 0xE000:
        if not high:
            return "\ufffd"
        return chr(0x10000 + ((high - 0xD800) << 10) + (code - 0xDC00))
    return chr(code) if 0 < code <= 0x10FFFF else "\ufffd"


def _hundredths(number: float) -> int:
    limit = 2**31 - 1
    if number != number:
        return 0
    return int(max(-limit, min(limit, number * PER_POINT)))


def active(body: bytes) -> tuple[str, ...]:
    """What in the file may run, going by the names in its objects: the keys of `_ACTIVE`."""
    objects = [_unescaped(part) for part in _objects(body)]
    return tuple(
        words for words, pattern in _ACTIVE.items() if any(pattern.search(part) for part in objects)
    )


def _objects(body: bytes) -> Iterator[bytes]:
    """The file without its streams, and the streams that hold objects, unpacked.

    Of the latter, `MOST_UNPACKED` bytes at most. Streams of other kinds are pictures and fonts, in
    which any name may stand by chance.
    """
    room = MOST_UNPACKED
    view = memoryview(body)
    place = 0
    while place < len(body):
        start = body.find(b"stream", place)
        stop = body.find(b"endstream", start) if start >= 0 else -1
        if stop < 0:
            yield body[place:]
            return
        yield body[place:start]
        if b"/ObjStm" in body[max(place, start - DICTIONARY) : start] and room > 0:
            part = _unpacked(view[start + len(b"stream") : stop], room)
            room -= len(part)
            yield part
        place = stop + len(b"endstream")


def _unpacked(stream: memoryview, most: int) -> bytes:
    packed = bytes(stream).lstrip(b"\r\n")
    try:
        return zlib.decompressobj().decompress(packed, most)
    except zlib.error:
        return packed[:most]  # not compressed, or encrypted


def _unescaped(part: bytes) -> bytes:
    """Names as they are meant: "/J#61vaScript" is "/JavaScript"."""
    return _ESCAPED.sub(lambda match: bytes([int(match[1], 16)]), part)
