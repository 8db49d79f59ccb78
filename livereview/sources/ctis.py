"""CTIS, the EU's Clinical Trials Information System: its public search, and single trials.

The query goes to the portal's "contains all of these words" (`containAll`); filters are sent as
further criteria by the portal's own names (containAny, containNot, title, medicalCondition, sponsor,
…), and the filter `trial` asks for the one trial with this number. It cannot select by the day of a
change, so each search reads everything that fits. It hands out 10,000 trials. What a search tells of
a trial has no other register's numbers; a single trial has.

Facts from the portal itself (https://euclinicaltrials.eu), which documents them nowhere: pages are
counted from 1, and without `searchCriteria` it answers with an honest-looking zero.
"""

from __future__ import annotations

import json
import re
from typing import Any

from livereview import registrations
from livereview.links import LinkKind
from livereview.records import Record, Related, clean_year
from livereview.sources import answers
from livereview.sources.answers import mapping, sequence, string
from livereview.sources.protocol import Page, Query, Request, Source, Window
from livereview.sources.text import abstract, name, names, plain

NAME = "ctis"
TITLE = "EU Clinical Trials (CTIS)"
URL = "https://euclinicaltrials.eu/ctis-public-api"
REACH = 10_000
SIZE = 100
_OWN = ("trial",)
_NUMBER = re.compile(r"20\d\d-\d{6}-\d\d-\d\d")
_DAY = re.compile(r"(\d\d)/(\d\d)/(\d{4})")


def request(query: Query, window: Window, cursor: str | None) -> Request:
    """One page of a search, which is a POST; the cursor is its number. Or one trial."""
    if number := query.filter("trial"):
        return Request(f"{URL}/retrieve/{number}")
    text = answers.search_text(query, _OWN, TITLE)
    criteria = {"containAll": text} if text else {}
    criteria |= dict(query.filters)
    asked = {
        "pagination": {"page": int(cursor or 1), "size": SIZE},
        "sort": {"property": "decisionDate", "direction": "DESC"},
        "searchCriteria": criteria,
    }
    return Request(f"{URL}/search", json=json.dumps(asked, ensure_ascii=False, sort_keys=True))


def parse(body: bytes, cursor: str | None) -> Page:
    """The trials of a page, or a single one."""
    data = answers.read_json(body, NAME, TITLE)
    place = mapping(mapping(data).get("pagination"))
    if not isinstance(mapping(data).get("data"), list) or not place:
        return _single(data)
    items = data["data"]
    records, rejects = answers.read_items(items, _found, "data")
    total, page = answers.whole(place.get("totalRecords")), int(cursor or 1)
    following = answers.next_place((page - 1) * SIZE, len(items), total, NAME, TITLE, REACH)
    return Page(records, str(page + 1) if following else None, rejects, total)


def _single(data: Any) -> Page:
    trial = mapping(data)
    if not _NUMBER.fullmatch(string(trial.get("ctNumber")) or ""):
        raise answers.refusal(data, NAME, TITLE) or answers.foreign(
            data, NAME, TITLE, "pagination with data, or a trial"
        )
    records, rejects = answers.read_items([trial], _whole, "trial")
    return Page(records, None, rejects)


def _found(item: dict[str, Any]) -> Record | str:
    """A trial as a search tells of it."""
    number = string(item.get("ctNumber"))
    decided = _day(string(item.get("decisionDateOverall"))) or _day(
        string(item.get("decisionDate"))
    )
    parts = [string(item.get(field)) for field in ("conditions", "product", "primaryEndPoint")]
    return _record(
        number,
        title=string(item.get("ctTitle")) or string(item.get("shortTitle")),
        sponsor=string(item.get("sponsor")),
        decided=decided,
        about=". ".join(part for part in parts if part),
    )


def _whole(trial: dict[str, Any]) -> Record | str:
    """A single trial, with its numbers in other registers."""
    application = mapping(trial.get("authorizedApplication"))
    first_part = mapping(application.get("authorizedPartI"))
    details = mapping(first_part.get("trialDetails"))
    named = mapping(details.get("clinicalTrialIdentifiers"))
    objective = mapping(mapping(details.get("trialInformation")).get("trialObjective"))
    sponsor = mapping(next(iter(sequence(first_part.get("sponsors"))), None))
    organisation = mapping(sponsor.get("organisation"))
    return _record(
        string(trial.get("ctNumber")),
        title=string(named.get("fullTitle")) or string(named.get("publicTitle")),
        sponsor=string(organisation.get("name")),
        decided=answers.iso_date(trial.get("decisionDate")),
        about=string(objective.get("mainObjective")),
        others=json.dumps([named, application.get("eudraCt")]),
    )


def _record(
    number: str | None,
    *,
    title: str | None,
    sponsor: str | None,
    decided: str | None,
    about: str | None,
    others: str = "",
) -> Record | str:
    if number is None or not _NUMBER.fullmatch(number):
        return "no EU trial number"
    registration = registrations.own(number)
    numbers = sorted(registrations.in_field(others) - {registration})
    return Record(
        source=NAME,
        source_key=number,
        title=plain(title),
        authors=names([name(sponsor)]),
        year=clean_year(decided),
        published=decided,
        container_title=TITLE,
        url=f"https://euclinicaltrials.eu/search-for-clinical-trials/?lang=en&EUCT={number}",
        abstract=abstract(about),
        type="trial",
        registration=registration,
        related=tuple(Related(LinkKind.REGISTERED_TWICE, f"trial:{other}") for other in numbers),
    )


def _day(text: str | None) -> str | None:
    """The first day in "07/10/2026" or "HU: 07/10/2026, DE: 09/10/2026", day before month."""
    found = _DAY.search(text or "")
    if found:
        return answers.iso(found[3], found[2], found[1])
    return None


SOURCE = Source(NAME, TITLE, parse, request, interval=2.0, days=False, reach=REACH)
