"""Taking back a file that was brought by mistake, as a whole, as long as nobody has worked on it."""

from __future__ import annotations

from datetime import datetime

from livereview.errors import Refused
from livereview.ops import settle
from livereview.ops.act_types import Asked, Done
from livereview.store import imports, versions, voters
from livereview.store.acts import LoggedAct
from livereview.store.imports import Import
from livereview.store.open import Connection


def take_back(con: Connection, asked: Asked) -> Done:
    """What only this import found leaves the review; what other searches found as well stays.

    The import is given by its search, or else by its name alone, where one of that name stands.
    Refused where people have worked on it, as far as whoever asks may see that: votes that they may
    not see leave with their reports, and come back with them.
    """
    search = asked.given.get("search") or _named(con, asked.review, asked.value("name"))
    brought = _standing(con, asked.review, search)
    if asked.value("name") != brought.name:
        raise Refused("this import has another name; reload the page and try again")
    leaving = imports.only_from(con, asked.review, brought.search)
    eyes = voters.eyes(con, asked.review, asked.by.account)
    done = imports.worked_on(con, asked.review, leaving, eyes)
    if done:
        work = ", ".join(f"{number:,} {words}" for words, number in done.items())
        raise Refused(
            f"people have worked on what {brought.name} brought ({work}), so it can't be taken back"
            " as a whole; exclude what does not belong"
        )
    imports.note(con, asked.id, brought, asked.review, True, asked.author, asked.now)
    _derive(con, asked.review, brought, f"{brought.name} was taken back", asked.now)
    staying = brought.found - len(leaving)
    only = "1 report" if len(leaving) == 1 else f"{len(leaving):,} reports"
    leave = "leaves" if len(leaving) == 1 else "leave"
    lines = [f"{only} that only this file brought {leave} the review."]
    if staying > 0:
        lines.append(
            f"Of its {brought.found:,} records {staying:,} are repeats or were found by other searches as"
            " well; their reports stay."
        )
    return Done(tuple(lines), {"search": brought.search}, {"left": len(leaving)})


def undo_taking_back(con: Connection, act: LoggedAct, asked: Asked) -> tuple[str, ...]:
    """The import counts again."""
    brought = imports.of(con, act.reviews[0], act.undo["search"])
    if brought is None or brought.taken_back_by is None:
        raise Refused("the file has been brought again since, so there is nothing to take back")
    count_again(con, asked.id, act.reviews[0], brought, asked.author, asked.now)
    return ()


def count_again(
    con: Connection, id: str, review: str, brought: Import, author: str, now: datetime
) -> None:
    """Let an import that was taken back stand again."""
    imports.note(con, id, brought, review, False, author, now)
    _derive(con, review, brought, f"{brought.name} was brought again", now)


def _named(con: Connection, review: str, name: str) -> str:
    """The search of the import that has this name and stands."""
    every = imports.listing(con, review)
    standing = [brought for brought in every if brought.taken_back_by is None]
    named = [brought for brought in standing if brought.name == name]
    if len(named) == 1:
        return named[0].search
    if named:
        raise Refused(
            f"{len(named)} imports are called {name!r}; take back the one that you mean on the page Searches"
        )
    known = ", ".join(repr(brought.name) for brought in standing) or "none"
    raise Refused(f"no import that stands is called {name!r}; those that do: {known}")


def _standing(con: Connection, review: str, search: str) -> Import:
    brought = imports.of(con, review, search)
    if brought is None:
        raise Refused("there is no such import in this review; reload the page")
    if brought.outcome == "running":
        raise Refused("it is being taken in at this moment; wait until that has ended")
    if brought.taken_back_by is not None:
        raise Refused(f"{brought.taken_back_by} has taken it back already")
    return brought


def _derive(con: Connection, review: str, brought: Import, cause: str, now: datetime) -> None:
    settle.refresh(con, imports.records(con, brought.search))
    versions.ask(con, review, cause, now)
