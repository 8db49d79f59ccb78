"""The search report that PRISMA-S asks for: each source, its strategy as run, limits, dates and
counts.

Items: Rethlefsen ML et al. PRISMA-S. Syst Rev 2021;10:39, doi:10.1186/s13643-020-01542-z.
"""

from __future__ import annotations

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
DEDUP = (
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
        schedule_display=words.schedule(schedule, living.timezone) if schedule else "once",
        first_run=words.iso(fact.first_at),
        first_run_display=words.day(fact.first_at) or "never",
        last_run=words.iso(fact.last_at),
        last_success=words.iso(fact.last_success),
        last_success_display=words.day(fact.last_success) or "never",
        runs=fact.runs,
        records=fact.found,
    )


def _kind(fact: SearchFact) -> str:
    kinds = {
        "study registry": REGISTRIES,
        "online resource": ONLINE,
        "citation searching": CITATIONS,
    }
    named = next((kind for kind, sources in kinds.items() if fact.source in sources), None)
    return named or ("other method" if fact.grey else "database")


def _items(snapshot: Snapshot) -> tuple[ReportedItem, ...]:
    """PRISMA-S items, each answered from what was run; what is not known is said to be so."""
    by_kind = {
        kind: [fact.platform for fact in snapshot.searches if _kind(fact) == kind]
        for kind in _KINDS
    }
    starts = sorted({search.start for search in snapshot.review.searches if search.start})
    answers = {
        "1 Database name": _listed(by_kind["database"]),
        "2 Multi-database searching": "Each source is searched by itself, through its own interface.",
        "3 Study registries": _listed(by_kind["study registry"]),
        "4 Online resources and browsing": _listed(by_kind["online resource"]),
        "5 Citation searching": _listed(by_kind["citation searching"]),
        "6 Contacts": "Not recorded by this service.",
        "7 Other methods": _listed(by_kind["other method"]),
        "8 Full search strategies": "As run, beside each source.",
        "9 Limits and restrictions": f"Nothing before {', '.join(starts)}."
        if starts
        else "None by date.",
        "10 Search filters": "As listed beside each source.",
        "11 Prior work": "Not recorded by this service.",
        "12 Updates": words.schedule(
            snapshot.review.living.search_schedule, snapshot.review.living.timezone
        ),
        "13 Dates of searches": "Beside each source.",
        "14 Peer review": "Not recorded by this service.",
        "15 Total records": f"{snapshot.flow.identified_databases + snapshot.flow.identified_other:,}",
        "16 Deduplication": DEDUP,
    }
    return tuple(ReportedItem(item=item, answer=answer) for item, answer in answers.items())


_KINDS = ("database", "study registry", "online resource", "citation searching", "other method")


def _listed(platforms: list[str]) -> str:
    return "; ".join(dict.fromkeys(platforms)) or "None."


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
        caveat=CAVEAT,
    )
