"""Whether small studies show other results than large ones, which may mean that results are
missing.

Below ten studies such a test says little (Sterne and others, BMJ 2011;343:d4002). The size of an
odds ratio goes with its standard error by itself, so that Egger's test is wrong too often: Peters'
is asked instead wherever the counts are there (JAMA 2006;295:676-80).
"""

from __future__ import annotations

from collections.abc import Sequence

from livereview.evidence import measures
from livereview.evidence.contributions import Contribution
from livereview.evidence.finding import Estimate, SmallStudies
from livereview.messages import mark, say
from livereview.statistics.asymmetry import FEW, Asymmetry, egger_mixed, peters

DIFFER = 0.1
"""Below this p small studies are said to differ: the bound of Egger and others, BMJ 1997;315:629-34."""


def tested(estimate: Estimate | None, counted: Sequence[Contribution]) -> SmallStudies | None:
    """The test that suits the measure.

    None below ten studies, or where these don't vary enough to test.

    Args:
        estimate: the pooled effect.
        counted: what the studies give, without those at critical risk of bias.
    """
    if estimate is None or estimate.studies < FEW:
        return None
    sized = [one for one in counted if one.sized_in(estimate.measure)]
    speaking = [one for one in counted if one.no_size is None]
    with_counts = [one.table for one in speaking if one.table is not None]
    if estimate.measure == "OR" and len(with_counts) >= max(FEW, len(sized)):
        columns = [[getattr(table, cell) for table in with_counts] for cell in ("a", "b", "c", "d")]
        return _result("Peters", len(with_counts), peters(*columns), None)
    if len(sized) < FEW:
        return None
    effects = [one.effect for one in sized if one.effect is not None]
    test = egger_mixed(
        [effect.value for effect in effects], [effect.variance for effect in effects]
    )
    return _result("Egger", len(effects), test, _caution(estimate.measure))


def _caution(measure: str) -> str | None:
    """Why Egger's test may find what is not there."""
    kind = measures.MEASURES[measure]
    if kind.id == "SMD" or (kind.ratio and kind.counts):
        return say(mark("with this measure the test may find a difference where there is none"))
    return None


def _result(name: str, studies: int, test: Asymmetry, caution: str | None) -> SmallStudies | None:
    if test.stat is None or test.pval is None:
        return None
    return SmallStudies(
        test=name,
        studies=studies,
        statistic=test.stat,
        df=test.df,
        p=test.pval,
        differ=test.pval < DIFFER,
        caution=caution,
    )
