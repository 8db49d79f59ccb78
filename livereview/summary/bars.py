"""Where the parts of an interval stand on a page, in per cent of a strip's width.

A page draws intervals as boxes of its own, beside their figures as text: they are then as sharp and
as large on a phone as on a desk. Files have the pictures of `forest.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from livereview.evidence import appraisal, no_size
from livereview.evidence.finding import Estimate, Finding, StudyEffect
from livereview.messages import mark, say
from livereview.summary import bias_grid, drawing
from livereview.summary.drawing import Axis
from livereview.summary.words import OTHER_EFFECTS, number

SMALLEST, LARGEST = 5, 15  # pixels, sides of the squares of a study without and with all weight
STRIP = 100.0  # per cent
WEIGHT_OF_ALL = 100.0  # per cent


@dataclass(frozen=True, slots=True)
class Bar:
    """One interval. All but `side` are in per cent of the strip, from its left.

    side            of the square in pixels, by the study's weight
    before, after   the interval goes on beyond the strip at that end
    """

    left: float
    width: float
    at: float
    side: float
    before: bool
    after: bool


@dataclass(frozen=True, slots=True)
class Tick:
    """A round value of the axis."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Strip:
    """The axis that several intervals share.

    null        where no difference stands
    important   left and width of what is no important difference; None where nobody set one
    """

    axis: Axis
    null: float
    ticks: tuple[Tick, ...]
    important: tuple[float, float] | None

    def bar(self, value: float, low: float, high: float, side: float = SMALLEST) -> Bar:
        """An interval with its estimate."""
        left, right = self.axis.inside(low), self.axis.inside(high)
        return Bar(
            left=round(left, 2),
            width=round(right - left, 2),
            at=round(self.axis.inside(value), 2),
            side=round(side, 1),
            before=self.axis.at(low) < -0.05,
            after=self.axis.at(high) > STRIP + 0.05,
        )


@dataclass(frozen=True, slots=True)
class Light:
    """What was judged of a study in one domain, with its sign: never by colour alone."""

    label: str
    judgement: str
    sign: str


@dataclass(frozen=True, slots=True)
class Row:
    """A study's row of a forest plot."""

    study: StudyEffect
    bar: Bar
    lights: tuple[Light, ...]


@dataclass(frozen=True, slots=True)
class Without:
    """The row of a study whose figures give no size, with what stands in its place."""

    study: StudyEffect
    instead: str
    lights: tuple[Light, ...]


@dataclass(frozen=True, slots=True)
class Total:
    """A pooled effect's row: of all studies, or of a group of them.

    label   of the group; empty: of all
    studies how many it is made of
    """

    label: str
    studies: int
    estimate: Estimate
    bar: Bar


@dataclass(frozen=True, slots=True)
class Group:
    """The subtotals by one moderator."""

    label: str
    totals: tuple[Total, ...]


@dataclass(frozen=True, slots=True)
class Forest:
    """A forest plot as rows of a table.

    prediction  where a new study's effect may lie; None below three studies
    without     studies whose figures give no size, so that they have no bar
    """

    finding: Finding
    strip: Strip
    rows: tuple[Row, ...]
    total: Total
    prediction: Bar | None
    groups: tuple[Group, ...]
    without: tuple[Without, ...] = ()

    @property
    def estimate(self) -> Estimate:
        """The pooled effect."""
        return self.total.estimate


def strip(
    intervals: Iterable[tuple[float, float, float]], null: float, important: float | None
) -> Strip:
    """The axis that holds these (value, low, high) and the null.

    Args:
        intervals: of studies, of groups and of the whole.
        null: the value that means no difference; 1 puts the axis on logs.
        important: the smallest important difference in the same measure; None: not set.
    """
    held = drawing.near(intervals, null)
    if important is not None:
        held += [null - important, null + important]
    axis = drawing.axis(held, null, 0.0, STRIP)
    ticks = tuple(Tick(round(axis.at(tick), 2), number(tick)) for tick in axis.ticks())
    zone = None
    if important is not None:
        left = axis.inside(null - important)
        zone = (round(left, 2), round(axis.inside(null + important) - left, 2))
    return Strip(axis, round(axis.at(null), 2), ticks, zone)


def important_in_measure(finding: Finding, estimate: Estimate) -> float | None:
    """The smallest important difference on the estimate's own axis.

    None where nobody set one, or it is per 1,000 people and the axis is of a ratio or a share.
    """
    if estimate.absolute is not None or estimate.null != 0:
        return None
    if estimate.measure not in ("SMD", "MD"):
        return None
    return finding.important


def single(finding: Finding) -> tuple[Strip, Bar] | None:
    """The finding's own estimate on a strip that shows both sides of no difference."""
    estimate = finding.estimate
    if estimate is None:
        return None
    own = (estimate.value, estimate.low, estimate.high)
    mirrored = _mirrored(estimate)
    shared = strip([own, mirrored], estimate.null, important_in_measure(finding, estimate))
    return shared, shared.bar(*own)


def _mirrored(estimate: Estimate) -> tuple[float, float, float]:
    """The same on the other side of no difference, so that the strip is even about it."""
    if estimate.null == 1:
        return 1 / estimate.value, 1 / estimate.high, 1 / estimate.low
    turn = 2 * estimate.null
    return turn - estimate.value, turn - estimate.high, turn - estimate.low


def forest(finding: Finding, shown: Sequence[StudyEffect]) -> Forest:
    """The rows of a finding that is pooled.

    Args:
        finding: has an estimate.
        shown: its studies with an interval in the estimate's measure.
    """
    estimate = finding.estimate
    assert estimate is not None
    intervals = [_interval(study) for study in shown]
    groups = [group.estimate for asked in finding.moderators for group in asked.groups]
    known = [estimate, *(group for group in groups if group is not None)]
    intervals += [(one.value, one.low, one.high) for one in known]
    prediction = _prediction(estimate)
    if prediction is not None:
        intervals.append(prediction)
    shared = strip(intervals, estimate.null, important_in_measure(finding, estimate))
    ordered = sorted(shown, key=lambda study: (-(study.weight or 0), study.study))
    return Forest(
        finding=finding,
        strip=shared,
        rows=tuple(_row(shared, study) for study in ordered),
        total=_total(shared, "", estimate.studies, estimate),
        prediction=None if prediction is None else shared.bar(*prediction),
        groups=_groups(shared, finding),
        without=_without_size(finding),
    )


def _without_size(finding: Finding) -> tuple[Without, ...]:
    """Studies in which nobody had the event, and others that give no size."""
    return tuple(
        Without(study, say(no_size.CELLS[study.no_size]), _lights(study))
        for study in finding.studies
        if study.no_size is not None
    )


def _row(shared: Strip, study: StudyEffect) -> Row:
    share = (study.weight or 0) / WEIGHT_OF_ALL
    side = SMALLEST + (LARGEST - SMALLEST) * share**0.5  # the area is the weight
    return Row(study, shared.bar(*_interval(study), side=side), _lights(study))


def _lights(study: StudyEffect) -> tuple[Light, ...]:
    """The study's appraisal, domain by domain."""
    return tuple(
        Light(
            label=domain.label,
            judgement=appraisal.in_words(domain.judgement),
            sign=bias_grid.sign(domain.judgement),
        )
        for domain in study.domains
    )


def _interval(study: StudyEffect) -> tuple[float, float, float]:
    assert study.value is not None and study.low is not None and study.high is not None
    return study.value, study.low, study.high


def _prediction(estimate: Estimate) -> tuple[float, float, float] | None:
    if estimate.prediction_low is None or estimate.prediction_high is None:
        return None
    return estimate.value, estimate.prediction_low, estimate.prediction_high


def _total(shared: Strip, label: str, studies: int, estimate: Estimate) -> Total:
    bar = shared.bar(estimate.value, estimate.low, estimate.high)
    return Total(label, studies, estimate, bar)


def _groups(shared: Strip, finding: Finding) -> tuple[Group, ...]:
    """Subtotals by each moderator that has groups with an effect."""
    made: list[Group] = []
    for asked in finding.moderators:
        totals = [
            _total(shared, group.value, group.studies, group.estimate)
            for group in asked.groups
            if group.estimate is not None
        ]
        if totals:
            made.append(Group(asked.label, tuple(totals)))
    return tuple(made)


def sides(finding: Finding) -> tuple[str, str]:
    """What lies to the left and to the right of no difference, in a word or two."""
    other = OTHER_EFFECTS.get(finding.kind)
    if other is not None:
        return say(other["fewer"]), say(other["more"])
    better, worse = say(mark("better")), say(mark("worse"))
    if finding.better == "lower":
        return (better, worse)
    return (worse, better)


def ends(finding: Finding) -> tuple[str, str]:
    """The same by whom it favours, for the head of a forest plot."""
    other = OTHER_EFFECTS.get(finding.kind)
    if other is not None:
        return say(other["fewer"]), say(other["more"])
    good = say(mark("Favours {what}"), what=finding.intervention)
    bad = say(mark("Favours {what}"), what=finding.comparator)
    return (good, bad) if finding.better == "lower" else (bad, good)
