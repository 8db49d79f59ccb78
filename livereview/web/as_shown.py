"""What was on the screen when a form was made: the form carries it, sealed, and the decision cites
it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from livereview.ops.protocols import parsed
from livereview.ops.screen import Shown
from livereview.records import Record
from livereview.review import Review
from livereview.screening import criteria
from livereview.store import ranks, records, searches
from livereview.store.open import Connection
from livereview.web.card import Card
from livereview.web.guard import ReviewContext

FIELDS = {
    "title": "title",
    "authors": "authors",
    "year": "year",
    "container_title": "journal",
    "type": "kind of publication",
    "language": "language",
    "abstract": "abstract",
    "retraction": "retraction or correction",
    "doi": "DOI",
    "url": "address",
    "pmid": "PMID",
}  # what a card shows of a record, in words
LOOKS_BACK = 20  # protocols: nobody leaves a record on the screen through more changes than these


@dataclass(frozen=True, slots=True)
class OnScreen:
    """The versions of what a person read; `text` tells each of FIELDS from every other wording of
    it.

    Attributes:
        together: The version of each linked report that was offered to be decided with it.
    """

    record: str
    text: Mapping[str, str]
    criteria: str
    criteria_version: str
    record_version: int
    rank: int | None
    model: str | None
    together: Mapping[str, int]

    def cited(self) -> Shown:
        """What a decision keeps of it."""
        return Shown(
            self.criteria, self.criteria_version, self.record_version, self.rank, self.model
        )

    def cited_of(self, linked: str) -> Shown | None:
        """What a decision on a linked report keeps of it; None where that was not on the screen."""
        version = (self.together or {}).get(linked)
        if version is None:
            return None
        return Shown(self.criteria, self.criteria_version, version)


def of(
    con: Connection, context: ReviewContext, card: Card, report: str, together: Collection[str] = ()
) -> OnScreen:
    """What is on the screen where this card of a report is shown now, and the linked reports beside
    it.
    """
    ranked = ranks.place(con, context.review.id, report) or (None, None)
    return OnScreen(
        record=card.record_id,
        text=wording(card.record),
        criteria=criteria.fingerprint(context.review),
        criteria_version=context.review.criteria_version,
        record_version=records.version(con, card.record_id) or 1,
        rank=ranked[0],
        model=ranked[1],
        together={linked: records.version(con, linked) or 1 for linked in together},
    )


def wording(record: Record) -> dict[str, str]:
    """What tells each field of a record, as it is shown, from every other wording of it."""
    return {name: _digest(getattr(record, name)) for name in FIELDS}


def _digest(value: object) -> str:
    return hashlib.sha256(repr(value).encode()).hexdigest()[:10]


def changed_fields(shown: OnScreen, now: Record) -> list[str]:
    """Which of the fields on the screen read otherwise now, in words."""
    after = wording(now)
    return [words for name, words in FIELDS.items() if shown.text.get(name) != after[name]]


def seal(shown: OnScreen, key: str) -> str:
    """As a form carries it: nobody else can make one, or change this."""
    body = base64.urlsafe_b64encode(json.dumps(asdict(shown)).encode()).decode()
    return f"{body}.{_mark(body, key)}"


def opened(sealed: str, key: str) -> OnScreen | None:
    """What a form carried; None where it was not sealed with this key."""
    body, _, mark = sealed.partition(".")
    if not hmac.compare_digest(mark.encode(), _mark(body, key).encode()):
        return None
    values: Mapping[str, Any] = json.loads(base64.urlsafe_b64decode(body))
    names = [field.name for field in fields(OnScreen)]
    return OnScreen(*(values.get(name) for name in names))  # type: ignore[arg-type]


def _mark(body: str, key: str) -> str:
    return hmac.new(key.encode(), f"on screen {body}".encode(), hashlib.sha256).hexdigest()


def criteria_changes(con: Connection, shown: OnScreen, review: Review) -> list[str]:
    """What changed in the criteria since they were on the screen, a sentence each."""
    for text in searches.protocol_texts(con, review.id, most=LOOKS_BACK):
        before = parsed(text)
        if criteria.fingerprint(before) == shown.criteria:
            return criteria.describe(before, review)
    return []
