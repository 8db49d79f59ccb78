"""A language model's second opinion: which questions are due, what came back, and who may see it.

Nothing here writes a decision, moves a queue or asks for a build: the answers lie in a table of
their own, which only the pages that show them read.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from livereview.assistant import answers as reading
from livereview.assistant import evaluation, prompts
from livereview.assistant.answers import CriterionAnswer, Reply
from livereview.assistant.evaluation import Evaluation, Judged, Version
from livereview.assistant.prompts import CRITERIA, Prompt
from livereview.assistant.questions import RecordText, body, shown
from livereview.errors import Refused
from livereview.ops.protocols import parsed, protocol
from livereview.review import Assistant, Criterion, Review
from livereview.store import assistant, ranks, records
from livereview.store.assistant import Asked, Given, Spent, Wanting
from livereview.store.open import Connection, Store

USE = "criteria"
NIGHT = timedelta(hours=20)  # nights are a day apart; one may begin some hours earlier
TRIES = 3  # of one question; what brought no answer thrice is left alone
AT_ONCE = 20  # questions handed out together
SILENT = 3  # questions in a row that brought no answer are an alarm
LONGEST_RAW = 1_000_000  # characters of an answer that are kept
LONGEST_PROBLEM = 500


def wanted(store: Store, *, review: str, now: datetime, most: int = AT_ONCE) -> dict[str, Any]:
    """The next questions about reports that somebody has voted on, within the review's budget.

    `why_not` says why there are none.
    """
    with store.read() as con:
        rules = protocol(con, review)
        settings = rules.assistant
        if settings is None or USE not in settings.uses:
            return _none("this review asks no model: its protocol has no [assistant] for criteria")
        tonight, in_all = assistant.asked_since(con, review, now - NIGHT)
        left = min(settings.records_per_night - tonight, settings.records_in_all - in_all)
        if left <= 0:
            return _none(_spent_words(settings, tonight, in_all))
        asked = prompts.prompt(CRITERIA)
        stage = rules.screening.stages[0]
        wanting = Wanting(review, stage, settings.model, asked.sha256, rules.criteria_version)
        due = assistant.wanted(con, wanting, TRIES, now - NIGHT, min(left, most, AT_ONCE))
        questions = [_question(con, rules, settings, report) for report in due]
    if not questions:
        return _none("every report that somebody voted on has its answer")
    return {"questions": questions, "why_not": None}


def _none(why: str) -> dict[str, Any]:
    return {"questions": [], "why_not": why}


def _spent_words(settings: Assistant, tonight: int, in_all: int) -> str:
    if in_all >= settings.records_in_all:
        return (
            f"the budget is spent: {in_all:,} questions of {settings.records_in_all:,}"
            " (records_in_all in review.toml)"
        )
    return (
        f"tonight's budget is spent: {tonight:,} questions of {settings.records_per_night:,}"
        " (records_per_night in review.toml)"
    )


def _question(con: Connection, rules: Review, settings: Assistant, report: str) -> dict[str, Any]:
    record, _ = records.merged(records.reports(con, rules.id, [report])[report])
    text = shown(record.title, record.abstract)
    sent = body(prompts.prompt(CRITERIA), settings, rules.criteria, text)
    return {
        "record": record.record_id,
        "record_version": records.version(con, record.record_id) or 1,
        "protocol": rules.hash,
        "prompt": CRITERIA,
        "title": text.title,
        "abstract": text.abstract,
        "sent": json.dumps(sent, ensure_ascii=False),
    }


def take(
    store: Store,
    *,
    id: str,
    review: str,
    record: str,
    record_version: int,
    protocol: str,
    prompt: str,
    title: str,
    abstract: str,
    sent: str,
    seconds: float,
    now: datetime,
    status: int | None = None,
    raw: str | None = None,
    problem: str | None = None,
    price_read: float | None = None,
    price_written: float | None = None,
    currency: str | None = None,
) -> dict[str, Any]:
    """Keep what was asked and what came back; the same id again changes nothing.

    What is no answer is kept with the reason, and is no refusal.

    Args:
        protocol: The hash of the text whose criteria were asked about.
        title, abstract: As the model was shown them: quotes are looked up there.
    """
    if raw is None and not problem:
        raise Refused("say what came back (raw), or why nothing did (problem)")
    model = _model_of(sent)
    asked = _prompt(prompt)
    with store.read() as con:
        rules = _protocol_of(con, review, protocol)
    reply = Reply(problem=problem)
    if raw is not None:
        reply = reading.read(raw, rules.criteria, RecordText(title, abstract))
    if problem:
        reply = replace(reply, answers=(), problem=problem)
    cost = _cost(reply, price_read, price_written)
    row = Asked(
        id=id,
        review=review,
        record_id=record,
        record_version=record_version,
        use=USE,
        criteria_version=rules.criteria_version,
        protocol=protocol,
        prompt=asked.name,
        prompt_sha256=asked.sha256,
        asked_model=model,
        told_model=reply.model,
        sent=sent,
        status=status,
        raw=raw[:LONGEST_RAW] if raw is not None else None,
        problem=reply.problem[:LONGEST_PROBLEM] if reply.problem else None,
        answers=json.dumps([asdict(answer) for answer in reply.answers]),
        seconds=seconds,
        tokens_in=reply.tokens_in,
        tokens_out=reply.tokens_out,
        cost=cost,
        currency=currency if cost is not None else None,
        made=now,
    )

    def job(con: Connection) -> bool:
        if not records.in_review(con, review, record):
            raise Refused(f"record {record} is not in review {review}")
        return assistant.append(con, row)

    known = not store.write(job)
    return {"answered": bool(reply.answers), "problem": reply.problem, "known": known}


TOKENS_OF_A_PRICE = 1_000_000


def _cost(reply: Reply, read: float | None, written: float | None) -> float | None:
    """What the tokens cost that the server counted; None where it does not, or no price is known."""
    if read is None or written is None or reply.tokens_in is None or reply.tokens_out is None:
        return None
    return (read * reply.tokens_in + written * reply.tokens_out) / TOKENS_OF_A_PRICE


def _model_of(sent: str) -> str:
    """The model that a request names."""
    try:
        body = json.loads(sent)
        return str(body["model"])
    except (ValueError, KeyError, TypeError, RecursionError):
        raise Refused("sent must be the JSON of a request that names its model") from None


def _prompt(name: str) -> Prompt:
    try:
        return prompts.prompt(name)
    except KeyError:
        raise Refused(f"there is no prompt {name!r}; {CRITERIA} is in use") from None


def _protocol_of(con: Connection, review: str, hash: str) -> Review:
    text = assistant.protocol_texts(con, review).get(hash)
    if text is None:
        raise Refused(f"review {review!r} never had a protocol of the hash {hash[:12]!r}")
    return parsed(text)


# What people are shown

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
class Desk:
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


def desk(con: Connection, review: str) -> Desk:
    """The lead's page."""
    rules = protocol(con, review)
    stage = rules.screening.stages[0]
    given = assistant.given(con, review, stage)
    went_on = dict(ranks.labels(con, review, stage))
    texts = {hash: parsed(text) for hash, text in assistant.protocol_texts(con, review).items()}
    judged = _judged(con, rules, given, went_on, texts)
    criteria = {text.criteria_version: text.criteria for text in texts.values()}
    evaluations = evaluation.evaluations(judged, criteria)
    floor = (rules.assistant or Assistant("")).floor
    return Desk(
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
    given: Sequence[Given],
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
    given: Sequence[Given],
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


def alarms(last: Sequence[str | None]) -> list[str]:
    """That the assistant's server has brought no answer for a while; `last`, newest first."""
    if len(last) < SILENT or not all(last):
        return []
    return [
        f"the assistant's last {len(last)} questions brought no answer ({last[0]}): screening goes on "
        "without it; look at LIVEREVIEW_ASSISTANT_URL and its server"
    ]
