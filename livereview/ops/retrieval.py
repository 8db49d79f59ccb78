"""The list of reports to be retrieved: who can't get which, and what brings a report back into the
queues.

"Not retrieved" is a state of a report, never a vote. It becomes final by a lead, or by as many
people as a stage takes votes; a file, a link or a lead opens it again for everybody.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from livereview.errors import Refused
from livereview.ops.protocols import protocol
from livereview.review import Review
from livereview.screening.states import Ballot, place
from livereview.store import decisions, records, retrieval, standings, versions
from livereview.store.open import Connection, Store
from livereview.store.retrieval import STAGE, Entry, Step
from livereview.store.standings import Standing

SETTLED = {"included": "included", "excluded": "excluded", "not_retrieved": "not retrieved"}
LONGEST_LINK = 1_000  # characters
LATE = timedelta(days=30)  # a loan from another library rarely takes more than three weeks


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many reports are still sought, and since when the oldest of them; `final`: how many were
    given up.
    """

    sought: int
    oldest: datetime | None
    final: int


def lists(con: Connection, reviews: Sequence[Review]) -> dict[str, list[Entry]]:
    """The list of each of these reviews, oldest first."""
    return retrieval.listings(con, {review.id: review.screening.votes for review in reviews})


def waiting(entries: Sequence[Entry]) -> Waiting:
    """A list in numbers."""
    sought = [entry for entry in entries if not entry.final]
    oldest = sought[0].since if sought else None
    return Waiting(len(sought), oldest, len(entries) - len(sought))


def alarms(entries: Sequence[Entry], now: datetime) -> list[str]:
    """One sentence where reports have been sought for too long."""
    late = [entry for entry in entries if not entry.final and now - entry.since > LATE]
    if not late:
        return []
    days = (now - late[0].since).days
    reports = "1 report is" if len(late) == 1 else f"{len(late):,} reports are"
    return [
        f"{reports} still to be retrieved after more than {LATE.days} days (the oldest after {days}): "
        "add a PDF or a link on the list “To be retrieved”, or make it final there"
    ]


def link(
    store: Store, *, id: str, review: str, record: str, link: str, person: str, now: datetime
) -> dict[str, Any]:
    """Say where a report can be had: everybody is asked about it again.

    Raises:
        Refused: for no web address.
    """
    address = link.strip()
    if len(address) > LONGEST_LINK:
        raise Refused(f"the link is longer than {LONGEST_LINK:,} characters")
    if not _is_web_address(address):
        raise Refused(
            f"a link must begin with https:// or http:// and name a host; it was {address!r}"
        )
    return act(store, Step(id, review, record, "arrived", person, link=address), now)


def give_up(
    store: Store, *, id: str, review: str, record: str, person: str, now: datetime
) -> dict[str, Any]:
    """A lead's word that a report can't be had: the public flow counts it as not retrieved."""
    return act(store, Step(id, review, record, "final", person), now)


def seek_again(
    store: Store, *, id: str, review: str, record: str, person: str, now: datetime
) -> dict[str, Any]:
    """A lead opens a report again: it comes back to everybody who has not decided on it."""
    return act(store, Step(id, review, record, "opened", person), now)


def act(store: Store, step: Step, now: datetime) -> dict[str, Any]:
    """Write an act on a report of the list; the same id again changes nothing.

    Raises:
        Refused: for a report that is not on the list: nobody has asked for it, or it is settled by
            votes.
    """

    def job(con: Connection) -> dict[str, Any]:
        rules = protocol(con, step.review)
        before = at(con, step.review, step.record_id)
        if retrieval.known(con, step.id):
            return told(before, known=True)
        if not on_list(con, rules, before):
            raise Refused(
                "this report is not on the list of those to be retrieved; it may be back in the queues"
            )
        return told(write(con, rules, before, step, now), known=False)

    return store.write(job)


def arrived(con: Connection, id: str, review: str, record: str, person: str, now: datetime) -> None:
    """A file of this record's report came: if it is on the list, it goes back into the queues."""
    rules = protocol(con, review)
    before = at(con, review, record)
    if on_list(con, rules, before):
        write(con, rules, before, Step(f"{id}/arrived", review, record, "arrived", person), now)


def on_list(con: Connection, rules: Review, standing: Standing) -> bool:
    """Whether a report stands at full text without all its votes, and somebody can't get it."""
    if standing.stage != STAGE or standing.state not in ("open", "half", "not_retrieved"):
        return False
    sought = retrieval.on_report(con, rules.id, standing.report_id)
    given = decisions.on_report(con, rules.id, standing.report_id, STAGE)
    still = sought.without({vote["reviewer"] for vote in given if vote["role"] == "vote"})
    return bool(still.people) or still.final


def at(con: Connection, review: str, record: str) -> Standing:
    """Where the report of a record stands. Raises Refused where the review has no such record."""
    report = records.report_of(con, [record]).get(record, record)
    standing = standings.of(con, review, report)
    if standing is None:
        raise Refused(
            f"record {record} is not in review {review}; `livereview status` lists reviews"
        )
    return standing


def write(con: Connection, rules: Review, before: Standing, step: Step, now: datetime) -> Standing:
    """Append an act and keep where its report stands after it.

    Asks for a build where readers would see that.
    """
    retrieval.append(con, step, now)
    given = decisions.on_report(con, rules.id, before.report_id)
    ballots = [
        Ballot(vote["stage"], vote["reviewer"], vote["role"], vote["verdict"], vote["seq"])
        for vote in given
    ]
    return moved(con, rules, before, ballots, now)


def moved(
    con: Connection, rules: Review, before: Standing, ballots: list[Ballot], now: datetime
) -> Standing:
    """Keep where a report stands with these decisions.

    Asks for a build where readers would see a change.
    """
    sought = retrieval.on_report(con, rules.id, before.report_id)
    found = place(ballots, rules.screening.stages, rules.screening.votes, sought)
    after = Standing(before.report_id, found.stage, found.votes, found.state)
    standings.keep(con, rules.id, before, after)
    if _public(rules, before) != _public(rules, after):
        versions.ask(
            con, rules.id, f"a report was {SETTLED.get(after.state, 'taken up again')}", now
        )
    return after


def told(standing: Standing, *, known: bool, stands: bool = True) -> dict[str, Any]:
    """The answer of an act: where the report stands now."""
    where = {
        "report": standing.report_id,
        "stage": standing.stage,
        "state": standing.state,
        "votes": standing.votes,
    }
    return {**where, "known": known, "stands": stands}


def entries(con: Connection, review: Review) -> list[Entry]:
    """The list, oldest first."""
    return retrieval.listing(con, review.id, review.screening.votes)


def _public(review: Review, standing: Standing) -> str | None:
    """What the public summary sees of a standing: nothing before the last stage has an answer."""
    last = standing.stage == review.screening.stages[-1]
    if last and standing.state in SETTLED:
        return standing.state
    return None


def _is_web_address(address: str) -> bool:
    if any(
        character.isspace() or not character.isprintable() or character == "\\"
        for character in address
    ):
        return False
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and "." in parts.netloc and "@" not in parts.netloc
