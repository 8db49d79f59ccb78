"""The two streams for what has columns, colours or a progress bar.

Plain lines go through `terminal.say` and `warn`.
"""

from __future__ import annotations

from rich.console import Console

out = Console()
err = Console(stderr=True, highlight=False)
