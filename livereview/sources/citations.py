"""Citation chasing through OpenAlex: works that cite the included reports, and works that these
cite.

It has no query of its own: the service fills in the included reports at each run (`chase`). What
comes are OpenAlex's works, so they are the same records as any search of OpenAlex finds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from livereview.sources import openalex
from livereview.sources.protocol import Query

NAME = "citations"
BATCH = 40  # works in one filter: OpenAlex takes a hundred, an address much less


def chase(seeds: Sequence[str]) -> Iterator[Query]:
    """The queries that find what cites these OpenAlex works (forward) and what they cite
    (backward).
    """
    for start in range(0, len(seeds), BATCH):
        works = "|".join(seeds[start : start + BATCH])
        yield Query(filters=(("cites", works),))
        yield Query(filters=(("cited_by", works),))


# Everything is read at each run: a new report brings old citations.
SOURCE = replace(
    openalex.SOURCE,
    name=NAME,
    title="Citations (OpenAlex)",
    days=False,
    archive=False,
    fallback=None,
)
