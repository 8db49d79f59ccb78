"""The recall curve as PNG, for where an SVG can't go, such as a mail or a word processor.

Standard library only.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from math import ceil, floor, hypot
from textwrap import wrap

from livereview.errors import Refused
from livereview.ranking.curve import POINTS

WIDTH, HEIGHT, LEAST, MOST = 960, 600, 240, 8_192  # pixels
WHITE, BLACK, GRID = 255, 0, 205  # shades of grey
SIGNATURE = b"\x89PNG\r\n\x1a\n"
CAPTION = "records read (dotted: the best order; dashed: any order)"
UPRIGHT = "relevant ones found"
# marked on the upright axis, the more important first where not all labels fit
SHARES = (1.0, 0.95, 0.5, 0.0)

# Seven rows of five pixels a sign, a row two hexadecimal digits, the leftmost pixel the highest
# bit.
ACROSS, DOWN = 5, 7
FONT = dict(
    line.split()
    for line in """
    0 0E11131519110E
    1 040C040404040E
    2 0E11010204081F
    3 1F02040201110E
    4 02060A121F0202
    5 1F101E0101110E
    6 0608101E11110E
    7 1F010204080808
    8 0E11110E11110E
    9 0E11110F01020C
    A 0E11111F111111
    B 1E11111E11111E
    C 0E11101010110E
    D 1C12111111121C
    E 1F10101E10101F
    F 1F10101E101010
    G 0E11101713110F
    H 1111111F111111
    I 0E04040404040E
    J 0702020202120C
    K 11121418141211
    L 1010101010101F
    M 111B1515111111
    N 11111915131111
    O 0E11111111110E
    P 1E11111E101010
    Q 0E11111115120D
    R 1E11111E141211
    S 0F10100E01011E
    T 1F040404040404
    U 1111111111110E
    V 11111111110A04
    W 1111111515150A
    X 11110A040A1111
    Y 11110A04040404
    Z 1F01020408101F
    . 00000000000C0C
    , 00000000060408
    : 00060600060600
    ; 00060600060408
    % 18190204081303
    ( 02040808080402
    ) 08040202020408
    - 0000001F000000
    + 0004041F040400
    = 00001F001F0000
    / 00010204081000
    < 02040810080402
    > 08040201020408
    ' 04040000000000
    ? 0E110102040004
    """.strip().splitlines()
)

Point = tuple[float, float]
Rows = list[bytearray]  # one byte a pixel, 0 black to 255 white


@dataclass(frozen=True, slots=True)
class Plot:
    """Where the plot lies in the picture, in pixels, and how many pixels a dot of the font is wide
    and high.
    """

    left: int
    top: int
    right: int
    bottom: int
    dot: int

    def at(self, read: float, recall: float) -> Point:
        """The pixel of a share of records read and of relevant ones found."""
        return self.left + (self.right - self.left) * read, self.bottom - (
            self.bottom - self.top
        ) * recall


def png(
    labels: Sequence[int],
    name: str,
    stops: Sequence[tuple[str, int]] = (),
    width: int = WIDTH,
    height: int = HEIGHT,
) -> bytes:
    """The curve of `curve.svg` in pixels: share of the relevant found by number read, the best and
    the chance order.

    labels: 1 relevant, 0 not, in the order read; stops: (rule, records read), marked by a letter.
    Grey, 8 bits a pixel. Its title and a description are in it as text (iTXt). Signs the small font
    lacks are drawn as "?". The same arguments give the same pixels, and with the same zlib the same
    bytes. PNG (Third Edition), W3C Recommendation 2025. Raises Refused without a relevant label,
    for a stop outside the reading and for a size that can't be drawn.
    """
    _checked(labels, stops, width, height)
    found = [0, *accumulate(labels)]
    legend = [_legend(row, rule, read, found) for row, (rule, read) in enumerate(stops)]
    dot = max(1, min(width, height) // 300)
    lines = [part for line in legend for part in wrap(line, max(1, (width - 8 * dot) // (6 * dot)))]
    plot = _plot(len(labels), len(lines), dot, width, height)
    rows = [bytearray([WHITE]) * width for _ in range(height)]
    _axes(rows, plot, len(labels))
    _curves(rows, plot, found)
    for row, (_, read) in enumerate(stops):
        _stop(rows, plot, read / len(labels), found[read] / found[-1], _letter(row))
    for row, line in enumerate(lines):
        _write(rows, line, 4 * dot, plot.bottom + (35 + 10 * row) * dot, dot)
    return _file(rows, name, " ".join([_told(found), *legend]))


def _checked(
    labels: Sequence[int], stops: Sequence[tuple[str, int]], width: int, height: int
) -> None:
    if not any(labels):
        raise Refused("a recall curve needs a relevant record; screen until one is found")
    if not (LEAST <= width <= MOST and LEAST <= height <= MOST):
        raise Refused(
            f"a picture is {LEAST} to {MOST:,} pixels wide and high; {width} x {height} is not"
        )
    if any(not 0 <= read <= len(labels) for _, read in stops):
        raise Refused(f"a rule stops after 0 to {len(labels):,} records, as many as were read")
    if len(stops) > 8:
        raise Refused("a picture has room for 8 stops; leave some out")


def _legend(row: int, rule: str, read: int, found: Sequence[int]) -> str:
    return f"{_letter(row)}: {rule}, {read:,} read, recall {found[read] / found[-1]:.1%}."


def _letter(row: int) -> str:
    return chr(ord("A") + row)


def _told(found: Sequence[int]) -> str:
    n, relevant = len(found) - 1, found[-1]
    half, last = found.index(-(-relevant // 2)), found.index(relevant)
    return f"{relevant:,} relevant of {n:,} records; half found after {half:,}, all after {last:,}."


def _plot(n: int, lines: int, dot: int, width: int, height: int) -> Plot:
    """The plot takes what labels and legend leave."""
    bottom = height - (36 + 10 * lines) * dot
    if bottom - 12 * dot < LEAST // 4:
        raise Refused(
            "these stops leave no room for the curve; make the picture higher or leave some out"
        )
    return Plot(32 * dot, 12 * dot, width - (6 + _long(f"{n:,}") // 2) * dot, bottom, dot)


def _long(text: str) -> int:
    """Of a text, in dots."""
    return (ACROSS + 1) * len(text) - 1


def _axes(rows: Rows, plot: Plot, n: int) -> None:
    taken: list[float] = []
    for share in SHARES:
        (x, y), (end, _) = plot.at(0, share), plot.at(1, share)
        _draw(rows, (x, y), (end, y), plot.dot / 2, GRID)
        if all(abs(y - other) >= (DOWN + 2) * plot.dot for other in taken):
            taken.append(y)
            text = f"{share:.0%}"
            _write(
                rows,
                text,
                plot.left - (4 + _long(text)) * plot.dot,
                round(y) - 3 * plot.dot,
                plot.dot,
            )
    wide = plot.right - plot.left
    parts = next(p for p in (4, 2, 1) if p == 1 or wide / p > (_long(f"{n:,}") + 6) * plot.dot)
    for read in sorted({round(n * i / parts) for i in range(parts + 1)}):
        (x, y), (_, top) = plot.at(read / n, 0), plot.at(read / n, 1)
        _draw(rows, (x, y), (x, top), plot.dot / 2, GRID)
        _centred(rows, f"{read:,}", x, plot.bottom + 6 * plot.dot, plot.dot)
    for corner in (plot.at(0, 1), plot.at(1, 0)):
        _draw(rows, plot.at(0, 0), corner, plot.dot * 0.75, BLACK)
    if _long(CAPTION) * plot.dot <= wide + plot.left:
        short = CAPTION
    else:
        short = CAPTION.split(" (")[0]
    _write(rows, UPRIGHT, plot.left - 4 * plot.dot, plot.top - 11 * plot.dot, plot.dot)
    _centred(rows, short, (plot.left + plot.right) / 2, plot.bottom + 20 * plot.dot, plot.dot)


def _curves(rows: Rows, plot: Plot, found: Sequence[int]) -> None:
    n, relevant = len(found) - 1, found[-1]
    best = [plot.at(0, 0), plot.at(relevant / n, 1), plot.at(1, 1)]
    for way, on, off in ((best, 1, 3), ([plot.at(0, 0), plot.at(1, 1)], 6, 4)):
        for start, end in _dashes(way, on * plot.dot, off * plot.dot):
            _draw(rows, start, end, plot.dot * 0.75, BLACK)
    shown = sorted({round(i * n / POINTS) for i in range(POINTS + 1)})
    for start, end in pairwise(plot.at(i / n, found[i] / relevant) for i in shown):
        _draw(rows, start, end, plot.dot * 1.5, BLACK)


def _dashes(way: Sequence[Point], on: float, off: float) -> Iterator[tuple[Point, Point]]:
    """Pieces of `on` pixels, `off` pixels apart, beginning again at each corner."""
    for (x, y), (end_x, end_y) in pairwise(way):
        length = hypot(end_x - x, end_y - y)
        for i in range(ceil(length / (on + off))):
            a, b = i * (on + off) / length, min(1.0, (i * (on + off) + on) / length)
            yield (
                (x + a * (end_x - x), y + a * (end_y - y)),
                (x + b * (end_x - x), y + b * (end_y - y)),
            )


def _stop(rows: Rows, plot: Plot, read: float, recall: float, letter: str) -> None:
    x, y = plot.at(read, recall)
    _draw(rows, (x, y), (x, y), plot.dot * 6, BLACK)
    _centred(rows, letter, x, round(y) + 6 * plot.dot, plot.dot)


def _draw(rows: Rows, start: Point, end: Point, width: float, shade: int) -> None:
    """A line with round ends; a pixel is as dark as the line covers it, by its centre's distance.

    The darker stays.
    """
    (x, y), (end_x, end_y), half = start, end, width / 2 + 0.5
    across, up = end_x - x, end_y - y
    square = across * across + up * up
    for row in range(
        max(0, floor(min(y, end_y) - half)), min(len(rows), ceil(max(y, end_y) + half) + 1)
    ):
        line = rows[row]
        for column in range(
            max(0, floor(min(x, end_x) - half)), min(len(line), ceil(max(x, end_x) + half) + 1)
        ):
            if square:
                along = ((column - x) * across + (row - y) * up) / square
            else:
                along = 0.0
            along = min(1.0, max(0.0, along))
            cover = half - hypot(column - x - along * across, row - y - along * up)
            if cover > 0:
                line[column] = min(line[column], WHITE - round(min(1.0, cover) * (WHITE - shade)))


def _centred(rows: Rows, text: str, x: float, top: int, dot: int) -> None:
    _write(rows, text, round(x - _long(text) * dot / 2), top, dot)


def _write(rows: Rows, text: str, left: int, top: int, dot: int) -> None:
    """A line of text in capitals; what lies outside the picture is not drawn."""
    for place, sign in enumerate(text.upper()):
        bits = bytes.fromhex(FONT.get(sign, FONT["?"])) if sign != " " else b""
        for down, row in enumerate(bits):
            for over in range(ACROSS):
                if row >> (ACROSS - 1 - over) & 1:
                    _square(rows, left + (place * (ACROSS + 1) + over) * dot, top + down * dot, dot)


def _square(rows: Rows, left: int, top: int, dot: int) -> None:
    for line in rows[max(0, top) : top + dot]:
        for column in range(max(0, left), min(left + dot, len(line))):
            line[column] = BLACK


def _file(rows: Rows, title: str, description: str) -> bytes:
    """PNG: signature, header (8 bits, grey), texts, rows without a filter, end."""
    head = struct.pack(">IIBBBBB", len(rows[0]), len(rows), 8, 0, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\0" + row for row in rows), 9)
    texts = [
        _chunk(b"iTXt", _text(key, text))
        for key, text in (("Title", title), ("Description", description))
    ]
    return b"".join(
        [SIGNATURE, _chunk(b"IHDR", head), *texts, _chunk(b"IDAT", pixels), _chunk(b"IEND", b"")]
    )


def _text(key: str, text: str) -> bytes:
    """Keyword, not compressed, no language, no translated keyword, text."""
    return key.encode("latin-1") + b"\0\0\0\0\0" + text.replace("\0", "").encode("utf-8", "replace")


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
