"""Makes a review, or changes one, by a draft of its protocol: kept, checked, compared, and put in
force with the name of whoever did it and why.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from datetime import datetime
from difflib import unified_diff

from livereview import review_toml
from livereview.errors import Refused
from livereview.ops.principals import OPERATOR
from livereview.ops.protocols import parsed, protocol
from livereview.review import Review
from livereview.review_toml import edit
from livereview.store import acts, protocol_drafts, searches, versions
from livereview.store.acts import LoggedAct
from livereview.store.open import Connection, Store
from livereview.store.protocol_drafts import ProtocolDraft

BEGINNINGS = ("empty", "example", "copy", "file")
LONGEST_ID = 64
TAKEN_BACK = "The change after it was taken back."
AROUND = 3  # unchanged lines shown around each change


class Outdated(Refused):
    """A draft was saved elsewhere since the page was made."""


def begin_review(
    store: Store,
    *,
    id: str,
    person: str,
    title: str,
    review: str,
    beginning: str,
    now: datetime,
    copied: str = "",
    text: str = "",
) -> ProtocolDraft:
    """Begin the draft of a new review; the same id again gives the draft as it is by now.

    Args:
        title: Of the review; "" where a file brings its own.
        review: Its id; "": made from the title, or the file's own.
        beginning: One of BEGINNINGS.
        copied: The review whose protocol is copied.
        text: The review.toml that a file brought.

    Raises:
        Refused: There is no title or id, or a review has this id already.
    """
    if beginning not in BEGINNINGS:
        raise Refused(f"beginning must be one of {', '.join(BEGINNINGS)}; it was {beginning!r}")
    with store.read() as con:
        begun = protocol_drafts.of(con, id, person)
        taken = searches.review_ids(con)
        source = protocol(con, copied).text if beginning == "copy" else text
    if begun is not None:
        return begun
    written = _first_text(beginning, source, title.strip(), review.strip(), taken)
    draft = ProtocolDraft(id, "", person, 1, "", written, now)
    store.write(lambda con: protocol_drafts.write(con, draft))
    return draft


def _first_text(beginning: str, source: str, title: str, review: str, taken: list[str]) -> str:
    texts = {"empty": review_toml.blank, "example": review_toml.template}
    text = texts[beginning]() if beginning in texts else source
    if beginning == "file":
        values = edit.document(text)
        title = title or str(values.get("title", ""))
        review = review or str(values.get("id", ""))
    if not title:
        raise Refused("give the review a title")
    name = review or slug(title)
    if not re.fullmatch(r"[a-z0-9-]{1,64}", name):
        raise Refused(
            f"the short name {name!r} must be 1 to 64 of small letters a-z, digits and hyphens"
        )
    if name in taken:
        raise Refused(f"there is a review of the short name {name!r} already; choose another")
    return edit.with_values(text, {("id",): name, ("title",): title})


def slug(words: str) -> str:
    """A short name made from words: "Wrong design!" is wrong-design."""
    plain = unicodedata.normalize("NFKD", words).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:LONGEST_ID].strip("-")


def begin_change(
    store: Store, *, id: str, person: str, review: str, now: datetime, back_to: str = ""
) -> ProtocolDraft:
    """A person's draft for a review: the one that they have, or a new one of what is in force.

    Args:
        back_to: Hash of an earlier protocol of this review: the draft then has its text.

    Raises:
        Refused: The review never had a protocol of that hash.
    """
    with store.read() as con:
        mine = [one for one in protocol_drafts.on_review(con, review) if one.person == person]
        in_force = protocol(con, review)
        past = {one.hash: one.text for one in _past(con, review)}
    if back_to and back_to not in past:
        raise Refused("this review never had that protocol; reload the page")
    if mine and not back_to:
        return mine[0]
    draft = ProtocolDraft(
        mine[0].id if mine else id,
        review,
        person,
        mine[0].version + 1 if mine else 1,
        in_force.hash,
        past[back_to] if back_to else in_force.text,
        now,
    )
    store.write(lambda con: protocol_drafts.write(con, draft))
    return draft


def save(
    store: Store, *, draft: ProtocolDraft, text: str, version: int, now: datetime
) -> ProtocolDraft:
    """Keep this text as the draft's.

    Raises:
        Outdated: It was saved from elsewhere since version `version`.
    """

    def job(con: Connection) -> ProtocolDraft:
        kept = protocol_drafts.of(con, draft.id, draft.person)
        if kept is None:
            raise Refused("this draft is gone: it is in force, or was given up")
        if kept.version != version:
            raise Outdated("this draft was saved elsewhere since, perhaps in another tab")
        if kept.text == text:
            return kept
        saved = replace(kept, text=text, version=kept.version + 1, saved=now)
        protocol_drafts.write(con, saved)
        return saved

    return store.write(job)


def give_up(store: Store, *, draft: ProtocolDraft) -> None:
    """Keep the draft no more."""
    store.write(lambda con: protocol_drafts.remove(con, draft.id, draft.person))


def make_review(
    store: Store, *, id: str, draft: ProtocolDraft, reason: str, now: datetime
) -> Review:
    """Put the protocol of a new review in force; the same id again changes nothing.

    Raises:
        Refused: The text has mistakes, or a review of its id is there already.
    """
    review = review_toml.parse(draft.text)

    def job(con: Connection) -> None:
        if acts.known(con, id):
            return
        if review.id in searches.review_ids(con):
            raise Refused(f"there is a review of the short name {review.id!r} already")
        searches.save_protocol(con, review, now)
        versions.ask(con, review.id, "the review was made", now)
        told = {"lines": ["The review was made."], "reviews": []}
        undo = {"before": None, "after": review.hash}
        given = {"text": draft.text}
        logged = LoggedAct(
            id, "protocol", (review.id,), given, draft.person, reason, told, undo, now
        )
        acts.append(con, logged)
        protocol_drafts.remove(con, draft.id, draft.person)

    store.write(job)
    return review


# What was in force


@dataclass(frozen=True, slots=True)
class PastProtocol:
    """A protocol that is or was in force.

    Attributes:
        author: Who put it in force in the room or by a confirmed act; None: it came from a file
            with nobody's name.
        reason: Why, where somebody said so.
    """

    hash: str
    text: str
    since: datetime
    author: str | None
    reason: str
    criteria_version: str


def history(con: Connection, review: str) -> list[PastProtocol]:
    """All protocols that a review had, the one in force first."""
    return _past(con, review)


def _past(con: Connection, review: str) -> list[PastProtocol]:
    """Each with whose act put it in force, by the moment: the same text may come back later."""
    whose: dict[tuple[str, datetime], tuple[str, str]] = {}
    for act in acts.log(con, review):
        if act.kind != "protocol":
            continue
        if act.author != OPERATOR.account:  # who acts by the command line brought a file
            whose[str(act.undo["after"]), act.made] = (act.author, act.reason)
        if act.taken_back:
            before = parsed(act.undo["before"]).hash
            whose[before, act.taken_back.made] = (act.taken_back.author, TAKEN_BACK)
    past = []
    for text, since in searches.protocols(con, [review]).get(review, []):
        rules = parsed(text)
        author, reason = whose.get((rules.hash, since), (None, ""))
        past.append(PastProtocol(rules.hash, text, since, author, reason, rules.criteria_version))
    return past[::-1]


# What a draft changes


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a comparison: `kind` is "same", "added", "removed" or "place"."""

    kind: str
    text: str


_KINDS = {"+": "added", "-": "removed", "@": "place", " ": "same"}


def difference(before: str, after: str) -> list[Line]:
    """The lines that differ, with a few around each; empty where none does."""
    compared = unified_diff(before.splitlines(), after.splitlines(), n=AROUND, lineterm="")
    shown = list(compared)[2:]  # without the two lines that would name files
    return [Line(_KINDS[line[0]], line if line[0] == "@" else line[1:]) for line in shown]


def in_force(con: Connection, draft: ProtocolDraft) -> Review | None:
    """The protocol that the draft will replace; None for a new review."""
    return protocol(con, draft.review) if draft.review else None


def cautions(before: Review | None, draft: ProtocolDraft) -> list[str]:
    """What whoever puts the draft in force should know first, beside what it does."""
    if before is None:
        return []
    after = parsed(draft.text)
    found = []
    if draft.basis != before.hash:
        found.append(
            "Another protocol has come into force since this draft was begun. The comparison is with that one: "
            "what it has and the draft lacks would be taken out."
        )
    if criteria_outgrew_version(before, after):
        found.append(
            f"The criteria change and their version is still {after.criteria_version}: nobody could tell later by "
            "which criteria a decision was made."
        )
    gone = [search.name for search in before.searches if after.search(search.name) is None]
    if gone:
        found.append(f"These searches would not run any more: {', '.join(gone)}.")
    return found


def criteria_outgrew_version(before: Review, after: Review) -> bool:
    """Whether the criteria differ and their version does not."""
    same_version = before.criteria_version == after.criteria_version
    return same_version and before.criteria != after.criteria


def next_version(version: str) -> str:
    """The version of the criteria after this: "3" after "2", "2026-02" after "2026-01"."""
    match = re.search(r"[0-9]+(?=[^0-9]*$)", version)
    if match is None:
        return f"{version}-2"
    number = str(int(match[0]) + 1).zfill(len(match[0]))
    return f"{version[: match.start()]}{number}{version[match.end() :]}"
