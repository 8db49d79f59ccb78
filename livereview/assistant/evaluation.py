"""How good a model's answers were, by what the team decided without them.

Each model, prompt and version of the criteria is judged by itself, on settled reports that were not
used to write the prompt. Intervals are Clopper and Pearson's, exact at 95%. Below `FEWEST` relevant
or irrelevant reports a share is not told: any figure would be read as more than it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, log

from livereview.assistant.answers import CriterionAnswer, against
from livereview.review import Criterion
from livereview.statistics.swim import sign_test


@dataclass(frozen=True, slots=True)
class Floor:
    """What people reach on titles and abstracts, as shares: Gartlehner and others, J Clin Epidemiol
    2020;121:20-28, a crowd-based randomised trial with 24,942 decisions.
    """

    words: str
    sensitivity: float
    specificity: float


ONE_HUMAN = Floor("one careful person", 0.866, 0.792)
TWO_HUMANS = Floor("two people, either of whom may keep a report", 0.975, 0.687)
FLOORS = (ONE_HUMAN, TWO_HUMANS)

CONFIDENCE = 0.95
# So many relevant reports all kept have a lower bound of .868: with fewer, even a model that never
# errs could not be told from one careful person. The same number holds for irrelevant ones.
FEWEST = ceil(log((1 - CONFIDENCE) / 2) / log(ONE_HUMAN.sensitivity))


@dataclass(frozen=True, slots=True)
class Version:
    """What is judged by itself."""

    model: str
    prompt: str
    criteria_version: str


@dataclass(frozen=True, slots=True)
class Judged:
    """One answer beside what people decided.

    Attributes:
        keeps: Whether the report would stay by the answer.
        relevant: Whether it went on to full text, by the team; included: whether it was included
            in the end; None: that is not settled.
        apart: Whether it was used to write the prompt or the criteria.
        changed: Whether somebody decided on it anew after the answer, which may have moved them.
        votes: Each person's vote on titles and abstracts: whether they kept it.
        month: "2026-03", when it was asked.
    """

    report: str
    version: Version
    keeps: bool
    relevant: bool
    included: bool | None
    apart: bool
    changed: bool
    answers: tuple[CriterionAnswer, ...]
    votes: tuple[tuple[str, bool], ...]
    month: str
    seconds: float
    cost: float | None


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many, with its exact interval; `enough`: whether it may be told as a share."""

    count: int
    of: int
    low: float | None
    high: float | None
    enough: bool

    @property
    def estimate(self) -> float | None:
        return self.count / self.of if self.of else None


def share(count: int, of: int) -> Share:
    """Clopper and Pearson's interval at CONFIDENCE (Biometrika 1934;26:404-13)."""
    if not of:
        return Share(0, 0, None, None, enough=False)
    test = sign_test(count, of, level=CONFIDENCE)
    return Share(count, of, test.cp_lb, test.cp_ub, enough=of >= FEWEST)


@dataclass(frozen=True, slots=True)
class Accuracy:
    """The four shares of one set of answers.

    Attributes:
        sensitivity: Of the relevant, those that the model would have kept.
        specificity: Of the irrelevant, those that it would have left out.
        positive: Of those that it would have kept, the relevant ones.
        negative: Of those that it would have left out, the irrelevant ones.
        included: Of those included in the end, those that it would have kept.
    """

    reports: int
    sensitivity: Share
    specificity: Share
    positive: Share
    negative: Share
    included: Share


@dataclass(frozen=True, slots=True)
class ByCriterion:
    """Answers on one criterion.

    Attributes:
        yes, no, unclear: How often each was given.
        quoted: Answers whose quote stands in the record; unfound: whose quote does not;
            unsupported: that gave none.
        lost: Of the relevant reports, those that this answer alone would have left out.
    """

    criterion: str
    yes: int
    no: int
    unclear: int
    quoted: int
    unfound: int
    unsupported: int
    lost: Share


@dataclass(frozen=True, slots=True)
class ByPerson:
    """A person's votes beside the answers, and beside what the team decided together."""

    person: str
    both_keep: int
    both_leave_out: int
    only_person_keeps: int
    only_model_keeps: int
    agreement: Share
    with_consensus: Share


@dataclass(frozen=True, slots=True)
class ByMonth:
    """The answers of one month: whether a model behind the same name has changed."""

    month: str
    accuracy: Accuracy
    kept: Share


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One model, prompt and version of the criteria, judged.

    Attributes:
        left_out: Reports apart (used to write the prompt), and changed after the answer.
        seconds: Mean of an answer; cost: of all that are judged; None: no price is known.
    """

    version: Version
    accuracy: Accuracy
    left_out: tuple[int, int]
    criteria: tuple[ByCriterion, ...]
    people: tuple[ByPerson, ...]
    months: tuple[ByMonth, ...]
    seconds: float
    cost: float | None


def evaluations(
    judged: Iterable[Judged], criteria: Mapping[str, Sequence[Criterion]]
) -> tuple[Evaluation, ...]:
    """Each version of model, prompt and criteria, by its name.

    Args:
        criteria: Those of each version of the criteria.
    """
    by_version: dict[Version, list[Judged]] = {}
    for row in judged:
        by_version.setdefault(row.version, []).append(row)
    ordered = sorted(
        by_version.items(),
        key=lambda item: (item[0].criteria_version, item[0].model, item[0].prompt),
    )
    return tuple(
        _evaluation(version, rows, criteria.get(version.criteria_version, ()))
        for version, rows in ordered
    )


def held_against(sensitivity: Share, floor: float) -> str:
    """How a sensitivity stands beside a floor, in words that claim no more than the interval."""
    if not sensitivity.enough or sensitivity.low is None or sensitivity.high is None:
        return f"not enough yet: {sensitivity.of} of the {FEWEST} relevant reports that it takes"
    if sensitivity.low >= floor:
        return f"above the floor of {floor:.1%}: its lower bound is {sensitivity.low:.1%}"
    if sensitivity.high < floor:
        return f"below the floor of {floor:.1%}: its upper bound is {sensitivity.high:.1%}"
    return f"not to be told from the floor of {floor:.1%}: it lies inside the interval"


def accuracy(rows: Sequence[Judged]) -> Accuracy:
    """The four shares of these answers."""
    kept_relevant = sum(row.keeps and row.relevant for row in rows)
    kept_irrelevant = sum(row.keeps and not row.relevant for row in rows)
    relevant = sum(row.relevant for row in rows)
    irrelevant = len(rows) - relevant
    kept = kept_relevant + kept_irrelevant
    out_irrelevant = irrelevant - kept_irrelevant
    included = [row for row in rows if row.included]
    return Accuracy(
        len(rows),
        share(kept_relevant, relevant),
        share(out_irrelevant, irrelevant),
        share(kept_relevant, kept),
        share(out_irrelevant, len(rows) - kept),
        share(sum(row.keeps for row in included), len(included)),
    )


def _evaluation(
    version: Version, rows: Sequence[Judged], criteria: Sequence[Criterion]
) -> Evaluation:
    fair = [row for row in rows if not row.apart and not row.changed]
    apart = sum(row.apart for row in rows)
    costs = [row.cost for row in fair if row.cost is not None]
    return Evaluation(
        version,
        accuracy(fair),
        (apart, len(rows) - len(fair) - apart),
        tuple(_by_criterion(fair, criterion) for criterion in criteria),
        _by_person(fair),
        _by_month(fair),
        sum(row.seconds for row in fair) / len(fair) if fair else 0.0,
        sum(costs) if costs else None,
    )


def _by_criterion(rows: Sequence[Judged], criterion: Criterion) -> ByCriterion:
    given = [
        (row, answer) for row in rows for answer in row.answers if answer.criterion == criterion.id
    ]
    says = [answer.answer for _, answer in given]
    support = [answer.support for _, answer in given]
    relevant = [answer for row, answer in given if row.relevant]
    return ByCriterion(
        criterion.id,
        says.count("yes"),
        says.count("no"),
        says.count("unclear"),
        support.count("quoted"),
        support.count("no quote found"),
        support.count("unsupported"),
        share(sum(against(answer, [criterion]) for answer in relevant), len(relevant)),
    )


def _by_person(rows: Sequence[Judged]) -> tuple[ByPerson, ...]:
    by_person: dict[str, list[tuple[Judged, bool]]] = {}
    for row in rows:
        for person, keeps in row.votes:
            by_person.setdefault(person, []).append((row, keeps))
    people = []
    for person, votes in sorted(by_person.items()):
        both = sum(row.keeps and keeps for row, keeps in votes)
        neither = sum(not row.keeps and not keeps for row, keeps in votes)
        only_person = sum(keeps and not row.keeps for row, keeps in votes)
        only_model = sum(row.keeps and not keeps for row, keeps in votes)
        with_team = sum(keeps == row.relevant for row, keeps in votes)
        people.append(
            ByPerson(
                person,
                both,
                neither,
                only_person,
                only_model,
                share(both + neither, len(votes)),
                share(with_team, len(votes)),
            )
        )
    return tuple(people)


def _by_month(rows: Sequence[Judged]) -> tuple[ByMonth, ...]:
    by_month: dict[str, list[Judged]] = {}
    for row in rows:
        by_month.setdefault(row.month, []).append(row)
    return tuple(
        ByMonth(month, accuracy(some), share(sum(row.keeps for row in some), len(some)))
        for month, some in sorted(by_month.items())
    )
