"""The one script: what people and schedulers type.

Exit codes: 0 done, 1 something failed and was kept, 2 refused,
3 a file is not of the kind that was said.
"""

from __future__ import annotations

from livereview.cli.terminal import app

__all__ = ["app"]
