"""Small PDFs for tests, written by hand: lines of Helvetica, one list a page."""

from __future__ import annotations

from collections.abc import Sequence

_FONT = b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>"


def pdf(*pages: Sequence[str], catalog: bytes = b"", objects: Sequence[bytes] = ()) -> bytes:
    """A PDF with these lines on its pages; `catalog` is put into its root."""
    kids = b" ".join(f"{4 + 2 * n} 0 R".encode() for n in range(len(pages)))
    parts = [
        b"<</Type/Catalog/Pages 2 0 R" + catalog + b">>",
        b"<</Type/Pages/Kids[" + kids + f"]/Count {len(pages)}>>".encode(),
        _FONT,
    ]
    for n, lines in enumerate(pages):
        content = _content(lines)
        parts.append(
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<</Font<</F1 3 0 R>>>>"
            + f"/Contents {5 + 2 * n} 0 R>>".encode()
        )
        parts.append(f"<</Length {len(content)}>>stream\n".encode() + content + b"\nendstream")
    return _file([*parts, *objects])


def _content(lines: Sequence[str]) -> bytes:
    shown = [b"BT /F1 10 Tf 12 TL 50 780 Td"]
    for line in lines:
        escaped = line.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
        shown.append(b"(" + escaped.encode("cp1252") + b") Tj T*")
    return b"\n".join([*shown, b"ET"])


def _file(objects: Sequence[bytes], trailer: bytes = b"") -> bytes:
    body = b"%PDF-1.7\n"
    places = []
    for n, part in enumerate(objects, start=1):
        places.append(len(body))
        body += f"{n} 0 obj\n".encode() + part + b"\nendobj\n"
    start = len(body)
    body += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode()
    body += b"".join(f"{place:010} 00000 n \n".encode() for place in places)
    body += f"trailer\n<</Size {len(objects) + 1}/Root 1 0 R".encode() + trailer + b">>\n"
    return body + f"startxref\n{start}\n%%EOF\n".encode()


def encrypted() -> bytes:
    """A PDF that asks for a password."""
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[]/Count 0>>",
        b"<</Filter/Standard/V 1/R 2/Length 40/P -4/O<"
        + b"41" * 32
        + b">/U<"
        + b"42" * 32
        + b">>>",
    ]
    return _file(objects, b"/Encrypt 3 0 R/ID[<00><00>]")
