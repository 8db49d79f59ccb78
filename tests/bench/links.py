"""How well the rules find links where no source speaks: python -m tests.bench.links.

Silver truth are the fields in which Crossref, DataCite, OpenAlex, PubMed, Europe PMC, bioRxiv, arXiv and
OSF say what belongs together, in the recorded answers beside the project. The fields are hidden, the
rules judge every pair that shares a key, and the two are compared:

- `stated`: both records are among the answers.
- `made`: bioRxiv names the DOI and the journal of the article that a preprint became, but few of those
  articles are among the answers; so the article is made from the preprint's title and authors and from
  what bioRxiv says of it. That tests everything but a changed title.
- `unstated`: links that the rules give and no field states. Nobody says whether they are right: they
  are printed, for a person to look at.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from livereview.dedup.blocks import block_keys, meetings
from livereview.dedup.match import judge
from livereview.dedup.text import Features, features
from livereview.errors import LivereviewError
from livereview.links import LinkKind
from livereview.records import Record
from livereview.sources import SOURCES

PAYLOADS = Path(__file__).resolve().parents[3] / "shared" / "data" / "payloads"
# The folders whose name is not that of their reader.
READERS = {
    "oai_pmh": "oai",
    "refman_bibtex": "bibtex",
    "refman_csl": "csl",
    "refman_csv": "csv",
    "refman_endnote": "endnote",
    "refman_nbib": "nbib",
    "refman_ovid": "ris",
    "refman_refworks": "ris",
    "refman_ris": "ris",
    "refman_wos": "wos",
}


@dataclass(frozen=True)
class Measured:
    """How many pairs a field states, of how many the rules say the same link; and what else they link."""

    stated: int
    found: int
    made: int
    made_found: int
    unstated: tuple[tuple[str, Record, Record], ...]


def recorded(folders: Collection[str] = ()) -> dict[str, Record]:
    """Every record of the recorded answers in these folders (none: in all), by its id."""
    records: dict[str, Record] = {}
    for file in sorted(PAYLOADS.glob("*/*")):
        if folders and file.parent.name not in folders:
            continue
        reader = READERS.get(file.parent.name, file.parent.name)
        if reader not in SOURCES or file.name.endswith(".meta.json"):
            continue
        try:
            page = SOURCES[reader].parse(file.read_bytes(), None)
        except LivereviewError:
            continue
        records.update({record.record_id: record for record in page.records})
    return records


def measure(folders: Collection[str] = ()) -> Measured:
    records = recorded(folders)
    pairs = dict(stated_pairs(records))
    hidden = {key: features(replace(record, related=())) for key, record in records.items()}
    found = [pair for pair, kind in pairs.items() if _links(hidden[pair[0]], hidden[pair[1]], kind)]
    made = list(made_pairs(records))
    made_found = [
        pair for pair in made if _links(features(pair[0]), features(pair[1]), LinkKind.PREPRINT)
    ]
    unstated = tuple(_unstated(records, hidden, pairs))
    return Measured(len(pairs), len(found), len(made), len(made_found), unstated)


def stated_pairs(records: dict[str, Record]) -> Iterator[tuple[tuple[str, str], LinkKind]]:
    """The pairs of which a source says what they are, both of them recorded."""
    ready = {key: features(record) for key, record in records.items()}
    holders: dict[str, set[str]] = defaultdict(set)
    for key, known in ready.items():
        for id in known.ids:
            holders[id].add(key)
    for key, known in ready.items():
        for other in known.related:
            for found in holders.get(other.id, set()) - {key}:
                if not known.doi or known.doi != ready[found].doi:
                    yield (min(key, found), max(key, found)), other.kind


def made_pairs(records: dict[str, Record]) -> Iterator[tuple[Record, Record]]:
    """Each of bioRxiv's preprints, without what it became, and the article made of what it says."""
    for record in records.values():
        for other in record.related if record.source == "biorxiv" else ():
            doi = other.id.removeprefix("doi:")
            article = replace(
                record,
                source="made",
                source_key=doi,
                doi=doi,
                url=None,
                container_title="A journal",
                type="journal-article",
                related=(),
            )
            yield replace(record, related=()), article


def _links(a: Features, b: Features, kind: LinkKind) -> bool:
    meet = not set(block_keys(a)).isdisjoint(block_keys(b))
    return meet and judge(a, b).kind == kind


def _unstated(
    records: dict[str, Record], hidden: dict[str, Features], pairs: dict[tuple[str, str], LinkKind]
) -> Iterator[tuple[str, Record, Record]]:
    ids = list(hidden)
    for place, others in meetings([block_keys(known) for known in hidden.values()]):
        for other in others:
            left, right = sorted((ids[place], ids[other]))
            judgement = judge(hidden[left], hidden[right])
            if judgement.verdict == "linked" and (left, right) not in pairs:
                yield judgement.name, records[left], records[right]


def main() -> None:
    measured = measure()
    print(f"stated: {measured.found} of {measured.stated} found")
    print(f"made:   {measured.made_found} of {measured.made} found")
    print(f"unstated: {len(measured.unstated)}, to be looked at:")
    for rule, left, right in measured.unstated:
        print(f"  {rule}: {left.source} {left.doi or left.source_key}: {left.title}")
        print(f"  {' ' * len(rule)}  {right.source} {right.doi or right.source_key}: {right.title}")


if __name__ == "__main__":
    main()
