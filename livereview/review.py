"""A review's protocol as data: what `review.toml` says, after it was checked.

`review_toml` reads and checks it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

STAGES = ("title_abstract", "full_text")
EMMIE = ("effect", "mechanism", "moderators", "implementation", "economics")


@dataclass(frozen=True, slots=True)
class Question:
    """The review's question in PICO-C; each part is a sentence or list as the authors wrote it."""

    text: str
    population: str
    intervention: str
    comparator: str
    outcomes: str
    context: str


@dataclass(frozen=True, slots=True)
class Criterion:
    """One eligibility criterion: `kind` is "include" or "exclude"."""

    id: str
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Reason:
    """An exclusion reason; `retired` ones stay known for old decisions but can't be chosen any
    more.
    """

    id: str
    label: str
    retired: bool = False


@dataclass(frozen=True, slots=True)
class Search:
    """One search of one source, exactly as it is run.

    Attributes:
        name: Unique within the review.
        source: A name in livereview.sources.SOURCES, or "package.module:Attribute" of a third
            party.
        platform: What PRISMA-S asks for, e.g. "OpenAlex API".
        query: The string as sent; feeds and pages have `url` instead.
        schedule: Cron; None takes the review's own.
        overlap_days: How far each window reaches back before the last success.
        sweep_days: After so many days the search goes back to its start once more; 0: never.
        start: ISO date before which the first run does not look; None: since ever.
        grey: True for grey literature ("other methods" in the flow diagram).
        usual_zero: True where an empty answer is normal, so that a zero raises no alarm.
    """

    name: str
    source: str
    platform: str
    query: str = ""
    url: str | None = None
    filters: tuple[tuple[str, str], ...] = ()
    schedule: str | None = None
    overlap_days: int = 7
    sweep_days: int = 30
    start: str | None = None
    grey: bool = False
    usual_zero: bool = False


@dataclass(frozen=True, slots=True)
class Screening:
    """Who decides.

    `votes` independent reviewers a stage; where they differ, `adjudicators` (names; empty: any lead
    or adjudicator who did not vote). `stages` in order, out of STAGES.

    Attributes:
        core: Experienced reviewers: one of the votes on each report must be theirs; empty:
            anybody's will do.
        shares: (name, percentage) of those who share the reports out among them; empty: everybody
            is asked about all.
        ranked: The likely ones come first in the queue; else they come as they were found.
        recall_target: The share of relevant reports that the lead's page tests the reading against.
    """

    votes: int = 2
    stages: tuple[str, ...] = STAGES
    adjudicators: tuple[str, ...] = ()
    core: tuple[str, ...] = ()
    shares: tuple[tuple[str, float], ...] = ()
    ranked: bool = True
    recall_target: float = 0.95


@dataclass(frozen=True, slots=True)
class Area:
    """One row of the taxonomy: an intervention area.

    Attributes:
        asked: The review searches for it; else studies are sorted into it, and its empty cells are
            no gap.
    """

    id: str
    label: str
    asked: bool = True


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool by which studies are appraised.

    Attributes:
        name: As a study's form names it, with its version behind.
        source: Where it is described.
        judgements: Of a domain, from best to worst.
        domains: Id and what it is about, in the tool's order.
        overall: Judgements of a whole study, from best to worst; empty: the tool gives none.
        high: Those of `overall` that count as high risk of bias when findings are weighed.
        apart: Those of `overall` at which a study is shown and never decides.
    """

    id: str
    name: str
    source: str
    judgements: tuple[str, ...]
    domains: tuple[tuple[str, str], ...]
    overall: tuple[str, ...]
    high: tuple[str, ...]
    apart: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Code:
    """One code for what studies say on how, for whom and at what cost it works, e.g.

    "staff-turnover".
    """

    id: str
    label: str


OUTCOME_KINDS = ("benefit", "harm", "service_use", "cost")
"""What an outcome is about: a good that is hoped for, a harm that is feared, services used, money."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What is compared with what; each has a finding of its own for every outcome.

    Attributes:
        intervention, comparator: As they stand inside a sentence: "housing and support", "usual
            services".
        outcomes: Ids of those it asks about; empty: all of the review's.
    """

    id: str
    label: str
    intervention: str
    comparator: str
    outcomes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FollowUp:
    """A band of time after the start, in months: from `start` up to, but not including, `end`.

    None as `end`: no upper limit.
    """

    id: str
    label: str
    start: float
    end: float | None = None

    def holds(self, months: float) -> bool:
        """Whether a time point lies in this band."""
        return self.start <= months and (self.end is None or months < self.end)


@dataclass(frozen=True, slots=True)
class Outcome:
    """An outcome the summary must have a row for, whether or not there are studies.

    Attributes:
        better: "lower" or "higher": the direction that is good for people.
        measure: The measure that findings are told and pooled in, e.g. "SMD" or "RR".
        important: Smallest important difference, > 0: events per 1,000 people where `measure`
            compares how often something happens, else in `measure`; None where none was agreed.
        pool: Whether sizes may be averaged over studies.
        more, fewer: What a reader would say of more, and of less, of the outcome, as a clause:
            "more children enter care"; None: made from the label.
        kind: One of OUTCOME_KINDS.
        unit: Of a mean difference: "points on the SDQ".
        risk: How many of 1,000 people have the event without the intervention, with `risk_source`.
        constructs: Preferred first: which of a study's constructs or instruments stands for the
            outcome.
        follow_up: Preferred first: ids of the bands from which a study's time point is taken.
    """

    id: str
    label: str
    better: str
    measure: str | None = None
    important: float | None = None
    pool: bool = False
    more: str | None = None
    fewer: str | None = None
    kind: str = "benefit"
    unit: str | None = None
    risk: float | None = None
    risk_source: str | None = None
    constructs: tuple[str, ...] = ()
    follow_up: tuple[str, ...] = ()


MODERATOR_KINDS = ("category", "number")
MODERATOR_READS = {
    "category": ("country", "setting", "design", "area", "risk_of_bias"),
    "number": ("year", "participants", "months"),
}
"""What a moderator may read of the forms as they are, by its kind; else people note its value for each study."""

HIGH_OR_LOW = ("high", "low")


@dataclass(frozen=True, slots=True)
class Moderator:
    """What may make the effect larger or smaller: for whom, where, how much.

    Attributes:
        kind: One of MODERATOR_KINDS: studies are grouped by a category, or regressed on a number.
        reason: Why it should matter, in words.
        in_advance: Whether it was named before the results were known.
        values: Of a category, in the order in which they are shown.
        unit: Of a number: "months".
        reads: One of MODERATOR_READS; None: its value stands in the forms (`characteristics`,
            `subgroup_is`).
        better_for: Where it was expected to work better: one of `values`, or of HIGH_OR_LOW for a
            number; None: nothing was expected.
        outcomes: Ids of those it is asked for; empty: all of the review's.
    """

    id: str
    label: str
    kind: str
    reason: str
    in_advance: bool
    values: tuple[str, ...] = ()
    unit: str | None = None
    reads: str | None = None
    better_for: str | None = None
    outcomes: tuple[str, ...] = ()


ESTIMATORS = ("REML", "DL", "PM", "ML", "EB", "HE", "HS", "SJ", "EE")
TESTS = ("z", "knha", "adhoc")
PREDICTIONS = ("riley", "k-1", "matched")
RARE = ("mantel-haenszel", "peto", "none")
DEPENDENT = ("choose", "all")
SENSITIVITY = ("risk-of-bias", "leave-one-out", "model")


@dataclass(frozen=True, slots=True)
class Methods:
    """How the review pools, as its protocol promised.

    Attributes:
        estimator: Of the variance between studies: one of ESTIMATORS; EE is one common effect.
        test: Of the mean and its interval from `few` studies on: "z", "knha" (Knapp and Hartung),
            or "adhoc" (Knapp and Hartung, never narrower than z).
        few: Below so many studies the interval is z's: with two to four studies Knapp and Hartung's
            has a t with one to three degrees of freedom, which hides what each study shows.
        rare: Where an arm has no event: "mantel-haenszel", "peto", or "none" (left out of the
            pool).
        dependent: Several results of one study: "choose" one by the protocol's order, or keep "all"
            and allow for their dependence by a three-level model, with a robust variance (CR2)
            unless `test` is z.
        sensitivity: Of SENSITIVITY: how each pooled answer is worked out again, to see if it
            stands: without the studies at high risk of bias, without each study in turn, by another
            model.
        prediction: Quantile of the prediction interval: "riley" (k - 2), "k-1" or "matched".
    """

    estimator: str = "REML"
    test: str = "adhoc"
    few: int = 5
    prediction: str = "riley"
    rare: str = "mantel-haenszel"
    dependent: str = "choose"
    sensitivity: tuple[str, ...] = SENSITIVITY


@dataclass(frozen=True, slots=True)
class Highlights:
    """Words to mark on the record while screening."""

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()


NEVER_MERGE = ("year", "volume", "issue", "pages", "place", "type")
"""What a team may name as a difference across which no rule merges two records."""


@dataclass(frozen=True, slots=True)
class Dedup:
    """What a team adds to the rules of deduplication for its field.

    Attributes:
        never_merge: Of NEVER_MERGE: where both records know it and it differs, a person decides.
        same_series: Names of one series or publisher, parted by " = ".
    """

    never_merge: tuple[str, ...] = ()
    same_series: tuple[str, ...] = ()


SIGN_OFF_DAYS = 14
"""Days within which a changed finding is signed, where the protocol promises nothing else: a fortnight lets a lead be
away for one."""


@dataclass(frozen=True, slots=True)
class Living:
    """PRISMA-LSR's living-mode parameters (BMJ 2024;387:e079183, item L1).

    Attributes:
        search_schedule: Cron for searches without their own; the later steps in words.
        stale_days: The summary shows a warning when the last complete search is older than this.
        trigger: What makes a new version.
        retirement: The plan to leave living mode, or "none".
        sign_off: A changed conclusion waits for a lead's name before it is published.
        sign_off_days: Within how many days the team promises to sign it; after that it is an alarm.
    """

    timezone: str
    search_schedule: str
    screening: str
    extraction: str
    synthesis: str
    publication: str
    trigger: str
    retirement: str
    stale_days: int = 45
    status: str = "living"  # living, paused, retired
    sign_off: bool = True
    sign_off_days: int = SIGN_OFF_DAYS


SLOTS = (
    "answer",
    "background",
    "methods",
    "consultation",
    "strengths",
    "limits",
    "practice",
    "policy",
    "families",
    "research",
    "funding",
    "explanations",
    "caveats",
    *EMMIE,
)
"""Where a statement of the team stands in the summary; practice, policy, families and
research are what it means for them."""

STANDINGS = ("plausible", "less_plausible", "ruled_out")
"""Of rival explanations."""


@dataclass(frozen=True, slots=True)
class Statement:
    """A sentence of the review team for the summary; printed as theirs.

    Attributes:
        under: One of SLOTS.
        studies: Ids of the studies that it rests on.
        findings: Ids of findings,
            "comparison/outcome".
        standing: Of a rival explanation, one of STANDINGS, with the studies `supports` and
            `against`.
        checked: ISO day on which the team last read it beside the evidence; None: when it was
            written.
        review_by: ISO day by which they mean to read it again.
    """

    id: str
    under: str
    text: str
    studies: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()
    standing: str | None = None
    supports: tuple[str, ...] = ()
    against: tuple[str, ...] = ()
    checked: str | None = None
    review_by: str | None = None


@dataclass(frozen=True, slots=True)
class Configuration:
    """A configuration of a realist review: in this context this mechanism brings about this
    outcome.

    Attributes:
        for_whom: The people it is about; None: nobody in particular.
        evidence: What it rests on, in the team's words.
        supports, against: Ids of the studies for and against it.
        checked, review_by: As of a Statement.
    """

    id: str
    context: str
    mechanism: str
    outcome: str
    evidence: str
    for_whom: str | None = None
    supports: tuple[str, ...] = ()
    against: tuple[str, ...] = ()
    checked: str | None = None
    review_by: str | None = None


@dataclass(frozen=True, slots=True)
class PriceFactor:
    """By what an amount in this currency and year is multiplied to stand in the review's."""

    currency: str
    year: int
    factor: float


@dataclass(frozen=True, slots=True)
class CostBand:
    """A band of costs per unit: amounts `below` this that no band before holds.

    None: all the rest.
    """

    label: str
    below: float | None = None


@dataclass(frozen=True, slots=True)
class Costs:
    """How the review tells costs.

    Attributes:
        currency, year: In which all are told.
        source: Of the table of factors.
        per: The unit that the bands are for, as forms name it: "family"; None: no bands.
        outcomes: Ids of those that count the same unit, so that a cost per unit and an effect per
            1,000 of them give a cost per outcome.
    """

    currency: str
    year: int
    source: str
    per: str | None = None
    factors: tuple[PriceFactor, ...] = ()
    bands: tuple[CostBand, ...] = ()
    outcomes: tuple[str, ...] = ()


ASSISTANT_USES = ("criteria",)
"""What a language model may be asked for: answers on each criterion."""

ASSISTANT_SEEN_BY = ("lead_only", "after_own_decision")
"""Who sees its answers: the lead, on settled reports; or each reviewer too, after their own decision."""


@dataclass(frozen=True, slots=True)
class Assistant:
    """The language model that gives a second opinion; without this table there is none.

    Attributes:
        model: As its server calls it.
        uses: Of ASSISTANT_USES.
        seen_by: One of ASSISTANT_SEEN_BY.
        records_per_night, records_in_all: How many questions may be asked.
        floor: The sensitivity that its evaluation is held against: one careful human's by default.
        temperature: As sent; 0 does not make answers repeatable.
        apart: The tag of reports that were used to write the prompt or the criteria: its
            evaluation leaves them out.
    """

    model: str
    uses: tuple[str, ...] = ASSISTANT_USES
    seen_by: str = "lead_only"
    records_per_night: int = 200
    records_in_all: int = 5_000
    floor: float = 0.866
    temperature: float = 0.0
    apart: str = "prompt set"


@dataclass(frozen=True, slots=True)
class Base:
    """The review that this one continues: PRISMA's "previous studies".

    Attributes:
        citation: As a reader would find it.
        year: Of its publication.
        publications: Reports that it read.
        studies: That it counted, None where it does not say.
        answer: What it concluded, in this team's words.
        link: Where it stands.
    """

    citation: str
    year: int
    publications: int
    answer: str
    studies: int | None = None
    link: str | None = None


@dataclass(frozen=True, slots=True)
class Review:
    """The whole protocol of one review.

    `text` is the file as read and `hash` its sha256: decisions cite them.
    """

    id: str
    title: str
    authors: tuple[str, ...]
    licence: str
    question: Question
    criteria_version: str
    criteria: tuple[Criterion, ...]
    reasons: tuple[Reason, ...]
    searches: tuple[Search, ...]
    screening: Screening
    outcomes: tuple[Outcome, ...]
    living: Living
    comparisons: tuple[Comparison, ...] = ()
    follow_up: tuple[FollowUp, ...] = ()
    methods: Methods = field(default_factory=Methods)
    moderators: tuple[Moderator, ...] = ()
    taxonomy: tuple[Area, ...] = ()
    codes: tuple[Code, ...] = ()
    tools: tuple[Tool, ...] = ()  # of appraisal, beside those of `evidence.appraisal`
    sites: str = "places"  # what studies are spread over, as the page calls it: "councils"
    emmie: bool = True
    # people who extract each study by themselves; with 2, what they agree on holds
    extractors: int = 1
    highlights: Highlights = field(default_factory=Highlights)
    dedup: Dedup = field(default_factory=Dedup)
    statements: tuple[Statement, ...] = ()
    configurations: tuple[Configuration, ...] = ()
    base: Base | None = None
    costs: Costs | None = None
    assistant: Assistant | None = None
    canaries: tuple[str, ...] = ()  # DOIs every database search should return
    # where readers suggest a study: the owner's /suggest/ID as the public reaches it
    suggestions: str | None = None
    # where the folder with `latest/` and `v/` is on the web; None: addresses stay relative
    site_url: str | None = None
    webhooks: tuple[str, ...] = ()  # addresses that are told of each version
    language: str = "en-GB"  # of the published pages: en-GB, or a catalogue in livereview/locale
    text: str = ""
    hash: str = ""

    def search(self, name: str) -> Search | None:
        return next((search for search in self.searches if search.name == name), None)
