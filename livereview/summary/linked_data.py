"""schema.org's description of a page, for search engines: the review as an article, its data as a
dataset, each with what their documented rules ask for.

Rules read in November 2026: Schema.org 29 (https://schema.org) and Google's pages on structured data
for articles and datasets. Nothing is described that the page does not show; a claim review it is not.
"""

from __future__ import annotations

from typing import Any

from livereview.messages import mark, say
from livereview.summary import crate
from livereview.summary.addresses import Place
from livereview.summary.model import Summary
from livereview.summary.words import tidy

MOST_BASED_ON = 50
"""Studies named as sources: enough to tell what it is, and a page that stays light."""

FILES = (
    ("summary.json", "application/json"),
    ("findings.csv", "text/csv"),
    ("studies.csv", "text/csv"),
    ("effects.csv", "text/csv"),
)
"""The files of the dataset that search engines are told of."""

Node = dict[str, Any]


def describe(summary: Summary, place: Place) -> Node:
    """JSON-LD of the first page; the template escapes it for its script element.

    Addresses, and the dataset's files, are told where the protocol's `site_url` gives one.
    """
    return {
        "@context": "https://schema.org",
        "@graph": [_article(summary, place), _dataset(summary, place)],
    }


def _shared(summary: Summary) -> Node:
    """What article and dataset both have."""
    review, version = summary.review, summary.version
    return {
        "name": tidy(review.title),
        "inLanguage": summary.language,
        "version": str(version.number),
        "datePublished": summary.versions[-1].date,
        "dateModified": version.date,
        "license": crate.address_of_licence(review.licence) or tidy(review.licence),
        "isAccessibleForFree": True,
    }


def _article(summary: Summary, place: Place) -> Node:
    review = summary.review
    links = {report.link for study in summary.studies for report in study.reports if report.link}
    node: Node = {
        "@type": "ScholarlyArticle",
        **_shared(summary),
        "headline": tidy(review.title),
        "abstract": _abstract(summary),
        "author": _people(summary),
        "isBasedOn": sorted(links)[:MOST_BASED_ON],
    }
    if place.site:
        node |= {
            "@id": f"{place.folder}#article",
            "url": place.folder,
            "mainEntityOfPage": place.folder,
            "identifier": place.version,
            "image": [f"{place.folder}card.png"],
        }
    return node


def _dataset(summary: Summary, place: Place) -> Node:
    about = say(
        mark(
            "The data of the living systematic review “{title}”: studies, effects and findings. {answer}"
        ),
        title=tidy(summary.review.title),
        answer=_abstract(summary),
    )
    node: Node = {
        "@type": "Dataset",
        **_shared(summary),
        "description": about[:LONGEST],
        "creator": _people(summary),
    }
    if place.site:
        node |= {
            "@id": f"{place.folder}#dataset",
            "url": f"{place.folder}data.html",
            "identifier": place.version,
            "distribution": [
                {"@type": "DataDownload", "encodingFormat": kind, "contentUrl": place.folder + name}
                for name, kind in FILES
            ],
        }
    return node


LONGEST = 5000
"""Letters that Google's rules let a dataset's description have; at least fifty are asked for."""


def _abstract(summary: Summary) -> str:
    return tidy(f"{summary.answer.text} {summary.caveat}".strip())


def _people(summary: Summary) -> list[Node]:
    return [{"@type": "Person", "name": tidy(name)} for name in summary.review.authors]
