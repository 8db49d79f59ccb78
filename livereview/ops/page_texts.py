"""The texts of full texts with the place of each character: read once a file, kept beside them.

They are derived, so no backup holds them: what is gone or was made by an older reader is made again
when it is asked for.
"""

from __future__ import annotations

import logging
from pathlib import Path

from livereview import parsing, pdf_text
from livereview.errors import LivereviewError
from livereview.ops import full_text
from livereview.parsing import ParserFailed, ReadPdf
from livereview.pdf_text import PdfText
from livereview.private_files import write_private

log = logging.getLogger(__name__)
FOLDER = "page-texts"


def text_of(full_texts: Path, sha256: str) -> PdfText | None:
    """The text of this file; None where the file is gone from the folder.

    A file that can't be read is an answer too: its state says why.
    """
    target = full_text.path(full_texts, sha256)
    if not target.exists():
        return None
    kept = full_texts.with_name(FOLDER) / f"{sha256}.gz"
    if kept.exists():
        text = pdf_text.unpack(kept.read_bytes())
        if text is not None:
            return text
    text = _read(target.read_bytes(), sha256)
    if text is None:
        return PdfText("damaged")
    try:
        write_private(kept, pdf_text.pack(text))
    except OSError:  # it is read again the next time
        log.warning("the text of %s could not be kept", sha256, exc_info=True)
    return text


def _read(body: bytes, sha256: str) -> PdfText | None:
    """What could be read; None where reading failed, which is tried again the next time."""
    try:
        return parsing.read_pdf(ReadPdf(body, "this PDF"))
    except (LivereviewError, ParserFailed) as error:
        log.warning("the text of %s could not be read: %s", sha256, error)
        return None
