"""The texts of full texts with the place of each character: read once a file, kept beside them.

They are derived, so no backup holds them: what is gone or was made by an older reader is made again
when it is asked for.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from livereview import parsing, pdf_text
from livereview.errors import LivereviewError, Retry
from livereview.ops import full_text
from livereview.parsing import ParserFailed, ReadPdf
from livereview.pdf_text import PdfText
from livereview.private_files import write_private

log = logging.getLogger(__name__)
FOLDER = "page-texts"
MOST_REMEMBERED = 10_000  # files of which it is remembered what may run in them: a few bytes each


def text_of(full_texts: Path, sha256: str) -> PdfText | None:
    """The text of this file; None where the file is gone from the folder.

    A file that can't be read is an answer too: its state says why.

    Raises:
        Retry: nobody had time to read it.
    """
    target = full_text.path(full_texts, sha256)
    if not target.exists():
        return None
    text_kept = kept_text_of(full_texts, sha256)
    if text_kept is not None:
        return text_kept
    text = _read(target.read_bytes(), sha256)
    if text is None:
        return PdfText("damaged")
    keep(full_texts, sha256, text)
    return text


def kept_text_of(full_texts: Path, sha256: str) -> PdfText | None:
    """The text of this file as it was kept; None where it was not yet taken out."""
    kept = full_texts.with_name(FOLDER) / f"{sha256}.zip"
    if kept.exists():
        return pdf_text.unpack(kept.read_bytes())
    return None


def keep(full_texts: Path, sha256: str, text: PdfText) -> None:
    """Keep the text of a file beside it; where there is no room it is read again the next time."""
    kept = full_texts.with_name(FOLDER) / f"{sha256}.zip"
    try:
        write_private(kept, pdf_text.pack(text))
    except OSError:
        log.warning("the text of %s could not be kept", sha256, exc_info=True)


def cautions(full_texts: Path, files: Iterable[str]) -> dict[str, str]:
    """What people should know before they open each of these files (sha256), in words.

    A file without a word has been looked at, and nothing in it may run. Nothing is read for this:
    a file whose text was not taken out yet is said not to have been looked at.
    """
    words: dict[str, str] = {}
    for sha256 in files:
        kept = full_texts.with_name(FOLDER) / f"{sha256}.zip"
        active = _active(kept) if kept.exists() else None
        if active is None:
            words[sha256] = "not yet looked at for scripts"
        elif active:
            words[sha256] = f"holds {' and '.join(active)}; open it where these don’t run"
    return words


@lru_cache(maxsize=MOST_REMEMBERED)
def _active(kept: Path) -> tuple[str, ...] | None:
    """What may run in a file, by its kept text, which never changes; None where that is of no use."""
    text = pdf_text.unpack(kept.read_bytes())
    return None if text is None else text.active


def _read(body: bytes, sha256: str) -> PdfText | None:
    """What could be read; None where reading failed, which is tried again the next time."""
    try:
        return parsing.read_pdf(ReadPdf(body, "this PDF"))
    except Retry:  # it says nothing of the file
        raise
    except (LivereviewError, ParserFailed) as error:
        log.warning("the text of %s could not be read: %s", sha256, error)
        return None
