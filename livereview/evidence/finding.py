"""The Finding: all that a review says about one outcome of one comparison, as one frozen value.

Sentences, tiles, tables, maps, plots, feeds, JSON, CSV and sign-off read a Finding and nothing
else, so they cannot disagree. It is made in one place (`weigh.py`), told by one table of words
(`wording.py`) and compared with the version before in one place (`finding_changes.py`).
"""

from __future__ import annotations

from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

from livereview.evidence.no_size import NoSize

State = Literal[
    "not_asked",
    "not_yet_assessed",
    "no_studies",
    "too_little",
    "effect",
    "little_or_no_difference",
    "disagree",
]
STATES: tuple[State, ...] = get_args(State)

Side = Literal["more", "fewer"]
Size = Literal["important", "small", "not_judged"]
Level = Literal["high", "moderate", "low", "very_low"]


def _empty(value: object) -> bool:
    return not value


def _one(value: object) -> bool:
    return value == 1


def _unknown(value: object) -> bool:
    return value is None


class Model(BaseModel):
    """Frozen data whose JSON Schema is published."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Absolute(Model):
    """What a relative effect means for 1,000 people."""

    per: int = Field(default=1000, description="The number of people that the figures are for.")
    risk: float | None = Field(
        description="How many of them have the event without the intervention; null: not known, as "
        "studies report the difference itself."
    )
    risk_source: str = Field(description="Where that assumed number comes from.")
    value: float = Field(description="How many more (above 0) or fewer (below 0) with it.")
    low: float = Field(description="Lower end of the 95% interval of `value`.")
    high: float = Field(description="Upper end of the 95% interval of `value`.")

    @property
    def with_it(self) -> float | None:
        """How many have the event with the intervention; None where `risk` is not known."""
        return None if self.risk is None else self.risk + self.value


class DomainJudgement(Model):
    """One domain of a study's appraisal."""

    domain: str = Field(description="The domain's id in the tool.")
    label: str = Field(description="What it is about.")
    judgement: str = Field(description="In the words of the tool.")


class Counts(Model):
    """Events and others in a study's two groups, turned to the outcome as its effect is."""

    events_with: float = Field(description="People with the outcome, with the intervention.")
    others_with: float = Field(description="People without the outcome, with the intervention.")
    events_without: float = Field(description="People with the outcome, with the comparison.")
    others_without: float = Field(description="People without the outcome, with the comparison.")


class StudyEffect(Model):
    """One study's part in a finding, turned to the outcome: above the null is more of it."""

    study: str = Field(description="The study's permanent id in this review.")
    label: str = Field(description="The study's name, as in its list.")
    year: int | None = Field(default=None, description="Year of its main report.")
    people: int | None = Field(
        default=None, description="People analysed, each once; null: not reported."
    )
    risk_of_bias: str | None = Field(
        default=None, description="Overall judgement; null: not judged."
    )
    high_risk: bool = Field(default=False, description="Whether that counts as high risk of bias.")
    tool: str | None = Field(default=None, description="Tool of the appraisal; null: not named.")
    domains: tuple[DomainJudgement, ...] = Field(
        default=(), description="What was judged of each domain; empty: only the whole was."
    )
    measured: str = Field(description="What was measured, in the study's words.")
    months: float | None = Field(default=None, description="When, in months after the start.")
    measure: str | None = Field(
        default=None, description="Short name of the measure; null: words only."
    )
    value: float | None = Field(
        default=None, description="Point estimate, turned, in the unit of the finding's measure."
    )
    low: float | None = Field(default=None, description="Lower end of its 95% interval.")
    high: float | None = Field(default=None, description="Upper end of its 95% interval.")
    per: int = Field(
        default=1,
        exclude_if=_one,
        description="People that its figures are for: 1,000 for a risk difference told so; else 1.",
    )
    counts: Counts | None = Field(
        default=None,
        exclude_if=_unknown,
        description="Events and others, where all that its effect is made from has them.",
    )
    leans: Side | None = Field(default=None, description="The side of the outcome it points to.")
    clear: bool = Field(
        default=False, description="Its whole interval lies on one side of the null."
    )
    as_words: bool = Field(default=False, description="Only a direction is reported, no number.")
    level: bool = Field(
        default=False,
        exclude_if=_empty,
        description="It reports in words that there was no difference.",
    )
    mixed: bool = Field(
        default=False, description="Its own arms or groups of people clearly point both ways."
    )
    opposite: int = Field(
        default=0, description="Its results not used here that clearly point the other way."
    )
    no_size: NoSize | None = Field(
        default=None,
        exclude_if=_unknown,
        description="Why its figures give no size; not there where they do, or where it is at "
        "critical risk of bias.",
    )
    half_event: bool = Field(
        default=False,
        exclude_if=_empty,
        description="A group had no event, or nothing but events: its own size is rough, by half an "
        "event added to each count, and no pool uses it.",
    )
    weight: float | None = Field(
        default=None, description="Its share of the pooled effect, per cent."
    )
    counted: bool = Field(
        default=True,
        description="False: at critical risk of bias, or without a size and in no pool; shown apart.",
    )
    chosen: str = Field(description="How it was chosen or put together from the study's results.")


class NotUsed(Model):
    """A result that a finding does not use, and why."""

    study: str = Field(description="The study's id.")
    label: str = Field(description="The study's name.")
    place: int = Field(description="Position of the result in the study's form, from 0.")
    measured: str = Field(description="What it measured.")
    reason: str = Field(description="Why it is not used.")
    asks: bool = Field(
        default=False, description="True: a person of the team can put the reason right."
    )


class Estimate(Model):
    """The size of an effect: of one study, or of several together."""

    measure: str = Field(description="Short name of the measure: RR, SMD …")
    measure_label: str = Field(description="The measure in words.")
    null: float = Field(description="The value that means no difference.")
    value: float = Field(description="Point estimate; above the null is more of the outcome.")
    low: float = Field(description="Lower end of the 95% interval.")
    high: float = Field(description="Upper end of the 95% interval.")
    studies: int = Field(description="Studies it is made from.")
    model: str = Field(
        description="one study, common effect, random effects, three levels, Mantel-Haenszel, Peto"
    )
    results: int | None = Field(
        default=None,
        exclude_if=_empty,
        description="Results it is made from, where all of a study's count.",
    )
    estimator: str | None = Field(default=None, description="Of the variance between studies.")
    test: str | None = Field(default=None, description="Of the mean and its interval.")
    caution: str | None = Field(default=None, description="What to keep in mind of this estimate.")
    tau2: float | None = Field(default=None, description="Variance between studies, from three on.")
    i2: float | None = Field(
        default=None, description="Share of variation between studies, per cent."
    )
    i2_formula: str | None = Field(
        default=None, description="By which formula `i2` was worked out."
    )
    prediction_low: float | None = Field(
        default=None,
        description="Lower end of the interval for a new study's effect, from three on.",
    )
    prediction_high: float | None = Field(default=None, description="Upper end of the same.")
    prediction_formula: str | None = Field(default=None, description="Its quantile: t with k - 2 …")
    absolute: Absolute | None = Field(
        default=None, description="Per 1,000 people, for counts of events."
    )

    @property
    def side(self) -> Side | None:
        """The side to which the point estimate leans."""
        if self.value == self.null:
            return None
        return "more" if self.value > self.null else "fewer"

    @property
    def clear(self) -> Side | None:
        """The side on which the whole interval lies; None where it holds the null."""
        if self.low > self.null:
            return "more"
        return "fewer" if self.high < self.null else None


class Votes(Model):
    """How the studies lean, by the signs of their estimates, never by significance (SWiM, item 3)."""

    more: int = Field(description="Studies whose estimate leans towards more of the outcome.")
    fewer: int = Field(description="Studies whose estimate leans towards less of it.")
    level: int = Field(description="Studies whose estimate is exactly no difference.")
    words_only: int = Field(description="Studies that report a direction in words, counted apart.")
    critical: int = Field(description="Studies at critical risk of bias, counted apart.")
    least: float | None = Field(
        default=None, description="Smallest estimate, in the outcome's measure."
    )
    most: float | None = Field(
        default=None, description="Largest estimate, in the outcome's measure."
    )
    sign_p: float | None = Field(default=None, description="Exact sign test, from five studies on.")


class Certainty(Model):
    """How sure the team is of a finding, by GRADE; it holds for the numbers it was made from."""

    level: Level = Field(description="high, moderate, low or very_low")
    reasons: tuple[str, ...] = Field(default=(), description="Each step up or down, with why.")


class Weighing(Model):
    """New evidence that has come and is being weighed while an answer still stands as signed."""

    since: str | None = Field(
        default=None, description="Day on which it came, as 2026-03-03; null: no study came."
    )
    studies: int = Field(description="How many studies came, changed or left.")


Check = Literal["risk_of_bias", "leave_one_out", "model", "estimator", "test", "dependent"]
"""What a sensitivity analysis does otherwise than the answer: studies left out, or another way to pool."""


class OtherAnswer(Model):
    """What the answer would be under another choice, where that is another answer."""

    without: tuple[str, ...] = Field(
        default=(), description="Names of the studies that are left out."
    )
    state: State = Field(description="What could be said at all.")
    side: Side | None = Field(default=None, description="Of the outcome, for state `effect` only.")
    size: Size | None = Field(default=None, description="Beside the smallest important difference.")
    value: float | None = Field(
        default=None, description="Point estimate; null: there would be none."
    )
    low: float | None = Field(default=None, description="Lower end of its 95% interval.")
    high: float | None = Field(default=None, description="Upper end of its 95% interval.")


class Sensitivity(Model):
    """One way in which the answer was worked out again, and whether it stands."""

    check: Check = Field(description="What was done otherwise.")
    label: str = Field(description="The same in words, as it stands inside a sentence.")
    analyses: int = Field(description="How many times it was worked out again.")
    least: float | None = Field(default=None, description="Smallest point estimate of these.")
    most: float | None = Field(default=None, description="Largest point estimate of these.")
    other_answers: tuple[OtherAnswer, ...] = Field(
        default=(),
        description="Those whose state, side or size class is another; empty: the answer stands.",
    )


class SmallStudies(Model):
    """A test of whether small studies show other results than large ones, from ten studies on."""

    test: str = Field(description="Whose test: Egger, Peters.")
    studies: int = Field(description="Studies that it compares.")
    statistic: float = Field(description="z, or t with `df`.")
    df: int | None = Field(default=None, description="Degrees of freedom of t; null: z.")
    p: float = Field(description="Two-sided.")
    differ: bool = Field(description="Whether p is below 0.1, the usual bound of this weak test.")
    caution: str | None = Field(default=None, description="What to keep in mind of this test here.")


class MissingEvidence(Model):
    """The team's judgement of the risk that results are missing from a finding (ROB-ME)."""

    judgement: Literal["low", "some_concerns", "high"] = Field(
        description="Risk of bias due to missing evidence."
    )
    why: str = Field(description="In the team's words.")
    current: bool = Field(description="False: the studies have changed since it was judged.")


Credibility = Literal["not_tested", "not_seen", "possible", "likely"]
"""How far a difference between groups can be believed; no single review establishes one."""


class Subgroup(Model):
    """The studies, or parts of studies, of one value of a moderator."""

    value: str = Field(description="The value, as the protocol has it.")
    studies: int = Field(description="Counted studies with this value.")
    people: int | None = Field(
        default=None, description="People in these, each once; null: not reported."
    )
    people_unknown: int = Field(
        default=0, description="Counted studies that do not report how many."
    )
    estimate: Estimate | None = Field(
        default=None, description="By the same rule as the finding's own."
    )


class Slope(Model):
    """How the effect differs with a moderator: by one unit of a number, or from the first group."""

    label: str = Field(description="Of what.")
    value: float = Field(description="Difference of effects; for ratios the ratio of ratios.")
    low: float = Field(description="Lower end of its 95% interval.")
    high: float = Field(description="Upper end of its 95% interval.")


class MetaRegression(Model):
    """Effects regressed on a moderator, from ten studies on."""

    studies: int = Field(description="Studies with an effect and a value.")
    slopes: tuple[Slope, ...] = Field(description="One for a number, one a group but the first.")
    statistic: float = Field(
        description="Test of the slopes together: chi², or F with `df` and `df2`."
    )
    df: int = Field(description="Degrees of freedom of the slopes.")
    df2: int | None = Field(default=None, description="Of what is left, for F; null: chi².")
    p: float = Field(description="Of that test.")
    r2: float | None = Field(
        default=None, description="Share of the variance between studies told by it, per cent."
    )
    intercept: float | None = Field(
        default=None,
        exclude_if=_unknown,
        description="The effect where the number is 0; not there for groups.",
    )


class Moderation(Model):
    """Whether the effect differs by one moderator that the protocol names: for whom, where, how
    much.
    """

    id: str = Field(description="Of the moderator.")
    label: str = Field(description="Its name.")
    kind: Literal["category", "number"] = Field(description="Groups, or a number.")
    unit: str | None = Field(default=None, description="Of a number.")
    reason: str = Field(description="Why it should matter, by the protocol.")
    in_advance: bool = Field(description="Whether it was named before the results were known.")
    better_for: str | None = Field(
        default=None, description="Where it was expected to work better; null: nothing."
    )
    groups: tuple[Subgroup, ...] = Field(
        default=(), description="Of a category, in the protocol's order."
    )
    within: int = Field(
        default=0, description="Studies that compare the groups among their own people."
    )
    unknown: int = Field(default=0, description="Counted studies whose value is not known.")
    q: float | None = Field(
        default=None, description="Test of interaction: Cochran's Q between the groups."
    )
    df: int | None = Field(default=None, description="Its degrees of freedom.")
    p: float | None = Field(default=None, description="Its p.")
    regression: MetaRegression | None = Field(
        default=None, description="Null: not asked, or refused."
    )
    refused: str | None = Field(
        default=None, description="Why there is no test, or no regression, of it."
    )
    credibility: Credibility = Field(description="How far a difference can be believed.")
    works_better: str | None = Field(
        default=None,
        description="The group, or `high` or `low`, where it seems to work better; null: no difference.",
    )
    cautions: tuple[str, ...] = Field(
        default=(), description="Why a difference is not established, in words."
    )


class Finding(Model):
    """What the review knows of one outcome of one comparison."""

    id: str = Field(description="Permanent: comparison/outcome.")
    comparison: str = Field(description="Id of the comparison.")
    comparison_label: str = Field(description="What is compared with what.")
    intervention: str = Field(description="As it stands inside a sentence.")
    comparator: str = Field(description="As it stands inside a sentence.")
    outcome: str = Field(description="Id of the outcome.")
    outcome_label: str = Field(description="The outcome's name.")
    kind: str = Field(description="benefit, harm, service_use or cost")
    better: Literal["lower", "higher"] = Field(description="Which of the two is good for people.")
    more: str = Field(description="What more of the outcome means, as a clause.")
    fewer: str = Field(description="What less of the outcome means, as a clause.")
    unit: str | None = Field(default=None, description="Unit of a mean difference.")
    important: float | None = Field(
        default=None,
        description="Smallest important difference: per 1,000 for events, else in the measure.",
    )
    state: State = Field(description="What can be said at all.")
    why: str = Field(description="Why it is this state, in words.")
    side: Side | None = Field(default=None, description="Of the outcome, for state `effect` only.")
    good: bool | None = Field(default=None, description="Whether that side is good for people.")
    size: Size | None = Field(default=None, description="Beside the smallest important difference.")
    estimate: Estimate | None = Field(default=None, description="Pooled, or of one study.")
    lead: StudyEffect | None = Field(
        default=None,
        description="Where nothing is pooled, or studies disagree: the least biased, then largest.",
    )
    votes: Votes = Field(description="How the studies lean.")
    studies: tuple[StudyEffect, ...] = Field(description="Those with a result, ordered by id.")
    not_used: tuple[NotUsed, ...] = Field(
        default=(), description="Results that count for nothing here."
    )
    people: int | None = Field(
        default=None, description="People in the counted studies, each once."
    )
    people_unknown: int = Field(
        default=0, description="Counted studies that do not report how many."
    )
    waiting: int = Field(
        default=0, description="Records that still wait to be assessed by the review."
    )
    certainty: Certainty | None = Field(
        default=None, description="Null: not rated for these numbers."
    )
    certainty_reason: str | None = Field(default=None, description="Why there is no certainty.")
    basis: str = Field(description="sha256 of the results used: changes when any figure does.")
    weighing: Weighing | None = Field(
        default=None, description="New evidence that nobody signed yet."
    )
    sensitivity: tuple[Sensitivity, ...] = Field(
        default=(),
        exclude_if=_empty,
        description="Whether the answer stands when it is worked out otherwise.",
    )
    moderators: tuple[Moderation, ...] = Field(
        default=(),
        exclude_if=_empty,
        description="For whom, where and how much: what the protocol asks of it.",
    )
    small_studies: SmallStudies | None = Field(
        default=None, exclude_if=_empty, description="Where ten studies or more are pooled."
    )

    missing_evidence: MissingEvidence | None = Field(
        default=None, exclude_if=_empty, description="Where the team judged it."
    )
    moves_from: Estimate | None = Field(
        default=None,
        description="The size as it was when what is said here last changed; figures may move from it.",
    )

    @property
    def counted(self) -> tuple[StudyEffect, ...]:
        """The studies that count, without those at critical risk of bias or without a size."""
        return tuple(study for study in self.studies if study.counted)

    @property
    def lacks_evidence(self) -> bool:
        """Whether it is evidence that lacks, so that silence must not read as "does not work"."""
        return self.state in ("no_studies", "too_little", "not_yet_assessed")

    @property
    def meaning(self) -> tuple[State, Side | None, bool]:
        """What is said without a figure: state, side, and whether the difference is called small."""
        return meaning_of(self.state, self.side, self.size)

    @property
    def phrase(self) -> str | None:
        """The clause for its side; None without one."""
        if self.side is None:
            return None
        return self.more if self.side == "more" else self.fewer


def meaning_of(
    state: State, side: Side | None, size: Size | None
) -> tuple[State, Side | None, bool]:
    """What a state, a side and a size say: sizes that are important, or that nobody judged, read
    the same.
    """
    return state, side, size == "small"
