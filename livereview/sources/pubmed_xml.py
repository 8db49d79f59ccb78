"""PubMed's XML: one article, book or deletion of a set after the other, each as a record or a
reject.

The elements are described at https://www.nlm.nih.gov/bsd/licensee/elements_descriptions.html.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from xml.etree.ElementTree import Element, ParseError, tostring

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from livereview import registrations
from livereview.errors import LivereviewError, Retry, SourceBroken
from livereview.records import (
    Record,
    Related,
    clean_doi,
    clean_isbn,
    clean_issn,
    clean_pmcid,
    clean_pmid,
    clean_year,
)
from livereview.sources import answers, relations
from livereview.sources.markup import refuse_crowded
from livereview.sources.protocol import Reject
from livereview.sources.text import abstract, link, name, names, plain, reject

NAME = "pubmed"
TITLE = "PubMed"
_ITEMS = ("PubmedArticle", "PubmedBookArticle", "DeleteCitation", "MedlineCitation")
_SETS = ("PubmedArticleSet", "PubmedBookArticleSet", "MedlineCitationSet", "DeleteDocument")
_ANSWERS = (*_ITEMS, *_SETS, "eSearchResult", "eSummaryResult")
_OTHERS = {
    "eInfoResult": "a list of NCBI's databases (einfo)",
    "ePostResult": "the receipt for a list of ids (epost)",
    "eSpellResult": "a spelling suggestion (espell)",
    "eLinkResult": "a list of links (elink)",
    "pmc-articleset": "full texts of PMC",
    "article": "a full text of PMC",
}
_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_HICCUP = re.compile(
    r"unable to obtain|cannot retrieve|history|webenv|query_key|backend failed|error forwarding|error reading"
    r"|exception|connection|timeout|retry",
    re.IGNORECASE,
)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTH = re.compile("(" + "|".join(_MONTHS) + ")", re.IGNORECASE)
_TYPES = {  # the first that is there decides
    "Retraction of Publication": "retraction-notice",
    "Retraction Notice": "retraction-notice",
    "Published Erratum": "erratum",
    "Expression of Concern": "expression-of-concern",
    "Preprint": "preprint",
    "Dataset": "dataset",
    "Letter": "letter",
    "Editorial": "editorial",
    "News": "news",
    "Journal Article": "journal-article",
    "Review": "journal-article",
    "Systematic Review": "journal-article",
    "Case Reports": "journal-article",
    "Randomized Controlled Trial": "journal-article",
}
_NOTICES = ("retraction-notice", "erratum", "expression-of-concern")
_AFTERMATH = {
    "RetractionIn": "retracted",
    "PartialRetractionIn": "retracted",
    "ExpressionOfConcernIn": "expression-of-concern",
    "ErratumIn": "corrected",
    "CorrectedandRepublishedIn": "corrected",
}


def read_xml(body: bytes) -> Element:
    """The root of one of PubMed's answers.

    Retry if it is truncated, SourceBroken for all else, saying what it is.
    """
    utf16 = body.startswith((b"\xff\xfe", b"\xfe\xff"))
    refuse_crowded(body, NAME)
    try:
        root: Element = fromstring((body if utf16 else _CONTROL.sub(b"", body)).strip())
    except (ParseError, DefusedXmlException, ValueError, LookupError, RecursionError) as error:
        raise _damaged(error, body.decode("utf-8", "replace").strip()) from None
    said = "; ".join((one.text or "").strip() for one in root.iter("ERROR"))
    if root.tag in ("eFetchResult", "ePostResult") and said:
        raise refusal(said)
    if root.tag not in _ANSWERS:
        raise _foreign(root.tag.rpartition("}")[2], body.decode("utf-8", "replace").strip())
    return root


def refusal(said: str) -> LivereviewError:
    """The error for PubMed's own words: Retry for its hiccups, which an expired history is one of."""
    if (
        (answers.busy(said) or _HICCUP.search(said))
        and "9,999" not in said
        and "cannot be larger" not in said
    ):
        return Retry(f"PubMed can't answer now: {said[:300]}", source=NAME)
    return SourceBroken(f"PubMed refused the request: {said[:300]}", source=NAME)


def _foreign(tag: str, text: str) -> LivereviewError:
    if tag in _OTHERS:
        return SourceBroken(f"this is {_OTHERS[tag]}, not records of PubMed", source=NAME)
    return answers.not_an_answer(text, NAME, TITLE)


def _damaged(error: Exception, text: str) -> LivereviewError:
    if isinstance(error, DefusedXmlException):
        return SourceBroken(
            "this XML declares entities, which PubMed's never does: not read", source=NAME
        )
    root = re.search(r"<([A-Za-z][\w-]*)", re.sub(r"<[?!][^<>]*>", "", text[:2_000]))
    kind = root.group(1) if root else ""
    if kind not in (*_ANSWERS, "eFetchResult"):
        return _foreign(kind, text)
    if not re.search(rf"</{kind}\s{{0,99}}>\Z|\A\s*<{kind}[^<]*/>\Z", text.strip()):
        return Retry(f"PubMed's answer is truncated after {len(text)} characters", source=NAME)
    return SourceBroken(f"this is not PubMed's answer: not valid XML, {error}", source=NAME)


def articles(root: Element) -> tuple[tuple[Record, ...], tuple[Reject, ...]]:
    """Every item of a set as a record or a reject; a deleted one is a reject for each PMID."""
    records: list[Record] = []
    rejects: list[Reject] = []
    for number, item in enumerate([root] if root.tag in _ITEMS else root):
        where = f"{item.tag}[{number}]"
        if item.tag == "DeleteCitation":
            pmids = [(one.text or "").strip() for one in item.iter("PMID")]
            rejects += [
                reject(f"deleted by PubMed: PMID {pmid}", where, _raw(item)) for pmid in pmids
            ]
            continue
        made = _book(item) if item.tag == "PubmedBookArticle" else _article(item)
        if isinstance(made, Record):
            records.append(made)
        else:
            rejects.append(reject(made, where, _raw(item)))
    return tuple(records), tuple(rejects)


def _raw(item: Element) -> str:
    return tostring(item, encoding="unicode")


def _flat(element: Element | None) -> str | None:
    """All text within, as inline markup cuts sentences into pieces."""
    if element is not None:
        return "".join(element.itertext())
    return None


def _article(item: Element) -> Record | str:
    citation = item if item.tag == "MedlineCitation" else item.find("MedlineCitation")
    article = citation.find("Article") if citation is not None else None
    pmid = clean_pmid(citation.findtext("PMID")) if citation is not None else None
    if citation is None or article is None or pmid is None:
        if item.tag in _ITEMS:
            return "no MedlineCitation with PMID and Article"
        return f"not an article but {item.tag}"
    kind, title = _type(article.iterfind("PublicationTypeList/PublicationType")), _title(article)
    published = _date(article.find("Journal/JournalIssue/PubDate")) or _date(
        article.find("ArticleDate")
    )
    return Record(
        source=NAME,
        source_key=pmid,
        title=title,
        authors=_authors(article.iterfind("AuthorList/Author")),
        year=clean_year(published),
        published=published,
        url=link(f"https://pubmed.ncbi.nlm.nih.gov/{pmid}/"),
        abstract=_abstract(article.find("Abstract")) or _abstract(citation.find("OtherAbstract")),
        language=plain(article.findtext("Language"), 20),
        type=kind,
        retraction=None if kind in _NOTICES else _retraction(citation, title),
        related=_related(citation, article),
        **_identifiers(article, item.find("PubmedData/ArticleIdList"), pmid),
        **_journal(article, citation),
    )


def _related(citation: Element, article: Element) -> tuple[Related, ...]:
    """The notices, comments, updates and trials that PubMed ties to an article."""
    ties = citation.iterfind("CommentsCorrectionsList/CommentsCorrections")
    found = [relations.medline(tie.get("RefType") or "", tie.findtext("PMID")) for tie in ties]
    numbers: set[str] = set()
    for number in article.iterfind("DataBankList/DataBank/AccessionNumberList/AccessionNumber"):
        numbers |= registrations.in_field(number.text)
    return relations.several([*found, *relations.to_trials(numbers)])


def _identifiers(holder: Element, listed: Element | None, pmid: str) -> dict[str, Any]:
    """DOI and PMC id of the article itself: the lists of its references look just like its own."""
    ids = {one.get("IdType"): one.text for one in (listed if listed is not None else ())}
    valid = (
        one for one in holder.iterfind("ELocationID[@EIdType='doi']") if one.get("ValidYN") != "N"
    )
    located = next((doi for one in valid if (doi := clean_doi(one.text))), None)
    return {
        "pmid": pmid,
        "doi": clean_doi(ids.get("doi")) or located,
        "pmcid": clean_pmcid(ids.get("pmc")),
    }


def _journal(article: Element, citation: Element) -> dict[str, str | None]:
    journal = article.find("Journal")
    if journal is None:
        journal = Element("Journal")
    title = _flat(journal.find("Title")) or journal.findtext("ISOAbbreviation")
    linking = citation.findtext("MedlineJournalInfo/ISSNLinking")
    return {
        "container_title": plain(title or citation.findtext("MedlineJournalInfo/MedlineTA")),
        "volume": plain(journal.findtext("JournalIssue/Volume"), 100),
        "issue": plain(journal.findtext("JournalIssue/Issue"), 100),
        "pages": _pages(article.find("Pagination")),
        "issn": clean_issn(journal.findtext("ISSN")) or clean_issn(linking),
    }


def _pages(pagination: Element | None) -> str | None:
    if pagination is None:
        return None
    first, last = pagination.findtext("StartPage"), pagination.findtext("EndPage")
    span = f"{first}-{last}" if first and last else first
    return plain(span or pagination.findtext("MedlinePgn"), 100)


def _title(article: Element) -> str | None:
    """The English title, or the original one where the English is "[Not Available]." or only
    brackets.
    """
    title = plain(_flat(article.find("ArticleTitle")))
    if title is None or re.fullmatch(r"\W*+(?:not available\W*+)?", title, re.IGNORECASE):
        return plain(_flat(article.find("VernacularTitle"))) or title
    return title


def _abstract(holder: Element | None) -> str | None:
    """Every section in order, each with its label."""
    parts = []
    for section in holder.iterfind("AbstractText") if holder is not None else ():
        text, label = (_flat(section) or "").strip(), (section.get("Label") or "").strip()
        shown = label and label.upper() not in ("UNLABELLED", "UNLABELED")
        if text:
            parts.append(f"{label}: {text}" if shown else text)
    return abstract("\n".join(parts))


def _authors(people: Iterator[Element]) -> tuple[str, ...]:
    """Names as "Family, Given" and groups.

    An author marked invalid is followed by its correction.
    """
    found = []
    for one in people:
        if one.get("ValidYN") != "N":
            given = " ".join(
                filter(
                    None,
                    (one.findtext("ForeName") or one.findtext("Initials"), one.findtext("Suffix")),
                )
            )
            found.append(
                name(one.findtext("LastName"), given)
                or plain(_flat(one.find("CollectiveName")), 200)
            )
    return names(found)


def _date(element: Element | None) -> str | None:
    if element is None:
        return None
    month = (element.findtext("Month") or "").strip()[:3].title()
    number = _MONTHS.index(month) + 1 if month in _MONTHS else month
    stated = answers.iso(
        (element.findtext("Year") or "").strip(), number, (element.findtext("Day") or "").strip()
    )
    return stated or medline_date(element.findtext("MedlineDate"))


def medline_date(text: str | None) -> str | None:
    """A date in words as exact as it is certain: "2010 Sep 5" to the day, "2010 Sep-Oct" to the
    year.
    """
    words = text or ""
    years, months = (
        set(re.findall(r"\b[12]\d{3}\b", words)),
        {one.title() for one in _MONTH.findall(words)},
    )
    if not years:
        return None
    days = re.findall(r"\b\d{1,2}\b", words)
    single = len(years) == 1 and len(months) == 1
    parts = [min(years)] + ([_MONTHS.index(months.pop()) + 1] if single else [])
    return answers.iso(*parts, *(days if single and len(days) == 1 else []))


def _type(types: Iterator[Element]) -> str | None:
    words = [(one.text or "").strip() for one in types]
    known = next((kind for word, kind in _TYPES.items() if word in words), None)
    return known or next((word.lower() for word in words if word), None)


def _retraction(citation: Element, title: str | None) -> str | None:
    """The most severe thing that happened to this article: only notices *in* which it did, not
    those it is itself.
    """
    links = citation.iterfind("CommentsCorrectionsList/CommentsCorrections")
    states = {_AFTERMATH[kind] for one in links if (kind := one.get("RefType") or "") in _AFTERMATH}
    types = [
        (one.text or "").strip()
        for one in citation.iterfind("Article/PublicationTypeList/PublicationType")
    ]
    if "Retracted Publication" in types or answers.marked_retracted(title):
        return "retracted"
    return next((state for state in answers.RETRACTIONS if state in states), None)


def _book(item: Element) -> Record | str:
    document = item.find("BookDocument")
    book = document.find("Book") if document is not None else None
    pmid = clean_pmid(document.findtext("PMID")) if document is not None else None
    if document is None or book is None or pmid is None:
        return "no BookDocument with PMID and Book"
    whole, chapter = (
        plain(_flat(book.find("BookTitle"))),
        plain(_flat(document.find("ArticleTitle"))),
    )
    published = _date(book.find("PubDate")) or _date(document.find("ContributionDate"))
    return Record(
        source=NAME,
        source_key=pmid,
        title=chapter or whole,
        authors=_authors(document.iterfind("AuthorList/Author"))
        or _authors(book.iterfind("AuthorList/Author")),
        year=clean_year(published),
        published=published,
        container_title=whole if chapter else plain(_flat(book.find("CollectionTitle"))),
        volume=plain(book.findtext("Volume"), 100),
        pages=_pages(document.find("Pagination")),
        isbn=clean_isbn(" ; ".join(one.text or "" for one in book.iterfind("Isbn"))),
        url=link(f"https://pubmed.ncbi.nlm.nih.gov/{pmid}/"),
        abstract=_abstract(document.find("Abstract")),
        language=plain(document.findtext("Language"), 20),
        type="book-chapter" if chapter else "book",
        **_identifiers(document, document.find("ArticleIdList"), pmid),
    )
