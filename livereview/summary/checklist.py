"""What PRISMA 2020, its extension for living reviews and PRISMA-S ask for, answered from the
summary itself.

Standards: PRISMA 2020 (Page and others, BMJ 2021;372:n71), PRISMA-LSR (BMJ 2024;387:e079183),
PRISMA-S (Rethlefsen and others, Syst Rev 2021;10:39). Numbers are theirs, with a part after a dot
where one is answered in pieces; the words are ours. What the data do not hold is said to be
missing, with what to add to review.toml: for most, a statement of the team whose id names the item,
such as "funding", or "funding-2" for a second one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from livereview.evidence.finding import Certainty
from livereview.evidence.weigh import MAIN
from livereview.messages import mark, say
from livereview.summary import model, search_report, words
from livereview.summary.model import Summary
from livereview.summary.model.findings import PublishedFinding
from livereview.summary.model.status import FlowCounts, RunSearch
from livereview.summary.model.studies import ExtractedStudy

PRISMA, LIVING, SEARCHING = "PRISMA 2020", "PRISMA-LSR", "PRISMA-S"
QUESTION = ("text", "population", "intervention", "comparator", "outcomes", "context")
STEPS = ("screening", "extraction", "synthesis", "publication")
FILES = ("summary.json", "studies.csv", "effects.csv", "exclusions.csv")
NO_STUDY = "No study is included."


@dataclass(frozen=True, slots=True)
class Item:
    """What a standard `asks`: `state` is "reported" with a value, or "missing" with None and `why`:
    what to add.
    """

    id: str
    standard: str
    asks: str
    value: str | None
    state: str
    why: str | None = None


@dataclass(frozen=True, slots=True)
class Lacking:
    """An answer that the data do not hold: why, and what would supply it."""

    why: str


Answer = Callable[[Summary], str | Lacking]


@dataclass(frozen=True, slots=True)
class Told:
    """What the data say, if anything, and the team's statements with this id, or in a slot of its
    own.

    Attributes:
        slots: Where on the page such a statement stands, the first for one that is still to be
            written.
        whole: Every statement in these slots answers the item, whatever its id.
    """

    name: str
    data: Callable[[Summary], str] = lambda _: ""
    slots: tuple[str, ...] = ("methods",)
    whole: bool = False

    def __call__(self, summary: Summary) -> str | Lacking:
        known = self.data(summary)
        texts = [
            statement.text
            for statement in summary.review.statements
            if self.holds(statement.id) or (self.whole and statement.under in self.slots)
        ]
        how = (
            f'add to review.toml: [[statements]] with id = "{self.name}", under = "{self.slots[0]}"'
        )
        return " ".join(filter(None, (known, *texts))) or Lacking(
            f"{how}, and the answer as text (“none” where there is none)"
        )

    def holds(self, key: str) -> bool:
        return key == self.name or (
            key.startswith(f"{self.name}-") and key.removeprefix(f"{self.name}-").isdigit()
        )


IMPLICATIONS = Told("implications", slots=("practice", "policy", "research"), whole=True)


def items(summary: Summary) -> tuple[Item, ...]:
    """Every item that a living review's own data can be asked, by standard and in its order."""
    asked = ((standard, *row) for standard, rows in _ROWS.items() for row in rows)
    return tuple(
        _item(standard, key, asks, answer(summary)) for standard, key, asks, answer in asked
    )


def _item(standard: str, key: str, asks: str, answer: str | Lacking) -> Item:
    if isinstance(answer, str) and not words.tidy(answer).strip():
        answer = Lacking("fill in what stands in review.toml for it: it is empty")
    if isinstance(answer, Lacking):
        return Item(key, standard, say(asks), None, "missing", words.tidy(answer.why))
    return Item(key, standard, say(asks), words.tidy(answer).strip(), "reported")


# The flow
# -------------------------------------------------------------------------------------------------------------

_SUMS = (  # as snapshot.Flow has them; a box that is left out counts as zero
    (
        ("identified_databases", "identified_other"),
        ("duplicates", "screened", "awaiting_screening", "not_screened"),
    ),
    (("screened",), ("excluded", "excluded_by_automation", "sought", "in_screening")),
    (("sought",), ("not_retrieved", "assessed", "awaiting_full_text")),
    (("assessed",), ("excluded_at_full_text", "included")),
)


def flow_balances(flow: FlowCounts) -> list[str]:
    """The sums of `summary.flow` (prisma.json) that do not add up, in words; empty when all do.

    That included = reports in studies + awaiting_extraction can't be told from the flow alone, only
    that it is no less.
    """
    boxes = {name: value for name, value in flow if isinstance(value, int)}
    counts = Counter(boxes)
    counts["excluded_at_full_text"] = sum(row.reports for row in flow.excluded_full_text)
    wrong = [f"{name} is {n}, below zero" for name, n in counts.items() if n < 0]
    for left, right in _SUMS:
        have, want = (sum(counts[name] for name in side) for side in (left, right))
        wrong += (
            [f"{' + '.join(left)} is {have}, but {' + '.join(right)} is {want}"]
            if have != want
            else []
        )
    if counts["awaiting_extraction"] > counts["included"]:
        wrong.append(
            f"included is {counts['included']}, but awaiting_extraction is {counts['awaiting_extraction']}"
        )
    return [one.replace("_", " ") for one in wrong]


def _flow(summary: Summary) -> str | Lacking:
    flow = summary.flow
    if wrong := flow_balances(flow):
        return Lacking(f"the flow does not add up: {'; '.join(wrong)}")
    boxes = ("duplicates", "screened", "excluded", "sought", "assessed", "included", "studies")
    told = "; ".join(f"{box} {getattr(flow, box):,}" for box in boxes)
    return f"{_records(summary)}; {told}"


def _records(summary: Summary) -> str:
    return f"records {summary.flow.identified_databases + summary.flow.identified_other:,}"


def _exclusions(summary: Summary) -> str:
    reasons = Counter(one.reason for one in summary.excluded)
    told = "".join(
        f"; {reason} {n}"
        for reason, n in sorted(reasons.items(), key=lambda pair: (-pair[1], pair[0]))
    )
    return f"reports {reasons.total():,}, each in exclusions.csv with its reason{told}"


# Protocol and searches
# ------------------------------------------------------------------------------------------------


def _title(word: str) -> Answer:
    def answer(summary: Summary) -> str | Lacking:
        title, version = summary.review.title, summary.version
        if word not in title.lower():
            return Lacking(f"let the title in review.toml hold the word “{word}”")
        return f"{title} (version {version.number}, {version.date_display})"

    return answer


def _of(table: str, *keys: str) -> Answer:
    """Some fields of a part of the protocol."""

    def answer(summary: Summary) -> str:
        part = getattr(summary.review, table)
        return "; ".join(f"{key}: {getattr(part, key)}" for key in keys)

    return answer


def _criteria(summary: Summary) -> str:
    review = summary.review
    told = (f"{one.kind.capitalize()}: {one.text}" for one in review.criteria)
    return " ".join((f"Criteria version {review.criteria_version}.", *told))


def _selection(summary: Summary) -> str:
    screening, stop = summary.review.screening, summary.stop
    stages = ", then by ".join(
        stage.replace("title_", "title and ").replace("full_", "full ")
        for stage in screening.stages
    )
    votes = screening.votes
    people = (
        "one reviewer decides" if votes == 1 else f"{votes} reviewers decide, unseen by each other,"
    )
    rest = f"{_second_opinion(summary)}{stop.display if stop else ''}"
    return f"By {stages}: {people} on each report. Nothing is excluded by automation. {rest}"


SEEN_BY = {
    "lead_only": "leads see its answers, on settled reports",
    "after_own_decision": "each reviewer sees its answers after their own decision",
}


def _second_opinion(summary: Summary) -> str:
    """What a language model is asked, for whom, and that it decides nothing."""
    told = summary.review.assistant
    if told is None:
        return ""
    return (
        f"A language model ({told.model}) is asked about each criterion from title and abstract; it has "
        f"no vote, {SEEN_BY[told.seen_by]}. "
    )


def _collection(summary: Summary) -> str:
    people = summary.review.extractors
    alone = f"{people} people extract each study by themselves, and what they agree on holds"
    return "One person extracts each study" if people == 1 else alone


def _measures(summary: Summary) -> str | Lacking:
    without = [one.label for one in summary.review.outcomes if not one.measure]
    told = "; ".join(f"{one.label}: {one.measure}" for one in summary.review.outcomes)
    if without:
        return Lacking(f"add to review.toml: measure of the outcomes {'; '.join(without)}")
    return told


def _each_search(tell: Callable[[RunSearch], str], between: str = "; ") -> Answer:
    """A part of the answer from each search as it was run."""
    missing = Lacking("add to review.toml: [[searches]], one for each source")
    return lambda summary: between.join(map(tell, summary.status.searches)) or missing


def _date(search: RunSearch) -> str:
    return f"{search.platform}: last complete {search.last_success_display}"


def _filters(search: RunSearch) -> str:
    told = ", ".join(f"{name} = {' or '.join(values)}" for name, values in search.filters.items())
    return f"{search.name}: {told or 'none'}"


def _strategies(summary: Summary) -> str | Lacking:
    """Feeds and pages have their address in place of a query."""
    places = {one.name: one.url for one in summary.review.searches}
    tell = _each_search(
        lambda one: f"{one.name}: {one.query or places.get(one.name) or 'all'}", "\n"
    )
    return tell(summary)


def _limits(summary: Summary) -> str:
    starts = (
        f"{one.name}: nothing before {one.start}" for one in summary.review.searches if one.start
    )
    return "; ".join(starts) or "None by date"


def _kind(kind: str) -> Answer:
    """The platforms of a kind of source, sorted as `search_report` does.

    That there is none is an answer too.
    """
    known = {
        "registry": search_report.REGISTRIES,
        "online": search_report.ONLINE,
        "citing": search_report.CITATIONS,
    }

    def of(search: RunSearch) -> str:
        named = next((name for name, sources in known.items() if search.source in sources), None)
        return named or ("other" if search.grey else "database")

    def answer(summary: Summary) -> str:
        found = [one.platform for one in summary.status.searches if of(one) == kind]
        return "; ".join(dict.fromkeys(found)) or "None"

    return answer


# Studies and results
# --------------------------------------------------------------------------------------------------


def _of_studies(
    is_done: Callable[[ExtractedStudy], bool], do: str, tell: Callable[[ExtractedStudy], str]
) -> Answer:
    """A line from each study once all are done; else what to `do` with which of them."""

    def answer(summary: Summary) -> str | Lacking:
        done = {study.id: study for study in summary.extracted if is_done(study)}
        lacking = [study.label for study in summary.studies if study.id not in done]
        if lacking:
            return Lacking(
                f"{do} {len(lacking)} of {len(summary.studies)} studies: {'; '.join(lacking)}"
            )
        return "\n".join(f"{study.label}: {tell(study)}" for study in done.values()) or NO_STUDY

    return answer


def _characteristics(study: ExtractedStudy) -> str:
    facts = (study.design, study.country, study.population, study.intervention, study.comparator)
    return " | ".join(fact for fact in facts if fact) or "nothing is extracted of them"


def _results(study: ExtractedStudy) -> str:
    told = (f"{one.outcome}, {one.direction_display}, {one.display}" for one in study.results)
    return "; ".join(told) or "none"


def _variables(summary: Summary) -> str | Lacking:
    other = {
        "id",
        "label",
        "extracted",
        "reports",
        "results",
        "findings",
        "form_version",
        "risk_of_bias_display",
    }
    fields = {name for study in summary.extracted for name in model.plain(study)}
    names = sorted(fields - other)
    waits = Lacking("extract a study: the form says which data are sought")
    return ", ".join(name.replace("_", " ") for name in names) or waits


def _tools(summary: Summary) -> str:
    named = {study.risk_of_bias_tool for study in summary.extracted if study.risk_of_bias_tool}
    return "; ".join(sorted(named))


def _prepared(summary: Summary) -> str:
    results = [result for study in summary.extracted for result in study.results]
    ways = Counter(result.derivation for result in results if result.derivation)
    told = "".join(f"; {way} ({n})" for way, n in sorted(ways.items()))
    return f"{ways.total()} of {len(results)} results are worked out from other figures, the rest is as reported{told}"


def _of_findings(tell: Callable[[PublishedFinding], str]) -> Answer:
    return lambda summary: "\n".join(f"{_name(one)}: {tell(one)}" for one in summary.findings)


def _name(finding: PublishedFinding) -> str:
    """The outcome, with its comparison where the protocol names some."""
    if finding.comparison == MAIN:
        return str(finding.outcome_label)
    return f"{finding.outcome_label} ({finding.comparison_label})"


def _pooled(finding: PublishedFinding) -> str:
    estimate, sign_p = finding.estimate, finding.votes.sign_p
    told = "not pooled"
    if estimate:
        told = f"{finding.estimate_display}, {estimate.model}, k = {estimate.studies}"
    if sign_p is None:
        return told
    return f"{told}; sign test p = {words.number(sign_p)}"


def _spread(summary: Summary) -> str:
    told = []
    for finding in summary.findings:
        estimate = finding.estimate
        if estimate is not None and estimate.i2 is not None:
            told.append(f"{_name(finding)}: τ² {estimate.tau2:.3g}, I² {estimate.i2:.0f}%")
    return "; ".join(told)


def _moderators(summary: Summary) -> str:
    told = [
        f"{moderator.label} ({'' if moderator.in_advance else 'not '}named in advance)"
        for moderator in summary.review.moderators
    ]
    if not told:
        return ""
    return f"By {'; '.join(told)}: groups are compared by a test of interaction, numbers by meta-regression."


def _by_moderators(summary: Summary) -> str:
    """How results differ: between studies, and by what the protocol names."""
    told = [
        f"{_name(one)}, {asked.label}: {asked.text}"
        for one in summary.findings
        for asked in one.moderators_display
    ]
    return "\n".join(filter(None, (_spread(summary), *told)))


def _checks(summary: Summary) -> str:
    labels = [check.label for finding in summary.findings for check in finding.sensitivity]
    if labels:
        return f"Each pooled answer is worked out again {'; '.join(dict.fromkeys(labels))}."
    return ""


def _displays(*keys: str) -> Callable[[Summary], str]:
    """What is said of each finding under these names, where anything is."""

    def answer(summary: Summary) -> str:
        lines: list[str] = []
        for finding in summary.findings:
            values = [getattr(finding, key) for key in keys]
            texts = [_one_text(value) for value in values if value]
            if texts:
                lines.append(f"{_name(finding)}: {' '.join(texts)}")
        return "\n".join(lines)

    return answer


def _one_text(value: str | tuple[str, ...]) -> str:
    return value if isinstance(value, str) else " ".join(value)


def _missing_results(summary: Summary) -> str:
    tests = {
        finding.small_studies.test
        for finding in summary.findings
        if finding.small_studies is not None
    }
    judged = any(finding.missing_evidence is not None for finding in summary.findings)
    told = [f"{name}'s test from ten studies on" for name in sorted(tests)]
    return "; ".join((*told, *(["a judgement by ROB-ME"] if judged else [])))


def _certainty(summary: Summary) -> str | Lacking:
    with_studies = [finding for finding in summary.findings if finding.studies]
    waiting = [_name(finding) for finding in with_studies if finding.certainty is None]
    if waiting:
        return Lacking(f"let a lead rate the certainty of {'; '.join(waiting)}")
    told = [
        f"{_name(finding)}: {_level(finding.certainty)}"
        for finding in with_studies
        if finding.certainty is not None
    ]
    return "\n".join(told) or NO_STUDY


def _level(certainty: Certainty) -> str:
    return "; ".join((certainty.level.replace("_", " "), *certainty.reasons))


def _said(*under: str) -> Answer:
    """The team's sentences in these parts of the page, but for those that answer an item of their
    own.
    """

    def answer(summary: Summary) -> str | Lacking:
        own = [row[2] for rows in _ROWS.values() for row in rows if isinstance(row[2], Told)]
        free = [
            one for one in summary.review.statements if not any(told.holds(one.id) for told in own)
        ]
        lacks = Lacking(
            f'add to review.toml: [[statements]] with under = "{under[0]}", and the text'
        )
        return " ".join(one.text for one in free if one.under in under) or lacks

    return answer


def _rules(summary: Summary) -> str:
    return "\n".join(f"{rule.id}, version {rule.version}: {rule.text}" for rule in summary.rules)


def _state(summary: Summary) -> str:
    status = summary.status
    if status.stale_after:
        warns = f"; out of date from {status.stale_after_display}"
    else:
        warns = ""
    return f"{status.state}; searches complete to: {status.searched_to_display}{warns}"


def _first(summary: Summary) -> str:
    if summary.version.predecessor is None:
        return "This is the first version"
    return ""


def _result_changes(summary: Summary) -> str:
    changed = summary.changed
    added = ", ".join(changed.studies_added) or "none"
    removed = ", ".join(changed.studies_removed) or "none"
    return f"{changed.display}. Studies added: {added}; removed: {removed}"


def _available(summary: Summary) -> str:
    return (
        f"{', '.join(FILES)}, under {summary.review.licence}; each file's hash stands in SHA256SUMS"
    )


# The items
# ------------------------------------------------------------------------------------------------------------

_ROWS: Mapping[str, tuple[tuple[str, str, Answer], ...]] = {
    PRISMA: (
        ("1", mark("whether the title says that this is a review"), _title("review")),
        ("2", mark("a structured abstract"), Told("abstract", slots=("background",))),
        (
            "3",
            mark("why the review is needed beside what is known"),
            Told("rationale", slots=("background",), whole=True),
        ),
        ("4", mark("the question that is asked"), _of("question", *QUESTION)),
        ("5", mark("which studies are eligible, and how that is told"), _criteria),
        ("6", mark("each source, and when it was last searched"), _each_search(_date)),
        ("7", mark("each search in full"), _strategies),
        ("8", mark("how many people decide on each report, and with which tools"), _selection),
        ("9", mark("how data are collected"), _collection),
        (
            "10.a",
            mark("the outcomes that data are sought for"),
            _of_findings(lambda one: f"better is {one.better}"),
        ),
        ("10.b", mark("which other data are sought"), _variables),
        ("11", mark("how risk of bias is judged"), Told("risk-of-bias", _tools)),
        ("12", mark("the measure of each outcome"), _measures),
        (
            "13.a",
            mark("which studies are in each synthesis"),
            _of_findings(lambda one: f"{len(one.studies)} with a result"),
        ),
        ("13.b", mark("how figures are prepared for the synthesis"), _prepared),
        ("13.c", mark("how results are shown"), lambda _: "Tables; pictures with their numbers"),
        ("13.d", mark("how results are put together"), _rules),
        (
            "13.e",
            mark("how reasons for differing results are looked for"),
            Told("heterogeneity", _moderators),
        ),
        (
            "13.f",
            mark("how it is tested that results do not hang on choices"),
            Told("sensitivity", _checks),
        ),
        (
            "14",
            mark("how missing results are looked for"),
            Told("reporting-bias", _missing_results),
        ),
        ("15", mark("how certainty is judged"), Told("certainty-methods")),
        ("16.a", mark("the flow from records to studies"), _flow),
        ("16.b", mark("what was read in full and excluded, and why"), _exclusions),
        (
            "17",
            mark("what each study is"),
            _of_studies(lambda _: True, "extract", _characteristics),
        ),
        (
            "18",
            mark("risk of bias in each study"),
            _of_studies(
                lambda study: study.risk_of_bias is not None,
                "judge",
                lambda study: study.risk_of_bias_display,
            ),
        ),
        ("19", mark("the results of each study"), _of_studies(lambda _: True, "extract", _results)),
        (
            "20.a",
            mark("what each synthesis rests on and finds"),
            _of_findings(lambda one: one.wording),
        ),
        ("20.b", mark("each pooled result with its interval"), _of_findings(_pooled)),
        (
            "20.c",
            mark("how results differ between studies"),
            Told("heterogeneity-results", _by_moderators, slots=("limits",)),
        ),
        (
            "20.d",
            mark("the sensitivity analyses"),
            Told(
                "sensitivity-results",
                _displays("otherwise_display", "stands_display"),
                slots=("limits",),
            ),
        ),
        (
            "21",
            mark("what was found of missing results"),
            Told(
                "reporting-bias-results",
                _displays("small_studies_display", "missing_evidence_display"),
                slots=("limits",),
            ),
        ),
        ("22", mark("the certainty of each finding"), _certainty),
        (
            "23.a",
            mark("what the results mean beside other evidence"),
            _said("explanations", "answer", "strengths"),
        ),
        ("23.b", mark("the limits of the evidence"), _said("limits", "caveats")),
        (
            "23.c",
            mark("the limits of the review's own process"),
            Told("limitations-of-process", slots=("limits",)),
        ),
        ("23.d", mark("what follows for practice, policy and research"), IMPLICATIONS),
        ("24.a", mark("where the review is registered, or that it is not"), Told("registration")),
        (
            "24.b",
            mark("where the protocol is"),
            lambda _: "summary.json holds the protocol that is run, as “review”.",
        ),
        ("24.c", mark("what differs from the registration or protocol"), Told("amendments")),
        (
            "25",
            mark("who pays for the review, and what say they have"),
            Told("funding", slots=("funding",), whole=True),
        ),
        (
            "26",
            mark("the authors' competing interests"),
            Told("competing-interests", slots=("funding",)),
        ),
        ("27", mark("which data others can use, and where"), _available),
    ),
    LIVING: (
        ("title", mark("whether the title says that the review is living"), _title("living")),
        ("status", mark("whether it is kept alive, and to when it is up to date"), _state),
        (
            "L1.searches",
            mark("how often it searches"),
            lambda summary: summary.status.search_schedule_display,
        ),
        ("L1.steps", mark("when each later step is done"), _of("living", *STEPS)),
        ("L1.trigger", mark("what makes a new version"), _of("living", "trigger")),
        ("L1.retirement", mark("when it stops being living"), _of("living", "retirement")),
        (
            "L2",
            mark("changes of the methods since the version before, and why"),
            Told("changes-to-methods", _first),
        ),
        ("L3.results", mark("changes of the results since the version before"), _result_changes),
        ("L3.trigger", mark("what made this version"), lambda summary: summary.version.trigger),
        (
            "L4.authors",
            mark("the authors of this version"),
            lambda summary: "; ".join(summary.review.authors),
        ),
        ("L4.roles", mark("what each of them did for it"), Told("roles")),
    ),
    SEARCHING: (
        ("1", mark("the databases and their platforms"), _kind("database")),
        (
            "2",
            mark("databases searched at once on one platform"),
            lambda _: "None: each source is searched by itself.",
        ),
        ("3", mark("study registries"), _kind("registry")),
        ("4", mark("websites and other online sources"), _kind("online")),
        ("5", mark("searches by citation"), _kind("citing")),
        ("6", mark("people who were asked"), Told("contacts", slots=("consultation",))),
        ("7", mark("other ways of searching"), _kind("other")),
        ("8", mark("each search as it was run"), _strategies),
        ("9", mark("limits of date, language and the like"), _limits),
        ("10", mark("filters of each search"), _each_search(_filters)),
        ("11", mark("earlier searches that were used"), Told("prior-work")),
        (
            "12",
            mark("how the searches are kept up to date"),
            lambda summary: summary.status.search_schedule_display,
        ),
        ("13", mark("the date of each search"), _each_search(_date)),
        ("14", mark("whether the searches were peer reviewed"), Told("search-peer-review")),
        ("15", mark("how many records were found"), _records),
        ("16", mark("how duplicates are found"), lambda _: say(search_report.DEDUP)),
    ),
}
