"""The files that others' formats ask for: the summary says what is in them, libraries write them."""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
import sys
from collections import OrderedDict
from collections.abc import Sequence

from livereview.store.parquet import parquet
from livereview.summary.tables import Table

KEPT = 256  # pictures
KEPT_TABLES = 128
LARGEST_TABLE = 2**20  # bytes of a file that is kept: an owner of many reviews keeps few large ones
# what was drawn lately, by SVG: most pictures are the same in the next build
_known: dict[str, bytes] = {}
_tables: OrderedDict[str, bytes] = OrderedDict()  # likewise, by a digest of the table


def encode(table: Table) -> bytes:
    """The table as a Parquet file: rows and columns of its CSV, with types.

    Integers, doubles and text; null where the CSV is empty. A text is as it was told: where the CSV
    puts an apostrophe before what a spreadsheet would run, and one blank for a line break, here
    nothing is added or taken. Most tables are the same in the next build, so the files are kept.
    """
    digest = hashlib.sha256(repr((table.columns, table.rows)).encode()).hexdigest()
    written = _tables.pop(digest, None)
    if written is None:
        written = parquet(table.columns, table.rows)
    if len(written) <= LARGEST_TABLE:
        _tables[digest] = written
    while len(_tables) > KEPT_TABLES:
        _tables.popitem(last=False)
    return written


def draw(svgs: Sequence[str]) -> list[bytes]:
    """Each picture as PNG, drawn by a process of its own: resvg lets no other thread run, and
    people wait for pages.
    """
    known = {svg: _known[svg] for svg in list(_known) if svg in set(svgs)}
    if new := [svg for svg in dict.fromkeys(svgs) if svg not in known]:
        known |= zip(new, _apart(new), strict=True)
    _known.update(known)
    for old in list(_known)[:-KEPT]:
        _known.pop(old, None)
    return [known[svg] for svg in svgs]


def _apart(svgs: Sequence[str]) -> list[bytes]:
    command = [sys.executable, "-m", "livereview.summary.raster"]
    done = subprocess.run(  # noqa: S603
        command, input=json.dumps(svgs), capture_output=True, check=True, text=True
    )
    return [base64.b64decode(text) for text in json.loads(done.stdout)]
