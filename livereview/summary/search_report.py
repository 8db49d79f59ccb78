"""The search report that PRISMA-S asks for: each source, its strategy as run, limits, dates and
counts.

Items: Rethlefsen ML et al. PRISMA-S. Syst Rev 2021;10:39, doi:10.1186/s13643-020-01542-z.
"""

from __future__ import annotations

from livereview.messages import mark, say
from livereview.summary import words
from livereview.summary.model.search_report import (
    FoundShare,
    ReportedItem,
    SearchedSource,
    SearchReport,
    SourceShare,
)
from livereview.summary.snapshot import SearchFact, Snapshot
from livereview.surveillance.recall import CAVEAT, Recall

REGISTRIES = ("clinicaltrials", "ctis", "ictrp")
ONLINE = ("feed", "page", "tip")
CITATIONS = ("citations",)
DEDUP = mark(
    "Records are compared field by field as they arrive; sure duplicates are merged, doubtful ones go to a person, and"
    " each merge can be undone."
)


def of_snapshot(snapshot: Snapshot) -> SearchReport:
    """The sources as rows, the items as sentences, and what the searches found of the evidence."""
    flow = snapshot.flow
    return SearchReport(
        standard="PRISMA-S, doi:10.1186/s13643-020-01542-z",
        review=snapshot.review.id,
        as_of=words.iso(snapshot.moment),
        sources=tuple(_source(snapshot, fact) for fact in snapshot.searches),
        items=_items(snapshot),
        records=flow.identified_databases + flow.identified_other,
        duplicates=flow.duplicates,
        recall=_recall(snapshot.recall),
    )


def _source(snapshot: Snapshot, fact: SearchFact) -> SearchedSource:
    living = snapshot.review.living
    plan = snapshot.review.search(fact.name)
    schedule = None if plan is None else plan.schedule or living.search_schedule
    return SearchedSource(
        name=fact.name,
        platform=fact.platform,
        kind=_kind(fact),
        strategy=fact.query,
        filters=fact.filters,
        start=plan.start if plan else None,
        schedule=schedule,
        schedule_display=words.schedule(schedule, living.timezone) if schedule else say("once"),
        first_run=words.iso(fact.first_at),
        first_run_display=words.day(fact.first_at) or say("never"),
        last_run=words.iso(fact.last_at),
        last_success=words.iso(fact.last_success),
        last_success_display=words.day(fact.last_success) or say("never"),
        runs=fact.runs,
        records=fact.found,
    )


def _kind(fact: SearchFact) -> str:
    kinds = {
        mark("study registry"): REGISTRIES,
        mark("online resource"): ONLINE,
        mark("citation searching"): CITATIONS,
    }
    named = next((kind for kind, sources in kinds.items() if fact.source in sources), None)
    return named or (mark("other method") if fact.grey else mark("database"))


def _items(snapshot: Snapshot) -> tuple[ReportedItem, ...]:
    """PRISMA-S items, each answered from what was run; what is not known is said to be so."""
    by_kind = {
        kind: [fact.platform for fact in snapshot.searches if _kind(fact) == kind]
        for kind in _KINDS
    }
    starts = sorted({search.start for search in snapshot.review.searches if search.start})
    records = snapshot.flow.identified_databases + snapshot.flow.identified_other
    answers = {
        mark("1 Database name"): _listed(by_kind["database"]),
        mark("2 Multi-database searching"): say(
            "Each source is searched by itself, through its own interface."
        ),
        mark("3 Study registries"): _listed(by_kind["study registry"]),
        mark("4 Online resources and browsing"): _listed(by_kind["online resource"]),
        mark("5 Citation searching"): _listed(by_kind["citation searching"]),
        mark("6 Contacts"): say("Not recorded by this service."),
        mark("7 Other methods"): _listed(by_kind["other method"]),
        mark("8 Full search strategies"): say("As run, beside each source."),
        mark("9 Limits and restrictions"): _limits(starts),
        mark("10 Search filters"): say("As listed beside each source."),
        mark("11 Prior work"): say("Not recorded by this service."),
        mark("12 Updates"): words.schedule(
            snapshot.review.living.search_schedule, snapshot.review.living.timezone
        ),
        mark("13 Dates of searches"): say("Beside each source."),
        mark("14 Peer review"): say("Not recorded by this service."),
        mark("15 Total records"): words.count(records),
        mark("16 Deduplication"): say(DEDUP),
    }
    return tuple(ReportedItem(item=say(item), answer=answer) for item, answer in answers.items())


_KINDS = ("database", "study registry", "online resource", "citation searching", "other method")


def _limits(starts: list[str]) -> str:
    if starts:
        return say("Nothing before {dates}.", dates=", ".join(starts))
    return say("None by date.")


def _listed(platforms: list[str]) -> str:
    return "; ".join(dict.fromkeys(platforms)) or say("None.")


def _recall(found: Recall | None) -> FoundShare | None:
    if found is None:
        return None
    sources = [
        SourceShare(source=row.source, found=row.found, alone=row.alone) for row in found.sources
    ]
    return FoundShare(
        included=found.included,
        sources=tuple(sources),
        estimate=found.estimate,
        low=found.low,
        high=found.high,
        reason=found.reason,
        share=found.share,
        caveat=say(CAVEAT),
    )
