"""A language model's second opinion: which questions are due, and what came back.

Nothing here writes a decision, moves a queue or asks for a build: the answers lie in a table of
their own, which only the pages of `ops.opinions` read.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import Any

from livereview.assistant import answers as reading
from livereview.assistant import prompts
from livereview.assistant.answers import Reply
from livereview.assistant.prompts import CRITERIA, Prompt
from livereview.assistant.questions import RecordText, body, shown
from livereview.errors import Refused
from livereview.ops.protocols import parsed, protocol
from livereview.records import Record
from livereview.review import Assistant, Review
from livereview.store import assistant, records
from livereview.store.assistant import KeptAnswer, Wanting
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
        members = records.reports(con, review, due)
        versions = records.versions(
            con, [record.record_id for some in members.values() for record in some]
        )
        questions = [
            _question(rules, settings, records.merged(members[report])[0], versions)
            for report in due
        ]
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


def _question(
    rules: Review, settings: Assistant, record: Record, versions: Mapping[str, int]
) -> dict[str, Any]:
    text = shown(record.title, record.abstract)
    sent = body(prompts.prompt(CRITERIA), settings, rules.criteria, text)
    return {
        "record": record.record_id,
        "record_version": versions[record.record_id],
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
    row = KeptAnswer(
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


def alarms(last: Sequence[str | None]) -> list[str]:
    """That the assistant's server has brought no answer for a while; `last`, newest first."""
    if len(last) < SILENT or not all(last):
        return []
    return [
        f"the assistant's last {len(last)} questions brought no answer ({last[0]}): screening goes on "
        "without it; look at LIVEREVIEW_ASSISTANT_URL and its server"
    ]
