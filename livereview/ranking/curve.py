"""The recall curve as SVG: text as text, a title, a description, lines told apart without colour."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from itertools import accumulate

WIDTH, HEIGHT, LEFT, TOP = 640, 360, 64, 24  # of the plot in units, and its place
POINTS = 600  # drawn of a curve at most: more than a screen shows


def svg(labels: Sequence[int], name: str, stops: Sequence[tuple[str, int]] = ()) -> str:
    """Share of the relevant found by number read.

    Beside it the best and the chance order, and where rules stop.

    labels: 1 relevant, 0 not, in the order read, at least one relevant; stops: (rule, records
    read).
    """
    n, relevant = len(labels), sum(labels)
    found = [0, *accumulate(labels)]
    shown = sorted({round(i * n / POINTS) for i in range(POINTS + 1)})
    curve = " ".join(_at(i / n, found[i] / relevant) for i in shown)
    text = f"{relevant:,} relevant of {n:,} records; half found after {found.index(-(-relevant // 2)):,}, all after "
    text += f"{found.index(relevant):,}."
    parts = [
        f'<polyline points="{_at(0, 0)} {_at(relevant / n, 1)} {_at(1, 1)}" {_line(1, "2 3")}/>',
        f'<polyline points="{_at(0, 0)} {_at(1, 1)}" {_line(1, "8 5")}/>',
        f'<polyline points="{curve}" {_line(2.5)}/>',
        *(
            _stop(rule, read, found[read] / relevant, n, row)
            for row, (rule, read) in enumerate(stops)
        ),
        *_axes(n),
    ]
    return _picture(name, text, parts, len(stops))


def forecast(labels: Sequence[int], name: str, ahead: Sequence[tuple[int, float]]) -> str:
    """The curve so far, drawn out by what the model expects of the rest.

    Args:
        labels: 1 relevant, 0 not, in the order read, at least one relevant.
        ahead: Reports read, the last being all of them, and the relevant ones expected by then, in
            rising order.
    """
    read, found = len(labels), [0, *accumulate(labels)]
    records, most = ahead[-1]
    shown = sorted({round(i * read / POINTS) for i in range(POINTS + 1)})
    so_far = " ".join(_at(i / records, found[i] / most) for i in shown)
    beyond = [(read, float(found[-1])), *ahead]
    expected = " ".join(_at(place / records, value / most) for place, value in beyond)
    text = (
        f"{found[-1]:,} relevant among {read:,} read; {most - found[-1]:,.1f} more expected among"
        f" the {records - read:,} unread."
    )
    parts = [
        f'<polyline points="{so_far}" {_line(2.5)}/>',
        f'<polyline points="{expected}" {_line(2, "3 4")}/>',
        *_axes(records, "records read (dotted: expected)"),
    ]
    return _picture(name, text, parts)


def _picture(name: str, text: str, parts: Sequence[str], stops: int = 0) -> str:
    size = f"0 0 {LEFT + WIDTH + 24} {TOP + HEIGHT + 64 + 18 * stops}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-labelledby="rc-t rc-d" viewBox="{size}" '
        f'font-family="system-ui, sans-serif" font-size="13" fill="currentColor">'
        f'<title id="rc-t">{escape(name)}</title>'
        f'<desc id="rc-d">{text}</desc>{"".join(parts)}</svg>\n'
    )


def _at(read: float, recall: float) -> str:
    return f"{LEFT + WIDTH * read:.1f},{TOP + HEIGHT * (1 - recall):.1f}"


def _line(width: float, dashes: str = "") -> str:
    dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
    return f'fill="none" stroke="currentColor" stroke-width="{width:g}"{dashed}'


def _text(x: float, y: float, text: str, anchor: str = "middle") -> str:
    return f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}">{escape(text)}</text>'


ORDERS = "records read (dotted: the best order; dashed: any order)"


def _axes(n: int, words: str = ORDERS) -> list[str]:
    frame = f'<path d="M{LEFT} {TOP}v{HEIGHT}h{WIDTH}" {_line(1)}/>'
    ups = [
        _text(LEFT - 8, TOP + HEIGHT * (1 - share) + 4, f"{share:.0%}", "end")
        for share in (0, 0.5, 0.95, 1)
    ]
    along = [
        _text(LEFT + WIDTH * i / 4, TOP + HEIGHT + 18, f"{round(n * i / 4):,}") for i in range(5)
    ]
    return [frame, *ups, *along, _text(LEFT + WIDTH / 2, TOP + HEIGHT + 40, words)]


def _stop(rule: str, read: int, recall: float, n: int, row: int) -> str:
    """A mark with a letter on the curve, and its line below."""
    letter = chr(ord("A") + row)
    x, y = (float(part) for part in _at(read / n, recall).split(","))
    below = f"{letter}: {rule}, {read:,} read, recall {recall:.1%}"
    mark = f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4"/>{_text(x, y + 20, letter)}'
    return mark + _text(LEFT, TOP + HEIGHT + 62 + 18 * row, below, "start")
