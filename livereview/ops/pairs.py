"""Which record a person means, and whether two records are one report."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from livereview import records as identifiers
from livereview.dedup.explain import explain as explained
from livereview.errors import Refused
from livereview.links import LinkKind
from livereview.ops import team_rules
from livereview.ops.settle import refresh, regroup
from livereview.ops.typed import typed
from livereview.records import Record
from livereview.store import matches, records, versions
from livereview.store.open import Connection, Store


def find_record(store: Store, *, review: str, reference: str, now: datetime) -> dict[str, Any]:
    """The record that a person means by a record id, a DOI, "pmid:123" or a title.

    Several records of one report are one answer; several reports are refused, naming them.
    """
    with store.read() as con:
        return {"record": resolve(con, review, reference)}


@dataclass(frozen=True, slots=True)
class Described:
    """What a row of a file tells of its record.

    Attributes:
        references: Each as in `find_record`, the surest first.
        year, author: They tell reports of one title apart.
    """

    references: tuple[str, ...]
    year: int | None = None
    author: str | None = None


def resolve_described(con: Connection, review: str, described: Described) -> str:
    """The record that a row means: by its first identifier that one report has, then by its title,
    with year and author where several have that title.

    Raises:
        Refused: none is it, and which comes nearest; or several are.
    """
    several = None
    for reference in described.references:
        reports = _reports(con, review, reference.strip())
        if len(reports) > 1:
            several = several or reference
            reports = _narrowed(con, reports, described)
        if len(reports) == 1:
            return next(iter(reports.values()))
    if several is not None:
        return resolve(con, review, several)  # it says which they are
    title = described.references[-1] if described.references else ""
    nearest = records.nearest(con, review, title)
    near = f"; the nearest is {nearest[1]!r} ({nearest[0]})" if nearest else ""
    named = " or ".join(repr(reference) for reference in described.references)
    raise Refused(
        f"no record of review {review} is {named}{near}; give a record id, a DOI, pmid:… or the exact title"
    )


def _narrowed(con: Connection, reports: dict[str, str], described: Described) -> dict[str, str]:
    """Those of the reports whose year and first author agree with what is told."""
    shown = records.current(con, reports.values())
    return {
        report: key
        for report, key in reports.items()
        if _agrees(shown[key], described.year, described.author)
    }


def _agrees(record: Record, year: int | None, author: str | None) -> bool:
    if year is not None and record.year is not None and year != record.year:
        return False
    if author is None or not record.authors:
        return True
    words = set(re.findall(r"[^\W\d_]{2,}", record.authors[0].casefold()))
    told = set(re.findall(r"[^\W\d_]{2,}", author.casefold()))
    return bool(words & told)


def _reports(con: Connection, review: str, reference: str) -> dict[str, str]:
    """The oldest record of each report that this reference fits, by report."""
    if records.in_review(con, review, reference):
        return {reference: reference}
    doi = identifiers.clean_doi(reference)
    if reference.lower().startswith("pmid"):
        pmid = identifiers.clean_pmid(reference)
    else:
        pmid = None
    found = records.find(con, review, doi, pmid, None if doi or pmid else reference)
    return records.of_one_report_each(con, reversed(found))


def resolve(con: Connection, review: str, reference: str) -> str:
    """As `find_record`; the oldest record of the report is the answer."""
    reference = reference.strip()
    reports = _reports(con, review, reference)
    if not reports:
        raise Refused(
            f"no record of review {review} is {reference!r}; give a record id, a DOI, pmid:… or the exact title"
        )
    if len(reports) > 1:
        raise Refused(
            f"{reference!r} fits {len(reports)} reports ({', '.join(sorted(reports.values()))}); give a record id"
        )
    return next(iter(reports.values()))


def explain(store: Store, *, left: str, right: str, now: datetime) -> dict[str, Any]:
    """What the rules say of two records and why, in words.

    Raises:
        Refused: for a record that is not known.
    """
    with store.read() as con:
        known = records.current(con, [left, right])
        if missing := [record for record in (left, right) if record not in known]:
            raise Refused(
                f"no record {', '.join(missing)}; a record's id stands beside it on the duplicates page"
            )
        team = team_rules.in_force(con)
        return {"text": explained(known[left], known[right], team)}


@typed
def judge(
    store: Store,
    *,
    id: str,
    left: str,
    right: str,
    verdict: str,
    person: str,
    now: datetime,
    link: str = "",
) -> dict[str, Any]:
    """A person's word on a pair of records: same, linked, different, or withdrawn.

    Reports follow at once. `link` says what two linked ones are to each other (`links.LinkKind`).
    """
    return store.write(lambda con: judge_in(con, id, left, right, verdict, person, now, link))


def judge_in(
    con: Connection,
    id: str,
    left: str,
    right: str,
    verdict: str,
    person: str,
    now: datetime,
    link: str = "",
) -> dict[str, Any]:
    """As `judge`, within a transaction."""
    if verdict not in ("same", "linked", "different", "withdrawn"):
        raise Refused(
            f"verdict must be one of same, linked, different, withdrawn; it was {verdict!r}"
        )
    if link and link not in set(LinkKind):
        raise Refused(f"link must be one of {', '.join(LinkKind)}; it was {link!r}")
    if left == right:
        raise Refused("a pair needs two different records")
    left, right = sorted((left, right))
    if len(records.current(con, [left, right])) < 2:
        raise Refused(f"unknown record among {left}, {right}")
    kind = LinkKind(link) if link and verdict == "linked" else None
    word = matches.Match(id, left, right, verdict, person, "person", "-", {}, kind)
    matches.append(con, [word], now)
    refresh(con, regroup(con, [left, right]))
    for review in records.reviews_of(con, [left, right]):
        versions.ask(con, review, "a person judged whether two records are one report", now)
    return {"reports": dict(records.report_of(con, [left, right]))}
