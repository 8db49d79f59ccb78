"""Files that people bring packed: unpacked piece by piece, and no further than a real one goes."""

from __future__ import annotations

import zlib

from livereview.errors import Refused

MEGABYTE = 1_000_000
LARGEST = 500 * MEGABYTE  # after unpacking; a larger file is split by whoever exported it
RATIO = 100  # times the packed size: real exports have 3 to 15
UNSUSPICIOUS = 20 * MEGABYTE  # below which the ratio says nothing
PIECE = 1 << 16  # of the packed file: what follows a member is copied at its end
MOST_MEMBERS = 20_000
_GZIP = 31  # what zlib calls a stream with the head and the end of gzip
_MARK = b"\x1f\x8b"


def unpacked(body: bytes, name: str, largest: int = LARGEST) -> bytes:
    """The file's bytes, unpacked if it is gzip, which may have several members.

    Raises:
        Refused: it is damaged, cut off, or unpacks to more than a real file does.
    """
    if not body.startswith(_MARK):
        return body
    most = min(largest, max(UNSUSPICIOUS, RATIO * len(body)))
    whole = bytearray()
    start = members = 0
    try:
        while body.startswith(_MARK, start) and len(whole) <= most and members < MOST_MEMBERS:
            start = _member(body, start, whole, most)
            members += 1
    except zlib.error as error:
        raise Refused(f"{name} can't be read: {error}; check that it was copied whole") from None
    if len(whole) > most:
        raise Refused(
            f"{name} unpacks to more than {most // MEGABYTE:,} MB from {len(body):,} bytes; split it"
        )
    if members == MOST_MEMBERS and start < len(body):
        raise Refused(f"{name} is packed in more than {MOST_MEMBERS:,} parts; pack it again")
    return bytes(whole)


def _member(packed: bytes, start: int, whole: bytearray, most: int) -> int:
    """Add what one member holds to `whole`, or as much as shows that it is too much.

    Where the next one may begin.
    """
    engine = zlib.decompressobj(_GZIP)
    for begin in range(start, len(packed), PIECE):
        pending = packed[begin : begin + PIECE]
        end = begin + len(pending)
        while pending and not engine.eof and len(whole) <= most:
            whole += engine.decompress(pending, MEGABYTE)
            pending = engine.unconsumed_tail
        if engine.eof:
            return end - len(engine.unused_data)
        if len(whole) > most:
            return end
    raise zlib.error("it ends early")
