"""Copies of full texts in which nothing can run: made once a file, kept beside them.

They are derived, so no backup holds them: what is gone is made again when it is asked for.
"""

from __future__ import annotations

import logging
from pathlib import Path

from livereview import parsing
from livereview.errors import LivereviewError
from livereview.ops import full_text
from livereview.parsing import CopyPdf, ParserFailed
from livereview.private_files import write_private

log = logging.getLogger(__name__)
FOLDER = "safe-copies"
MAKER = 1  # its version: what an older one made is made again
NO_COPY = (
    "There is no copy of this file that is safe to open: it opens with a password only, is "
    "damaged, or holds what may run and can't be taken out. Add another copy of the publication."
)


def copy_of(full_texts: Path, sha256: str) -> Path | None:
    """Where the copy of this file is, made if it is not there yet; None where there can be none.

    Raises:
        FileNotFoundError: The file itself is gone from the folder.
    """
    kept = full_texts.with_name(FOLDER) / f"{sha256}-{MAKER}.pdf"
    if not kept.exists():
        body = full_text.path(full_texts, sha256).read_bytes()
        write_private(kept, _made(body, sha256) or b"")  # an empty file: there can be none
    return kept if kept.stat().st_size else None


def _made(body: bytes, sha256: str) -> bytes | None:
    try:
        return parsing.copy_pdf(CopyPdf(body, "this PDF"))
    except (LivereviewError, ParserFailed) as error:
        log.warning("no safe copy of %s could be made: %s", sha256, error)
        return None
