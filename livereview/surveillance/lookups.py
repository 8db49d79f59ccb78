"""Asking sources about known reports: who can be asked about which, when it is due, and in what
words.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from livereview.sources.protocol import Query

PROMISED = 30  # days within which every included or queued report is looked up again
DUE = 29  # a nightly run keeps the promise with a day to spare
SOURCES = ("crossref", "pubmed", "retractionwatch", "openalex", "europepmc", "unpaywall")
ABSTRACTS = ("europepmc",)  # asked only where no abstract is known
# asked only about reports whose full text is sought: it tells where a free copy is
SOUGHT = ("unpaywall",)
NEEDS = {"unpaywall": "LIVEREVIEW_MAILTO"}  # who does not tell this setting is not asked
BATCH = {"unpaywall": 1, "crossref": 40, "pubmed": 200, "openalex": 40, "europepmc": 20}


@dataclass(frozen=True, slots=True)
class Known:
    """A report by one of its records, and the identifiers of all of them.

    Sought: it waits at full text.
    """

    record: str
    doi: str | None
    pmid: str | None
    abstract: bool = True
    sought: bool = True


def askable(report: Known, source: str) -> bool:
    """Whether this source can be asked about the report, and could tell anything new.

    OpenAlex is asked about all: citation chasing needs its ids.
    """
    if (source in ABSTRACTS and report.abstract) or (source in SOUGHT and not report.sought):
        return False
    if source in ("openalex", "europepmc") and set(report.doi or "") & set(
        ',|"'
    ):  # these would split the query
        return False
    if source == "retractionwatch":
        return bool(report.doi or report.pmid)
    return bool(report.pmid if source == "pubmed" else report.doi)


def queries(source: str, reports: Sequence[Known]) -> Iterator[tuple[Query, tuple[str, ...]]]:
    """The queries that ask a source about these reports, each with the records it covers."""
    if source == "retractionwatch":
        yield Query(), tuple(report.record for report in reports)
        return
    single = [report for report in reports if source == "crossref" and "," in (report.doi or "")]
    for (
        report
    ) in single:  # a comma would end Crossref's filter, so such a work is asked for by its address
        yield Query(filters=(("work", report.doi or ""),)), (report.record,)
    others = [report for report in reports if report not in single]
    for start in range(0, len(others), BATCH[source]):
        batch = others[start : start + BATCH[source]]
        yield _query(source, batch), tuple(report.record for report in batch)


def _query(source: str, batch: Sequence[Known]) -> Query:
    dois = [report.doi or "" for report in batch]
    if source == "unpaywall":
        return Query(dois[0], filters=(("work", dois[0]),))
    if source == "pubmed":
        return Query(" OR ".join(f"{report.pmid}[uid]" for report in batch))
    if source == "europepmc":
        return Query(" OR ".join(f'DOI:"{doi}"' for doi in dois))
    return Query(
        filters=(("doi", "|".join(dois)),)
        if source == "openalex"
        else tuple(("doi", doi) for doi in dois)
    )
