"""What people do to many reports at once, and what they keep of the table of records: tags, views.

Nothing here moves a report or undoes anybody's work; what does is an act (`ops.acts`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from livereview.errors import LivereviewError, Refused
from livereview.ops import screen
from livereview.ops.protocols import protocol
from livereview.store import records, retrieval, saved_views, standings, tags
from livereview.store.open import Connection, Store
from livereview.store.saved_views import SavedView
from livereview.store.tags import COLOURS, Tag
from livereview.texts import problem

LONGEST_NAME = 60  # of a tag or a view: it must fit on a chip
MOST_ASKED = 200  # reports whose full text is asked for at once: each is an event with its rules


@dataclass(frozen=True, slots=True)
class Asked:
    """What became of asking for full texts: how many are on the list now, and how many could not
    be, with the first reason.
    """

    done: int
    refused: int
    why: str = ""


def put_tag(
    store: Store,
    *,
    id: str,
    review: str,
    reports: Sequence[str],
    name: str,
    puts: bool,
    author: str,
    now: datetime,
) -> Tag:
    """Put a tag on these reports, or take it off; a name that no tag has makes one.

    Raises:
        Refused: for a name that is no good, or a tag to take off that there is not.
    """
    word = _name(name, "a tag")

    def job(con: Connection) -> Tag:
        protocol(con, review)
        known = tags.called(con, review).get(word.lower())
        if known is None and not puts:
            raise Refused(f"no tag of this review is called {word!r}")
        tag = known or Tag(word, COLOURS[0], f"t{id}")
        chosen = in_review(con, review, reports)
        if known is None:
            tags.write(con, f"{id}/made", review, tag, author, now)
        members = chosen if puts else standings.members(con, chosen)
        tags.put(con, id, review, members, str(tag.id), puts, author, now)
        return tag

    return store.write(job)


def change_tag(
    store: Store,
    *,
    id: str,
    review: str,
    tag: str,
    name: str,
    colour: str,
    author: str,
    now: datetime,
) -> None:
    """Call a tag something else, or give it another colour.

    Raises:
        Refused: for a name that another tag has, or a colour that is none.
    """
    word = _name(name, "a tag")
    if colour not in COLOURS:
        raise Refused(f"the colour must be one of {', '.join(COLOURS)}; it was {colour!r}")

    def job(con: Connection) -> None:
        there = {one.id: one for one in tags.of(con, review)}
        if tag not in there:
            raise Refused("there is no such tag in this review; reload the page")
        taken = any(one.name.lower() == word.lower() and one.id != tag for one in there.values())
        if taken:
            raise Refused(f"another tag of this review is called {word!r} already")
        tags.write(con, id, review, Tag(word, colour, tag), author, now)

    store.write(job)


def ask_for_full_texts(
    store: Store,
    *,
    id: str,
    review: str,
    reports: Sequence[str],
    person: str,
    note: str,
    now: datetime,
) -> Asked:
    """Put reports on the list of those to be retrieved, in a person's name, as the screening room
    does one by one; those that can't be there are counted.
    """
    if len(reports) > MOST_ASKED:
        raise Refused(
            f"ask for at most {MOST_ASKED} full texts at once; these are {len(reports):,} reports"
        )
    done, refused, why = 0, 0, ""
    for report in reports:
        try:
            screen.decide(
                store,
                id=f"{id}/{report}",
                review=review,
                record=report,
                stage=retrieval.STAGE,
                reviewer=person,
                verdict="not_retrieved",
                note=note or None,
                now=now,
            )
        except LivereviewError as problem_of_it:
            refused += 1
            why = why or problem_of_it.message
        else:
            done += 1
    return Asked(done, refused, why)


def save_view(store: Store, *, id: str, review: str, view: SavedView, now: datetime) -> None:
    """Keep a view, for oneself or the team; the same name again replaces one's own."""
    name = _name(view.name, "a view")

    def job(con: Connection) -> None:
        protocol(con, review)
        there = saved_views.of(con, review, view.author)
        own = [one for one in there if one.author == view.author and one.name == name]
        key = own[0].id if own else f"v{id}"
        kept = SavedView(key, name, view.query, view.team, view.author)
        saved_views.write(con, id, review, kept, True, now)

    store.write(job)


def drop_view(
    store: Store, *, id: str, review: str, view: str, person: str, leads: bool, now: datetime
) -> None:
    """Keep a view no more: one's own, or as a lead one of the team's."""

    def job(con: Connection) -> None:
        there = {one.id: one for one in saved_views.of(con, review, person)}
        found = there.get(view)
        if found is None or not (found.author == person or leads):
            raise Refused("this view is not yours to delete; whoever saved it can, or a lead")
        saved_views.write(con, id, review, found, False, now)

    store.write(job)


def _name(text: str, what: str) -> str:
    name = " ".join(text.split())
    if not name:
        raise Refused(f"give {what} a name")
    wrong = problem(name, LONGEST_NAME)
    if wrong:
        raise Refused(f"the name of {what} {wrong}")
    if "," in name:
        raise Refused(f"the name of {what} can't have a comma: commas part one from the next")
    return name


def in_review(con: Connection, review: str, ids: Sequence[str]) -> list[str]:
    """The reports of these records that the review has, each once, in this order."""
    if not ids:
        return []
    reports = dict(records.report_of(con, ids))
    chosen = dict.fromkeys(reports.get(one, one) for one in ids)
    where, values = standings.chosen(list(chosen))
    rows = con.execute(
        f"SELECT report_id FROM screening_state WHERE review = ? AND report_id {where}",  # noqa: S608
        [review, *values],
    ).fetchall()
    there = {row[0] for row in rows}
    return [report for report in chosen if report in there]
