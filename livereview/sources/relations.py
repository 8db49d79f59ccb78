"""What sources say belongs to a publication, in their many words, as links of one kind each.

Only what makes two reports of one study or a notice on one: citations, supplements, reviewers'
reports, the journal that an article is in and data are no links.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from livereview import registrations
from livereview.identifiers import clean_doi, clean_pmid
from livereview.links import LinkKind
from livereview.records import Related
from livereview.sources.answers import mapping, sequence, string

MOST = 50  # links of one record: a few are usual, hundreds would be a list of references
_CROSSREF = {
    "is-preprint-of": LinkKind.PREPRINT,
    "has-preprint": LinkKind.PREPRINT,
    "is-manuscript-of": LinkKind.ACCEPTED_MANUSCRIPT,
    "has-manuscript": LinkKind.ACCEPTED_MANUSCRIPT,
    "is-version-of": LinkKind.VERSION,
    "has-version": LinkKind.VERSION,
    "is-identical-to": LinkKind.VERSION,
    "is-same-as": LinkKind.VERSION,
    "is-replaced-by": LinkKind.VERSION,
    "replaces": LinkKind.VERSION,
    "is-translation-of": LinkKind.VERSION,
    "has-translation": LinkKind.VERSION,
    "is-variant-form-of": LinkKind.VERSION,
    "is-original-form-of": LinkKind.VERSION,
    "is-comment-on": LinkKind.REPLY,
    "has-comment": LinkKind.REPLY,
    "is-reply-to": LinkKind.REPLY,
    "has-reply": LinkKind.REPLY,
}
# Words within the type of an update, the first that is there.
_UPDATES = (
    ("retract", LinkKind.RETRACTION),
    ("withdraw", LinkKind.RETRACTION),
    ("remov", LinkKind.RETRACTION),
    ("concern", LinkKind.CONCERN),
    ("correct", LinkKind.CORRECTION),
    ("corrig", LinkKind.CORRECTION),
    ("errat", LinkKind.CORRECTION),
    ("addend", LinkKind.CORRECTION),
    ("clarif", LinkKind.CORRECTION),
    ("version", LinkKind.VERSION),
    ("edition", LinkKind.VERSION),
)
_DATACITE = {
    "IsVersionOf": LinkKind.VERSION,
    "HasVersion": LinkKind.VERSION,
    "IsNewVersionOf": LinkKind.VERSION,
    "IsPreviousVersionOf": LinkKind.VERSION,
    "IsIdenticalTo": LinkKind.VERSION,
    "IsVariantFormOf": LinkKind.VERSION,
    "IsOriginalFormOf": LinkKind.VERSION,
    "IsObsoletedBy": LinkKind.VERSION,
    "Obsoletes": LinkKind.VERSION,
    "IsTranslationOf": LinkKind.VERSION,
    "HasTranslation": LinkKind.VERSION,
}
# Beginnings of what PubMed and Europe PMC call a tie, in letters only, the first that fits:
# "Erratum in", "ErratumFor".
_MEDLINE = (
    ("preprint", LinkKind.PREPRINT),
    ("erratum", LinkKind.CORRECTION),
    ("partialretraction", LinkKind.RETRACTION),
    ("retractedandrepublished", LinkKind.VERSION),
    ("retraction", LinkKind.RETRACTION),
    ("expressionofconcern", LinkKind.CONCERN),
    ("comment", LinkKind.REPLY),
    ("update", LinkKind.VERSION),
    ("correctedandrepublished", LinkKind.VERSION),
    ("republished", LinkKind.VERSION),
    ("reprint", LinkKind.REPRINT),
    ("summaryforpatients", LinkKind.SUMMARY),
    ("originalreport", LinkKind.SUMMARY),
)
# The tags by which a MEDLINE file says the same.
MEDLINE_TAGS = {
    "CIN": LinkKind.REPLY,
    "CON": LinkKind.REPLY,
    "EIN": LinkKind.CORRECTION,
    "EFR": LinkKind.CORRECTION,
    "CRI": LinkKind.VERSION,
    "CRF": LinkKind.VERSION,
    "RIN": LinkKind.RETRACTION,
    "ROF": LinkKind.RETRACTION,
    "PRIN": LinkKind.RETRACTION,
    "PROF": LinkKind.RETRACTION,
    "RPI": LinkKind.VERSION,
    "RPF": LinkKind.VERSION,
    "RRI": LinkKind.VERSION,
    "RRF": LinkKind.VERSION,
    "ECI": LinkKind.CONCERN,
    "ECF": LinkKind.CONCERN,
    "UIN": LinkKind.VERSION,
    "UOF": LinkKind.VERSION,
    "SPIN": LinkKind.SUMMARY,
    "ORI": LinkKind.SUMMARY,
}
_ARXIV = re.compile(r"arxiv\.org/(?:abs|pdf)/(\d{4}\.\d{4,5}|[a-z-]+/\d{7})", re.IGNORECASE)
_OPENALEX = {
    "submittedVersion": LinkKind.PREPRINT,
    "acceptedVersion": LinkKind.ACCEPTED_MANUSCRIPT,
}


def several(links: Iterable[Related | None], own: str | None = None) -> tuple[Related, ...]:
    """The links in order, each once, without one to the record itself (`own`: its DOI)."""
    kept = [link for link in links if link is not None and link.id != f"doi:{own}"]
    return tuple(dict.fromkeys(kept))[:MOST]


def to_doi(kind: LinkKind, text: object) -> Related | None:
    """A link to the DOI in a text."""
    doi = clean_doi(text)
    return Related(kind, f"doi:{doi}") if doi else None


def to_pmid(kind: LinkKind, text: object) -> Related | None:
    """A link to the PMID in a text."""
    pmid = clean_pmid(text)
    return Related(kind, f"pmid:{pmid}") if pmid else None


def to_trials(numbers: Iterable[str]) -> list[Related]:
    """Links of a report to the trials that its source, and not only its text, says it is of."""
    return [Related(LinkKind.REGISTRATION, f"trial:{number}") for number in sorted(numbers)]


def crossref(work: dict[str, Any], own: str | None) -> tuple[Related, ...]:
    """What `relation`, `update-to` and `updated-by` of a work of Crossref's tie it to."""
    found: list[Related | None] = []
    for word, targets in mapping(work.get("relation")).items():
        kind = _CROSSREF.get(word)
        if kind is not None:
            found += [to_doi(kind, mapping(target).get("id")) for target in sequence(targets)]
    for field in ("update-to", "updated-by"):
        for update in map(mapping, sequence(work.get(field))):
            words = string(update.get("type")) or string(update.get("label")) or ""
            kind = _first(_UPDATES, words.lower())
            if kind is not None:
                found.append(to_doi(kind, update.get("DOI")))
    return several(found, own)


def _first(table: Iterable[tuple[str, LinkKind]], words: str) -> LinkKind | None:
    return next((kind for word, kind in table if word in words), None)


def datacite(item: dict[str, Any], own: str, kind: str | None) -> tuple[Related, ...]:
    """What the related identifiers of a DataCite item tie it to.

    arXiv and others write "IsVersionOf" of a preprint and its article.
    """
    found: list[Related | None] = []
    for related in map(mapping, sequence(item.get("relatedIdentifiers"))):
        link = _DATACITE.get(string(related.get("relationType")) or "")
        if link is None:
            continue
        if kind == "preprint" and related.get("relationType") == "IsVersionOf":
            link = LinkKind.PREPRINT
        identifier = related.get("relatedIdentifier")
        scheme = (string(related.get("relatedIdentifierType")) or "").upper()
        if scheme == "PMID":
            found.append(to_pmid(link, identifier))
        elif scheme in ("DOI", "URL"):
            found.append(to_doi(link, identifier))
    return several(found, own)


def medline(kind: str, pmid: object) -> Related | None:
    """A tie of PubMed's or Europe PMC's to a PMID, by their words for it."""
    letters = re.sub(r"[^a-z]", "", kind.lower())
    link = next((link for word, link in _MEDLINE if letters.startswith(word)), None)
    return to_pmid(link, pmid) if link else None


def europepmc(item: dict[str, Any], own: str | None) -> tuple[Related, ...]:
    """What Europe PMC's list of comments and corrections ties a publication to.

    Preprints have numbers of Europe PMC's own.
    """
    found: list[Related | None] = []
    for tie in map(
        mapping, sequence(mapping(item.get("commentCorrectionList")).get("commentCorrection"))
    ):
        number = string(tie.get("id")) or ""
        if number.upper().startswith("PPR"):
            found.append(Related(LinkKind.PREPRINT, f"epmc:{number.upper()}"))
        elif tie.get("source") in ("MED", None):
            found.append(medline(string(tie.get("type")) or "", number))
    return several(found, own)


def openalex(work: dict[str, Any], own: str | None) -> tuple[Related, ...]:
    """The other places that OpenAlex has put into one work, where they have a DOI of their own."""
    found: list[Related | None] = []
    for place in map(mapping, sequence(work.get("locations"))):
        kind = _OPENALEX.get(string(place.get("version")) or "")
        if kind is not None:
            found.append(to_doi(kind, _doi_of_page(string(place.get("landing_page_url")) or "")))
    return several(found, own)


def _doi_of_page(address: str) -> str:
    """The address, or the DOI that arXiv gives what is at it."""
    preprint = _ARXIV.search(address)
    if preprint:
        return f"10.48550/arxiv.{preprint[1].lower()}"
    return address


def tagged(lines: Mapping[str, Iterable[str]]) -> tuple[Related, ...]:
    """What a MEDLINE file's tags tie an article to: "PMID: 123" in EIN, a trial's number in SI."""
    found: list[Related | None] = []
    for tag, kind in MEDLINE_TAGS.items():
        for line in lines.get(tag, ()):
            number = re.search(r"PMID:?\s?(\d{1,9})", line)
            found.append(to_pmid(kind, number[1]) if number else None)
    numbers: set[str] = set()
    for line in lines.get("SI", ()):
        numbers |= registrations.in_field(line)
    return several([*found, *to_trials(numbers)])
