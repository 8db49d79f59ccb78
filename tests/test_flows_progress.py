"""Progress of a night: seen in a terminal, silent in a log."""

from __future__ import annotations

from io import StringIO

from rich.console import Console

from flows import progress
from livereview import fetch


def test_progress_is_shown_in_a_terminal_and_nowhere_else() -> None:
    told, kept = {}, []
    for terminal in (True, False):
        screen = StringIO()
        console = Console(file=screen, force_terminal=terminal, width=100)
        with progress.bar(2, "searches", console) as watch:
            for name in ("openalex", "crossref"):
                keep = watch(name, kept.append)
                keep(fetch.Answer(name, "http://127.0.0.1/", None, 200, (), b"x" * 2_000_000))
        told[terminal] = screen.getvalue()
    assert "crossref: page 1, 2.0 MB" in told[True] and "1/2" in told[True] and told[False] == ""
    assert [answer.source for answer in kept] == ["openalex", "crossref"] * 2
