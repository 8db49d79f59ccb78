"""An Excel file is unpacked once, piece by piece, before anything reads it: what its headers say is
not believed.

A few megabytes can unpack to gigabytes, and a table of texts that is merely large takes ten times
its size in memory.
"""

from __future__ import annotations

import io
import warnings
import zipfile
import zlib
from collections.abc import Iterator, Sequence

from livereview.errors import Refused

MEGABYTE = 1_000_000
MOST_PARTS = 1_000  # files in the file: an Excel file has about ten, and one more for each sheet
LARGEST = 150 * MEGABYTE  # of all that is read: 250,000 rows of decisions
LARGEST_TEXTS = 60 * MEGABYTE  # of the table of texts, which is kept in memory: 20,000 abstracts
LARGEST_OTHER = 5 * MEGABYTE  # of each part that is neither a sheet nor the texts
RATIO = 40  # times its packed size: real sheets have 5 to 20
UNSUSPICIOUS = 10 * MEGABYTE  # below which the ratio says nothing

CHUNK = 1 << 18
# the others unpack a whole block at a time, however large
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
READ = (".xml", ".rels")
DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    SyntaxError,
    KeyError,
    IndexError,
    TypeError,
    AttributeError,
    ValueError,
    OSError,
    RuntimeError,
    NotImplementedError,
    EOFError,
)


def is_workbook(body: bytes) -> bool:
    """Whether the bytes are an Excel file (.xlsx), and no other kind of packed file."""
    if not body.startswith(b"PK"):
        return False
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as packed:
            return "xl/workbook.xml" in packed.namelist()
    except DAMAGED:
        return False


def rows(
    body: bytes, name: str, *, widest: int, longest: int, wanted: str | None = None
) -> Iterator[Sequence[object]]:
    """The rows of a sheet as Excel's values, which are unpacked under the limits of `check`.

    Args:
        name: What the file is called, for what is said of it.
        widest: Columns that a row may fill.
        longest: Rows after which it ends, one more than these.
        wanted: The name of the sheet; None: the one on top.

    Raises:
        Refused: it is damaged, larger than a sheet that people make, or has no such sheet.
    """
    from openpyxl import load_workbook  # a quarter of a second that only Excel files need

    # it tells of parts of a sheet that it leaves out, such as rules for what may be typed
    warnings.filterwarnings("ignore", category=UserWarning, module="openpyxl")
    try:
        check(body, name)
        book = load_workbook(io.BytesIO(body), read_only=True, data_only=True)
        if wanted is not None and wanted not in book.sheetnames:
            raise Refused(
                f"{name} has no sheet {wanted!r}; its sheets are {', '.join(book.sheetnames)}"
            )
        sheet = book.active if wanted is None else book[wanted]
        if sheet is None:
            raise Refused(f"{name} has no sheet")
        for row in sheet.iter_rows(values_only=True, max_col=widest + 1, max_row=longest + 1):
            if len(row) > widest and row[widest] is not None:
                raise Refused(f"{name} has more than {widest} columns; keep those that are needed")
            yield row
    except DAMAGED as error:
        raise Refused(
            f"{name} is not a whole Excel file: {error}; save it again or as CSV"
        ) from None


def check(body: bytes, name: str) -> None:
    """Nothing for a workbook of a size that people make.

    Raises:
        Refused: it unpacks to more, or holds what no spreadsheet writes.
        DAMAGED: it can't be unpacked.
    """
    total = 0
    with zipfile.ZipFile(io.BytesIO(body)) as packed:
        parts = packed.infolist()
        if len(parts) > MOST_PARTS:
            raise Refused(
                f"{name} holds {len(parts):,} files; an Excel file has at most {MOST_PARTS:,}"
            )
        for part in parts:
            if part.filename.lower().endswith(READ):
                total = _unpack(packed, part, name, total, len(body))


def _unpack(
    packed: zipfile.ZipFile, part: zipfile.ZipInfo, name: str, total: int, packed_size: int
) -> int:
    """`total` and the bytes of this part, which are counted while they come and not kept."""
    if part.compress_type not in METHODS:
        raise Refused(
            f"{name} is packed in a way that no spreadsheet uses; save it again or as CSV"
        )
    limit, size = _limit(part.filename), 0
    for chunk in _chunks(packed, part):
        # it stands before the root or nowhere
        if size == 0 and b"<!DOCTYPE" in chunk.replace(b"\0", b""):
            raise Refused(
                f"{name} declares entities, which no spreadsheet does; save it again or as CSV"
            )
        size += len(chunk)
        total += len(chunk)
        if size > limit:
            raise Refused(_too_large(f"{name}: {part.filename[:80]!r}", limit))
        if total > LARGEST:
            raise Refused(_too_large(name, LARGEST))
        if total > UNSUSPICIOUS and total > RATIO * packed_size:
            raise Refused(_too_large(name, RATIO * packed_size))
    return total


def _chunks(packed: zipfile.ZipFile, part: zipfile.ZipInfo) -> Iterator[bytes]:
    with packed.open(part) as stream:
        while chunk := stream.read(CHUNK):
            yield chunk


def _limit(part: str) -> int:
    """How many bytes a part may have, by its name."""
    plain = part.lower()
    if "sharedstrings" in plain:
        return LARGEST_TEXTS
    return LARGEST if "/worksheets/" in plain else LARGEST_OTHER


def _too_large(what: str, limit: int) -> str:
    megabytes = max(limit // MEGABYTE, 1)
    return (
        f"{what} unpacks to more than {megabytes:,} MB, which no sheet that people make does;"
        " split it or save it as CSV"
    )
