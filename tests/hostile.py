"""Files and pages that somebody made to stop whoever reads them."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Mapping

from openpyxl import Workbook

SHARED = "xl/sharedStrings.xml"
_RELATION = (
    b'<Relationship Id="rIdTexts" Target="sharedStrings.xml" '
    b'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings"/></Relationships>'
)
_TYPE = (
    b'<Override PartName="/xl/sharedStrings.xml" '
    b'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"/></Types>'
)


def workbook(*rows: list[object]) -> bytes:
    """An Excel file with these rows."""
    book, out = Workbook(), io.BytesIO()
    for row in rows or (["title", "decision"], ["A trial of care", "include"]):
        book.active.append(row)
    book.save(out)
    return out.getvalue()


def repacked(
    body: bytes, parts: Mapping[str, Iterator[bytes] | bytes], method: int = zipfile.ZIP_DEFLATED
) -> bytes:
    """The workbook with other or further parts."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(body)) as before, zipfile.ZipFile(out, "w", method) as after:
        for name in before.namelist():
            if name not in parts:
                content = before.read(name)
                if name.endswith("workbook.xml.rels"):
                    content = content.replace(b"</Relationships>", _RELATION)
                after.writestr(name, content.replace(b"</Types>", _TYPE))
        for name, given in parts.items():
            with after.open(name, "w", force_zip64=True) as part:
                for piece in [given] if isinstance(given, bytes) else given:
                    part.write(piece)
    return out.getvalue()


def texts(megabytes: int) -> Iterator[bytes]:
    """A table of texts of this size."""
    yield b'<?xml version="1.0"?><sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
    text = b"".join(
        b"<si><t>words %d of a text that goes on for a while</t></si>" % n for n in range(20_000)
    )
    for _ in range(megabytes * 1_000_000 // len(text) + 1):
        yield text
    yield b"</sst>"


def crowded(count: int, value: str = "x") -> str:
    """An element with so many attributes."""
    return "<i " + " ".join(f'a{n}="{value}"' for n in range(count)) + ">words</i>"


def feed(title: str, channel: str = "<channel>") -> bytes:
    """A well-formed feed of one item."""
    item = f"<item><title>{title}</title><link>https://a.example/1</link><guid>1</guid></item>"
    return f'<?xml version="1.0"?><rss version="2.0">{channel}<title>F</title>{item}</channel></rss>'.encode()
