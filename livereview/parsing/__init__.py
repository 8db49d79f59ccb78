"""Where bytes from outside are read: in a process of its own, which may run out of time or memory
and stops nobody.

A page, a feed or an uploaded table can be made so that reading it takes hours or gigabytes.
Python's regular expressions hold the interpreter's lock meanwhile, so a thread is no protection.
Whoever must go on — the owner, a flow — asks here and gets the answer, the parser's own error, or
`ParseExceeded`.

    read_page(ParsePage)        -> Page
    read_decisions(ReadTable)   -> Sheet
    read_pdf(ReadPdf)           -> PdfText
    copy_pdf(CopyPdf)           -> bytes | None

Commands that one person runs for themselves (`livereview parse`, `livereview decide`) call the
parsers directly: nobody waits for them but that person, who has Ctrl-C.
"""

from __future__ import annotations

from collections.abc import Callable

from livereview.exchange.decisions import Sheet
from livereview.parsing.pool import Pool
from livereview.parsing.requests import (
    CopyPdf,
    Limits,
    ParseExceeded,
    ParsePage,
    ParserFailed,
    ReadPdf,
    ReadTable,
    limits_for,
)
from livereview.pdf_text import PdfText, unpack
from livereview.sources.protocol import Page, Query

__all__ = [
    "CopyPdf",
    "Limits",
    "ParseExceeded",
    "ParsePage",
    "ParserFailed",
    "ReadPdf",
    "ReadTable",
    "close",
    "copy_pdf",
    "limits_for",
    "read_decisions",
    "read_page",
    "read_pdf",
    "reader",
]

# the flow's search and one more; a bad page takes one of them for a minute at most
PAGE_WORKERS = 2
UPLOAD_WORKERS = 1  # a bad upload makes other uploads wait, never a night's pages
PDF_WORKERS = 1  # fifty publications at once take one core, and leave the other to people

_pages = Pool(PAGE_WORKERS)
_uploads = Pool(UPLOAD_WORKERS)
_pdfs = Pool(PDF_WORKERS)
_POOLS = (_pages, _uploads, _pdfs)


def read_page(request: ParsePage, limits: Limits | None = None) -> Page:
    """What one answer of a source holds, as `Source.parse` or `Source.read` gives it.

    Raises:
        ParseExceeded: reading it took more than `limits` (None: those for its size).
        LivereviewError: what the source itself says of these bytes.
        ParserFailed: a bug in the parser, with its traceback.
    """
    answer = _pages.run(request, limits or limits_for(request))
    assert isinstance(answer, Page)
    return answer


def reader(source: str) -> Callable[[bytes, Query, str | None], Page]:
    """How `fetch.paging.pages` reads the pages of this source for their cursors."""

    def read(body: bytes, query: Query, cursor: str | None) -> Page:
        return read_page(ParsePage(source, body, cursor, query))

    return read


def read_decisions(request: ReadTable, limits: Limits | None = None) -> Sheet:
    """The decisions in a file that somebody sent; raises as `read_page` does."""
    answer = _uploads.run(request, limits or limits_for(request))
    assert isinstance(answer, Sheet)
    return answer


def read_pdf(request: ReadPdf, limits: Limits | None = None) -> PdfText:
    """The text of a publication with its places; a file that can't be read is an answer too.

    Raises:
        ParseExceeded: reading it took more than `limits`, or pdfium ended with it.
        ParserFailed: a bug in the reader.
    """
    answer = _pdfs.run(request, limits or limits_for(request))
    text = unpack(answer) if isinstance(answer, bytes) else None
    if text is None:
        raise ParserFailed("the text of a PDF came back damaged")
    return text


def copy_pdf(request: CopyPdf, limits: Limits | None = None) -> bytes | None:
    """The publication without what may run in it; None where there can be no such copy.

    Raises as `read_pdf` does.
    """
    answer = _pdfs.run(request, limits or limits_for(request))
    assert answer is None or isinstance(answer, bytes)
    return answer


def close() -> None:
    """End the worker processes; they come back when they are needed."""
    for pool in _POOLS:
        pool.close()


def stop() -> None:
    """End the worker processes, and let whoever asks for one be told to try again later.

    For an owner that ends: its threads must not wait for a book that is being read.
    """
    for pool in _POOLS:
        pool.stop()


def resume() -> None:
    """Read again after `stop`."""
    for pool in _POOLS:
        pool.resume()
