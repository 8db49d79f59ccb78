"""The one script: what people and schedulers type. Exit codes: 0 done, 1 something failed and was kept, 2 refused,
3 a file is not of the kind that was said."""

from __future__ import annotations

from livereview.cli import notices, people, pool, rank, records, retirement, service, surveillance, withdraw
from livereview.cli.terminal import app

__all__ = ["app", "notices", "people", "pool", "rank", "records", "retirement", "service", "surveillance", "withdraw"]
