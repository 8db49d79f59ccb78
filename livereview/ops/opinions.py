"""Who sees what of a language model's second opinion: reviewers on a report, leads over all of them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from livereview.assistant import answers as reading
from livereview.assistant import evaluation
from livereview.assistant.answers import CriterionAnswer
from livereview.assistant.evaluation import Evaluation, Judged, Version
from livereview.ops.assistant import SILENT
from livereview.ops.protocols import parsed, protocol
from livereview.review import Assistant, Criterion, Review
from livereview.store import assistant, ranks, records
from livereview.store.assistant import SoundAnswer, Spent
from livereview.store.open import Connection

FLOORS = evaluation.FLOORS
FEWEST = evaluation.FEWEST


@dataclass(frozen=True, slots=True)
class Opinion:
    """A model's answers on a report, for a page.

    Attributes:
        keeps: Whether the report would stay by them.
        criteria: The text of each criterion, by its id.
    """

    model: str
    prompt: str
    criteria_version: str
    made: datetime
    keeps: bool
    answers: tuple[CriterionAnswer, ...]
    criteria: Mapping[str, Criterion]


def opinion(con: Connection, review: str, report: str) -> Opinion | None:
    """The newest answers on a report; None where there are none.

    Who may see them is `may_see`'s to say.
    """
    asked = assistant.of_report(con, review, report)
    if asked is None:
        return None
    given = _read(asked.answers)
    criteria = parsed(assistant.protocol_texts(con, review)[asked.protocol]).criteria
    return Opinion(
        asked.told_model or asked.asked_model,
        asked.prompt,
        asked.criteria_version,
        asked.made,
        bool(reading.keeps(given, criteria)),
        given,
        {criterion.id: criterion for criterion in criteria},
    )


def may_see(rules: Review, *, leads: bool, settled: bool, decided: bool) -> bool:
    """Whether somebody may see what a model said of a report: never before their own decision.

    Args:
        leads: Whether they lead the review.
        settled: Whether nobody is asked about the report any more.
        decided: Whether they themselves have decided on it where it stands now.
    """
    if rules.assistant is None:
        return False
    if leads and settled:
        return True
    return decided and rules.assistant.seen_by == "after_own_decision"


def _read(text: str) -> tuple[CriterionAnswer, ...]:
    return tuple(CriterionAnswer(**answer) for answer in json.loads(text))


@dataclass(frozen=True, slots=True)
class Doubt:
    """A report that the team left out and the model would keep."""

    report: str
    title: str
    model: str
    made: datetime
    for_it: tuple[CriterionAnswer, ...]


@dataclass(frozen=True, slots=True)
class Overview:
    """What the lead is told of the second opinion.

    Attributes:
        beside_floor: How the sensitivity of each evaluation stands beside the protocol's floor.
        evaluations: Each model, prompt and version of the criteria, judged on settled reports.
        doubts: Reports left out by everybody that the model of today would keep.
        last: What was wrong with the last questions, newest first.
    """

    settings: Assistant | None
    beside_floor: tuple[str, ...]
    evaluations: tuple[Evaluation, ...]
    doubts: tuple[Doubt, ...]
    spent: tuple[Spent, ...]
    last: tuple[str | None, ...]


def overview(con: Connection, review: str) -> Overview:
    """What the lead is told."""
    rules = protocol(con, review)
    stage = rules.screening.stages[0]
    given = assistant.given(con, review, stage)
    went_on = dict(ranks.labels(con, review, stage))
    texts = {hash: parsed(text) for hash, text in assistant.protocol_texts(con, review).items()}
    judged = _judged(con, rules, given, went_on, texts)
    criteria = {text.criteria_version: text.criteria for text in texts.values()}
    evaluations = evaluation.evaluations(judged, criteria)
    floor = (rules.assistant or Assistant("")).floor
    return Overview(
        rules.assistant,
        tuple(evaluation.held_against(one.accuracy.sensitivity, floor) for one in evaluations),
        evaluations,
        _doubts(con, rules, given, went_on, texts),
        tuple(assistant.spent(con, review)),
        tuple(assistant.last(con, [review], SILENT)[review]),
    )


def _judged(
    con: Connection,
    rules: Review,
    given: Sequence[SoundAnswer],
    went_on: Mapping[str, bool],
    texts: Mapping[str, Review],
) -> list[Judged]:
    stages = rules.screening.stages
    votes = assistant.votes(con, rules.id, stages[0])
    ends = assistant.ends(con, rules.id, stages[-1])
    tag = rules.assistant.apart if rules.assistant else Assistant("").apart
    apart = assistant.tagged(con, rules.id, tag)
    judged = []
    for row in given:
        if row.report_id not in went_on:
            continue
        answers = _read(row.answers)
        judged.append(
            Judged(
                row.report_id,
                Version(row.model, row.prompt, row.criteria_version),
                bool(reading.keeps(answers, texts[row.protocol].criteria)),
                went_on[row.report_id],
                ends.get(row.report_id),
                row.report_id in apart,
                row.changed,
                answers,
                tuple(votes.get(row.report_id, ())),
                f"{row.made:%Y-%m}",
                row.seconds,
                row.cost,
            )
        )
    return judged


def _doubts(
    con: Connection,
    rules: Review,
    given: Sequence[SoundAnswer],
    went_on: Mapping[str, bool],
    texts: Mapping[str, Review],
) -> tuple[Doubt, ...]:
    """The newest answer on each report counts, if it is about the criteria in force."""
    newest = {row.report_id: row for row in given if row.criteria_version == rules.criteria_version}
    left_out = {report: row for report, row in newest.items() if went_on.get(report) is False}
    known = records.reports(con, rules.id, list(left_out))
    doubts = []
    for report, row in left_out.items():
        answers = _read(row.answers)
        if not reading.keeps(answers, texts[row.protocol].criteria):
            continue
        record, _ = records.merged(known[report])
        quoted = tuple(answer for answer in answers if answer.support == "quoted")
        doubts.append(Doubt(report, record.title or "(no title)", row.model, row.made, quoted))
    return tuple(doubts)
