"""A version as a research object: an RO-Crate, its provenance in PROV-JSON, its checksums, and
schema.org for the page.

Standards: RO-Crate 1.1 (https://w3id.org/ro/crate/1.1), PROV-JSON (W3C Member Submission of 24
April 2013), schema.org. People stand here by role only; the names are those that the review
declares as its authors.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import count
from typing import Any
from urllib.parse import quote

from livereview.errors import Refused
from livereview.summary import feeds
from livereview.summary.data import dump
from livereview.summary.model import Summary
from livereview.summary.model.status import RunSearch
from livereview.summary.words import tidy, web

Node = dict[str, Any]

METADATA, SUMS = "ro-crate-metadata.json", "SHA256SUMS"
SPECIFICATION = "https://w3id.org/ro/crate/1.1"
# The context of RO-Crate 1.1 is older than schema.org's sha256, so it is added here.
CONTEXT = [f"{SPECIFICATION}/context", {"sha256": "http://schema.org/sha256"}]
LICENCES = {  # by SPDX's names, and by what else people write for them
    "CC0-1.0": "https://creativecommons.org/publicdomain/zero/1.0/",
    **{
        f"CC-{kind}-4.0": f"https://creativecommons.org/licenses/{kind.lower()}/4.0/"
        for kind in ("BY", "BY-SA", "BY-NC", "BY-NC-SA", "BY-ND", "BY-NC-ND")
    },
    **dict.fromkeys(
        ("OGL-UK-3.0", "OGL-3.0", "OPEN-GOVERNMENT-LICENCE-V3.0"),
        "https://www.nationalarchives.gov.uk/doc/open-government-licence/version/3/",
    ),
}
# by the end of the name, the longest first; a table of our own, as the machine's own differ
FORMATS = {
    ".csl.json": "application/vnd.citationstyles.csl+json",
    ".schema.json": "application/schema+json",
    ".json": "application/json",
    ".jsonld": "application/ld+json",
    ".csv": "text/csv",
    ".parquet": "application/vnd.apache.parquet",
    ".html": "text/html",
    ".atom": "application/atom+xml",
    ".svg": "image/svg+xml",
    ".js": "text/javascript",
    ".css": "text/css",
    ".png": "image/png",
    ".pdf": "application/pdf",
    ".xml": "application/xml",
    ".ris": "application/x-research-info-systems",
    ".bib": "application/x-bibtex",
    ".toml": "application/toml",
    ".zip": "application/zip",
    ".txt": "text/plain",
    ".md": "text/markdown",
    SUMS: "text/plain",
}
_BODY = re.compile(
    r"^the\b|\b(?:group|team|consortium|collaboration|network|cent(?:re|er)|institut\w*|universit\w*|department"
    r"|ministry|council|committee|foundation|society|association|organi[sz]ation|agency|office|review)\b",
    re.IGNORECASE,
)


# RO-Crate
# -------------------------------------------------------------------------------------------------------------


def crate(summary: Summary, files: Mapping[str, bytes]) -> bytes:
    """ro-crate-metadata.json of the files: flattened JSON-LD, each file with its size in bytes,
    sha256 and media type.

    The crate does not list itself nor SHA256SUMS, which holds the crate's own hash.
    """
    listed = {name: files[name] for name in sorted(files) if name not in (METADATA, SUMS)}
    licence, authors = _licence(summary), _authors(summary)
    root = {
        "@id": "./",
        "@type": "Dataset",
        **_described(summary),
        "datePublished": summary.version.date,
        "license": {"@id": licence["@id"]},
        "author": [{"@id": author["@id"]} for author in authors],
        "hasPart": [{"@id": quote(name)} for name in listed],
    }
    parts = [_file(name, body) for name, body in listed.items()]
    return dump(
        {"@context": CONTEXT, "@graph": [_descriptor(), root, licence, *authors, *parts]}, indent=1
    )


def _descriptor() -> Node:
    return {
        "@id": METADATA,
        "@type": "CreativeWork",
        "conformsTo": {"@id": SPECIFICATION},
        "about": {"@id": "./"},
    }


def _file(name: str, body: bytes) -> Node:
    return {
        "@id": quote(name),
        "@type": "File",
        "name": name,
        "contentSize": str(len(body)),
        "encodingFormat": encoding(name),
        "sha256": hashlib.sha256(body).hexdigest(),
    }


def encoding(name: str) -> str:
    """The media type of a published file, by its name."""
    fitting = (kind for end, kind in FORMATS.items() if name.endswith(end))
    return next(fitting, "application/octet-stream")


def _described(summary: Summary) -> Node:
    """What the crate and the page say of the version alike."""
    return {
        "name": tidy(summary.review.title),
        "description": tidy(f"{summary.answer.text} {summary.caveat}"),
        "version": str(summary.version.number),
    }


def address_of_licence(name: str) -> str | None:
    """Where a licence is told, by its usual names or by its own address; None: not known."""
    return LICENCES.get(re.sub(r"[\s-]+", "-", name.strip().upper())) or web(name)


def _licence(summary: Summary) -> Node:
    """The licence as an entity.

    By its address where it is a known one or is written as an address.
    """
    name = tidy(summary.review.licence)
    address = address_of_licence(name)
    return {"@id": address or "#licence", "@type": "CreativeWork", "name": name}


def _authors(summary: Summary) -> list[Node]:
    """The declared authors.

    A name with a word such as "group", or "The" before it, is an organisation's.
    """
    return [
        {
            "@id": f"#author-{number}",
            "@type": "Organization" if _BODY.search(name) else "Person",
            "name": tidy(name),
        }
        for number, name in enumerate(summary.review.authors, start=1)
    ]


# Provenance
# -----------------------------------------------------------------------------------------------------------


def provenance(summary: Summary) -> bytes:
    """prov.json: from the searches that ran, by screening, extraction and synthesis, to this
    version.

    Ids are those of the Atom feed, with the prefix `review`.
    """
    document = {
        "prefix": {"review": f"{feeds.id_of(summary.review)}/"},
        "entity": _entities(summary),
        "activity": _activities(summary),
        "agent": _agents(summary),
        "used": _numbered("u", _uses(summary)),
        "wasGeneratedBy": _numbered("g", _generations(summary)),
        "wasAssociatedWith": _numbered("w", _associations(summary)),
        "wasAttributedTo": _numbered("a", _attributions(summary)),
        "wasDerivedFrom": _numbered("d", _derivations(summary)),
    }
    return dump(document, indent=1)


def _entities(summary: Summary) -> Node:
    review, version = summary.review, summary.version
    before = version.predecessor
    return {
        _this(summary): {
            "prov:label": f"version {version.number}",
            "review:content_sha256": version.content_hash,
            "review:change": version.change,
        },
        **(
            {f"review:v/{before}": {"prov:label": f"version {before}"}}
            if before is not None
            else {}
        ),
        "review:protocol": {
            "prov:type": _name("prov:Plan"),
            "prov:label": "protocol",
            "review:criteria_version": review.criteria_version,
        },
        **{f"review:found/{_slug(search)}": _found(search) for search in _ran(summary)},
        "review:included": {
            "prov:label": "included reports",
            "review:reports": summary.flow.included,
        },
        "review:extractions": {
            "prov:label": "extractions",
            "review:studies": sum(bool(study.extracted) for study in summary.studies),
        },
        "review:claims": {"prov:label": "claims", "review:claims": len(summary.claims)},
    }


def _found(search: RunSearch) -> Node:
    """What a search brought in all; `query` exactly as sent."""
    return {
        "prov:label": f"what {search.name} found",
        "review:source": search.source,
        "review:platform": tidy(search.platform),
        "review:query": tidy(search.query),
        "review:records": search.records,
        "review:last_success": _moment(search.last_success or ""),
    }


def _activities(summary: Summary) -> Node:
    screening = summary.review.screening
    rules = [f"{rule.id} {rule.version}" for rule in summary.rules]
    searches = {
        f"review:search/{_slug(search)}": {
            "prov:label": f"search {search.name}",
            "prov:endTime": search.last_success,
        }
        for search in _ran(summary)
    }
    return {
        **searches,
        "review:screening": {
            "prov:label": "screening",
            "review:votes": screening.votes,
            "review:stages": list(screening.stages),
        },
        "review:extraction": {"prov:label": "extraction"},
        "review:synthesis": {"prov:label": "synthesis", "review:rule": rules},
        "review:publication": {
            "prov:label": "publication",
            "prov:endTime": summary.version.date,
        },
    }


def _agents(summary: Summary) -> Node:
    roles = ("reviewer", "extractor", *(("lead",) if summary.version.signed_by else ()))
    return {
        "review:service": {"prov:type": _name("prov:SoftwareAgent"), "prov:label": "livereview"},
        **{f"review:role/{role}": {"prov:label": f"the review's {role}s"} for role in roles},
        **{
            f"review:author/{number}": {
                "prov:type": _name(f"prov:{author['@type']}"),
                "prov:label": author["name"],
            }
            for number, author in enumerate(_authors(summary), start=1)
        },
    }


def _uses(summary: Summary) -> Iterable[Node]:
    pairs = [
        *((f"review:search/{_slug(search)}", "review:protocol") for search in _ran(summary)),
        *(("review:screening", f"review:found/{_slug(search)}") for search in _ran(summary)),
        ("review:extraction", "review:included"),
        ("review:synthesis", "review:extractions"),
        ("review:publication", "review:claims"),
    ]
    return ({"prov:activity": activity, "prov:entity": entity} for activity, entity in pairs)


def _generations(summary: Summary) -> Iterable[Node]:
    pairs = [
        *(
            (f"review:found/{_slug(search)}", f"review:search/{_slug(search)}")
            for search in _ran(summary)
        ),
        ("review:included", "review:screening"),
        ("review:extractions", "review:extraction"),
        ("review:claims", "review:synthesis"),
        (_this(summary), "review:publication"),
    ]
    return ({"prov:entity": entity, "prov:activity": activity} for entity, activity in pairs)


def _associations(summary: Summary) -> Iterable[Node]:
    """Who did it, and that it went by the protocol."""
    pairs = [
        *((f"review:search/{_slug(search)}", "review:service") for search in _ran(summary)),
        ("review:screening", "review:role/reviewer"),
        ("review:extraction", "review:role/extractor"),
        ("review:synthesis", "review:service"),
        ("review:publication", "review:service"),
        *((("review:publication", "review:role/lead"),) if summary.version.signed_by else ()),
    ]
    return (
        {"prov:activity": one, "prov:agent": agent, "prov:plan": "review:protocol"}
        for one, agent in pairs
    )


def _attributions(summary: Summary) -> Iterable[Node]:
    authors = range(1, len(summary.review.authors) + 1)
    return (
        {"prov:entity": _this(summary), "prov:agent": f"review:author/{number}"}
        for number in authors
    )


def _derivations(summary: Summary) -> Iterable[Node]:
    before = summary.version.predecessor
    yield {"prov:generatedEntity": _this(summary), "prov:usedEntity": "review:claims"}
    if before is not None:
        revision = {"prov:generatedEntity": _this(summary), "prov:usedEntity": f"review:v/{before}"}
        yield revision | {"prov:type": _name("prov:Revision")}


def _numbered(letter: str, relations: Iterable[Node]) -> Node:
    """Relations under blank ids of their own, in order."""
    return {f"_:{letter}{number}": one for number, one in zip(count(1), relations, strict=False)}


def _ran(summary: Summary) -> Iterator[RunSearch]:
    """The searches that have succeeded at least once: only these have a result."""
    return (search for search in summary.status.searches if search.last_success)


def _this(summary: Summary) -> str:
    return f"review:v/{summary.version.number}"


def _slug(search: RunSearch) -> str:
    return quote(search.name, safe="")


def _name(qualified: str) -> Node:
    return {"$": qualified, "type": "xsd:QName"}


def _moment(iso: str) -> Node:
    return {"$": iso, "type": "xsd:dateTime"}


# Checksums
# ------------------------------------------------------------------------------------------------------------


def sums(files: Mapping[str, bytes]) -> bytes:
    """SHA256SUMS, which `sha256sum -c` checks: a line a file by name, without itself.

    Raises:
        Refused: for a name with a line break or backslash, which that program writes in a form of
            its own.
    """
    if odd := [name for name in files if re.search(r"[\\\r\n]", name)]:
        raise Refused(
            f"a file's name has no line break or backslash; rename {', '.join(map(repr, sorted(odd)))}"
        )
    names = sorted(name for name in files if name != SUMS)
    return "".join(
        f"{hashlib.sha256(files[name]).hexdigest()}  {name}\n" for name in names
    ).encode()


# The page
# -------------------------------------------------------------------------------------------------------------
