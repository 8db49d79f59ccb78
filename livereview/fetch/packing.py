"""Unpacking what comes over the wire, a little at a time, so that a small answer can't become a
huge one unseen.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from livereview.errors import SourceBroken

PIECE = 65_536
EITHER = 47  # zlib: the stream's own header says whether it is gzip or deflate


def unpacked(packing: str, pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The pieces as their Content-Encoding says, each at most PIECE bytes long if it was packed.

    Raises zlib.error for a stream that is damaged or ends early (urllib3 takes that for whole),
    SourceBroken for a packing other than gzip and deflate.
    """
    kind = packing.strip().lower()
    if kind in ("", "identity"):
        yield from pieces
    elif kind in ("gzip", "x-gzip", "deflate"):
        yield from _inflated(pieces)
    else:
        raise SourceBroken(f"the answer is packed as {kind[:20]!r}, which nobody asked for")


def _inflated(pieces: Iterator[bytes]) -> Iterator[bytes]:
    engine, fed = zlib.decompressobj(EITHER), False
    for piece in pieces:
        while piece:
            fed = True
            if engine.eof:
                engine = zlib.decompressobj(EITHER)  # gzip may have several members
            yield engine.decompress(piece, PIECE)
            piece = engine.unused_data if engine.eof else engine.unconsumed_tail
    if fed and not engine.eof:
        raise zlib.error("ends early")
