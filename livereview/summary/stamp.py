"""The living stamp: how far the searches reach, and from when on a page should not be relied on."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from livereview.messages import mark, say
from livereview.summary import retired, words
from livereview.summary.model.status import RunSearch, Status, Stop
from livereview.summary.snapshot import SearchFact, Snapshot
from livereview.summary.snapshot import Stop as SignedStop

FILES_OF_PEOPLE = "ris"
"""The source of searches that are files which people bring: nobody can promise when they come."""


def status(snapshot: Snapshot) -> Status:
    """State, how far the searches reach, and each search as it was run."""
    living = snapshot.review.living
    reach, reason = _searched_to(snapshot)
    expires = reach + timedelta(days=living.stale_days) if reach else None
    is_behind = expires is None or snapshot.moment > expires
    return Status(
        state=living.status,
        retirement=retired.published(snapshot.retirement),
        as_of=words.iso(snapshot.moment),
        searched_to=words.iso(reach),
        searched_to_display=words.day(reach) or say(mark("not complete yet")),
        searched_to_reason=reason,
        stale=living.status != "retired" and is_behind,
        stale_after=words.iso(expires),
        stale_after_display=words.day(expires),
        stale_days=living.stale_days,
        search_schedule=living.search_schedule,
        search_schedule_display=words.schedule(living.search_schedule, living.timezone),
        searches=tuple(_search(fact) for fact in snapshot.searches),
    )


def _searched_to(snapshot: Snapshot) -> tuple[datetime | None, str | None]:
    """The day up to which every regular search has succeeded, or why there is none."""
    planned = snapshot.review.searches
    regular = {search.name for search in planned if search.source != FILES_OF_PEOPLE}
    reached = {fact.name: fact.last_success for fact in snapshot.searches if fact.name in regular}
    moments = [moment for moment in reached.values() if moment is not None]
    never = sorted(regular - {name for name, moment in reached.items() if moment is not None})
    if never or not moments:
        names = ", ".join(never) or say("none is planned")
        return None, say("no successful search yet: {searches}", searches=names)
    return min(moments), None


def _search(fact: SearchFact) -> RunSearch:
    """A search as run; `alert` says in words what is wrong with its last attempt."""
    outcome = words.OUTCOMES_OF_A_SEARCH.get(fact.last_outcome) or str(fact.last_outcome)
    return RunSearch(
        name=fact.name,
        source=fact.source,
        platform=fact.platform,
        query=fact.query,
        filters=_filters(fact.filters),
        grey=fact.grey,
        records=fact.found,
        last_attempt=words.iso(fact.last_at),
        last_outcome=fact.last_outcome,
        last_outcome_display=say(outcome),
        last_success=words.iso(fact.last_success),
        last_success_display=words.day(fact.last_success) or "never",
        alert=_alert(fact),
    )


def _filters(pairs: Iterable[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    """Filters by name: one may be given several times."""
    values: dict[str, tuple[str, ...]] = {}
    for name, value in pairs:
        values[name] = (*values.get(name, ()), value)
    return values


def _alert(fact: SearchFact) -> str | None:
    if fact.last_outcome in ("failed", "partial"):
        outcome = say(words.OUTCOMES_OF_A_SEARCH[fact.last_outcome])
        return f"{outcome}: {words.without_people(fact.last_error or 'no reason')}"
    if fact.silent:
        return say("found nothing, which is unusual for this source; it is being looked into")
    return None


def stop(signed: SignedStop | None) -> Stop | None:
    """The lead's end of the reading with what the test said that day.

    None while everything is to be screened.
    """
    if signed is None:
        return None
    test = dict(signed.told)
    return Stop.model_validate(
        {
            "date": words.iso(signed.date),
            "date_display": words.day(signed.date),
            "by": "the lead",
            **test,
            "display": words.stop(test),
        }
    )
