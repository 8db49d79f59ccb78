"""How good an order was, once every label is known: the field's measures, each as its authors
define it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import ceil, log2

from livereview.errors import Refused


@dataclass(frozen=True, slots=True)
class Metrics:
    """Of one order of N records, R of them relevant.

    Everything but the counts lies between 0 and 1, WSS down to -.05.

    Attributes:
        recall_10: Share of R among the first ceil(N/10) read.
        wss_95: 1 - (rank of the ceil(.95 R)-th relevant) / N - .05: work saved over reading in any
            order (Cohen and others, J Am Med Inform Assoc 2006;13:206-19, doi:10.1197/jamia.M1929).
        atd: Mean rank of the relevant / N, 0 is good.
        loss: Area between the best curve and this one, normalised: 0 perfect, .5 any order, 1 the
            worst (ASReview's).
        ndcg: Sum of 1/log2(rank + 1) over the relevant, by the same sum of the best order.
    """

    records: int
    relevant: int
    recall_10: float
    wss_95: float
    atd: float
    loss: float
    ndcg: float


def sequence(
    order: Sequence[str], labels: Mapping[str, int], known: Collection[str] = ()
) -> tuple[int, ...]:
    """The labels in the order read, without `known` ones.

    What the order leaves out follows, irrelevant ones first.

    Raises:
        Refused: for an id that has no label.
    """
    out = set(known)
    rest = {record: label for record, label in labels.items() if record not in out}
    first = dict.fromkeys(record for record in order if record not in out)
    if unknown := [record for record in first if record not in rest]:
        raise Refused(
            f"the order names {unknown[0]!r}, which has no label; order only records of the labelled file"
        )
    return (
        *(rest[record] for record in first),
        *sorted(rest[record] for record in rest.keys() - first.keys()),
    )


def metrics(labels: Sequence[int]) -> Metrics:
    """Every measure of labels (1 relevant, 0 not) in the order read.

    Raises:
        Refused: unless both kinds are there.
    """
    n, relevant = len(labels), sum(labels)
    if relevant in (0, n):
        raise Refused(
            "the measures need a relevant and an irrelevant record; label at least one of each"
        )
    ranks = [rank for rank, label in enumerate(labels, 1) if label]
    found = list(accumulate(labels))
    return Metrics(
        records=n,
        relevant=relevant,
        recall_10=found[ceil(n / 10) - 1] / relevant,
        wss_95=1 - ranks[ceil(0.95 * relevant - 1e-9) - 1] / n - 0.05,
        atd=sum(ranks) / relevant / n,
        loss=(relevant * (n - (relevant - 1) / 2) - sum(found)) / (relevant * (n - relevant)),
        ndcg=sum(1 / log2(rank + 1) for rank in ranks)
        / sum(1 / log2(rank + 1) for rank in range(1, relevant + 1)),
    )
