"""What is said of a full text after it was added: what kind of file it is, that another one replaces
it, or that it should not be there.

The file itself and its first row stay; what was said can be said otherwise again.
"""

from __future__ import annotations

from datetime import datetime

from livereview.errors import Refused
from livereview.ops.protocols import protocol
from livereview.ops.typed import typed
from livereview.store import full_texts, versions
from livereview.store.full_texts import KINDS, STATES, FullText, Word
from livereview.store.open import Connection, Store

LONGEST_REASON = 500  # characters


@typed
def say(
    store: Store,
    *,
    id: str,
    review: str,
    sha256: str,
    kind: str = "article",
    state: str = "used",
    replaced_by: str = "",
    reason: str = "",
    author: str,
    now: datetime,
) -> None:
    """Say what kind of file a full text is and whether it is used; the same id again changes
    nothing.

    Quotes are looked up in files that are used only, so whoever calls this has them looked up.

    Args:
        replaced_by: The sha256 of the file that takes its place, of the same report.
        reason: Why it is removed: the team reads it beside the file.

    Raises:
        Refused: A word that is none, no such file, or a replacement that is not used itself.
    """
    _check_words(kind, state, replaced_by, reason)

    def job(con: Connection) -> None:
        protocol(con, review)
        files = {
            file.sha256: file
            for file in full_texts.of(con, review, full_texts.report_of(con, review, sha256))
        }
        _check_replacement(files, sha256, state, replaced_by)
        word = Word(kind, state, replaced_by or None, reason.strip() or None, author, now)
        if full_texts.append_word(con, id, review, sha256, word):
            versions.ask(con, review, "another full text is used", now)

    store.write(job)


def _check_words(kind: str, state: str, replaced_by: str, reason: str) -> None:
    if kind not in KINDS:
        raise Refused(f"kind must be one of {', '.join(KINDS)}; got {kind!r}")
    if state not in STATES:
        raise Refused(f"state must be one of {', '.join(STATES)}; got {state!r}")
    if (state == "replaced") != bool(replaced_by):
        raise Refused("a file is replaced by another one: name both, or neither")
    if state == "removed" and not reason.strip():
        raise Refused("say why the file is removed; the team reads it beside the file")
    if len(reason) > LONGEST_REASON:
        raise Refused(f"the reason is too long; keep it under {LONGEST_REASON} characters")


def _check_replacement(
    files: dict[str, FullText], sha256: str, state: str, replaced_by: str
) -> None:
    if sha256 not in files:
        raise Refused("there is no such full text in this review")
    if state != "replaced":
        return
    other = files.get(replaced_by)
    if other is None or replaced_by == sha256 or not other.is_used:
        raise Refused("a file is replaced by another file of the same report that is used")
