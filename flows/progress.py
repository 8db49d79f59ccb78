"""Progress of a night for somebody who watches it in a terminal.

Nothing at all where nobody does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from livereview import fetch

Keep = Callable[[fetch.Answer], None]
Watch = Callable[[str, Keep], Keep]


@contextmanager
def bar(total: int, unit: str, console: Console | None = None) -> Iterator[Watch]:
    """`watch(name, keep)` begins the next of `total` searches and gives a `keep` that counts its
    answers too.
    """
    console = console or Console(stderr=True)
    if not console.is_terminal:
        yield lambda _name, keep: keep
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(unit),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as shown:
        line = shown.add_task("", total=total)
        begun: list[str] = []

        def watch(name: str, keep: Keep) -> Keep:
            shown.update(line, description=name, completed=len(begun))
            begun.append(name)
            pages = size = 0

            def counted(answer: fetch.Answer) -> None:
                nonlocal pages, size
                keep(answer)
                pages, size = pages + 1, size + len(answer.body)
                shown.update(line, description=f"{name}: page {pages:,}, {size / 1e6:,.1f} MB")

            return counted

        yield watch
        shown.refresh()  # what came since it was drawn last
