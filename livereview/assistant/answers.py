"""What counts as a model's answer, and what it says: read strictly, with each quote looked up.

Half an answer is none. A quote that the record does not hold is told as such, and an answer without
a quote as unsupported: a reader must see what they can check and what they can't.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from livereview import texts
from livereview.assistant.questions import ANSWERS, RecordText
from livereview.evidence.folding import fold
from livereview.evidence.quotes import Place, find
from livereview.review import Criterion

LONGEST_QUOTE = 2_000  # characters; a sentence was asked for
LONGEST_ANSWER = 200_000  # characters of the JSON that are read at all

Says = Literal["yes", "no", "unclear"]
Support = Literal["quoted", "no quote found", "unsupported"]


@dataclass(frozen=True, slots=True)
class CriterionAnswer:
    """What a model answered on one criterion.

    Attributes:
        quote: As it gave it; "": it gave none.
        support: "quoted": the quote stands in the title or abstract; "no quote found": it does not;
            "unsupported": it gave none.
    """

    criterion: str
    answer: Says
    quote: str
    support: Support


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back for one question.

    Attributes:
        answers: One for each criterion, in the protocol's order; empty: it was no answer.
        problem: Why it was none; None: it was one.
        model: What the server calls the model that answered; None: it does not say.
        tokens_in, tokens_out: As the server counts them; None: it does not say.
    """

    answers: tuple[CriterionAnswer, ...] = ()
    problem: str | None = None
    model: str | None = None
    tokens_in: int | None = None
    tokens_out: int | None = None


class _NoAnswer(Exception):
    """Why a text is no answer."""


def read(raw: str, criteria: Sequence[Criterion], text: RecordText) -> Reply:
    """The reply that the bytes of a server hold, with its quotes looked up in the record's text.

    Args:
        raw: The body of the HTTP answer, as text.
        criteria: Those that were asked about.
        text: What the model was shown.
    """
    try:
        told = _object(raw, "the server's answer")
    except _NoAnswer as refusal:
        return Reply(problem=str(refusal))
    usage = told.get("usage")
    counts = usage if isinstance(usage, dict) else {}
    model = told.get("model")
    answers: tuple[CriterionAnswer, ...] = ()
    problem = None
    try:
        answers = _answers(_content(told), criteria, text)
    except _NoAnswer as refusal:
        problem = str(refusal)
    return Reply(
        answers,
        problem,
        texts.clean(model)[:200] if isinstance(model, str) else None,
        _count(counts.get("prompt_tokens")),
        _count(counts.get("completion_tokens")),
    )


def keeps(answers: Sequence[CriterionAnswer], criteria: Sequence[Criterion]) -> bool | None:
    """Whether the report would stay in the review by these answers; None without any.

    It is out where a criterion that must be met is answered "no", or one that rules out "yes".
    What is unclear keeps it: full texts are read for that.
    """
    if not answers:
        return None
    return not any(against(answer, criteria) for answer in answers)


def against(answer: CriterionAnswer, criteria: Sequence[Criterion]) -> bool:
    """Whether an answer speaks against the report."""
    kinds = {criterion.id: criterion.kind for criterion in criteria}
    kind = kinds.get(answer.criterion)
    return (kind == "include" and answer.answer == "no") or (
        kind == "exclude" and answer.answer == "yes"
    )


def _content(told: Mapping[str, Any]) -> str:
    """The words of the one choice, which must have come to its end."""
    choices = told.get("choices")
    if not isinstance(choices, list) or len(choices) != 1 or not isinstance(choices[0], dict):
        raise _NoAnswer("the server's answer has not exactly one choice")
    choice = choices[0]
    ended = choice.get("finish_reason")
    if ended == "length":
        raise _NoAnswer("the answer was cut off at its greatest length")
    if ended != "stop":
        raise _NoAnswer(f"the answer ended otherwise than by itself ({str(ended)[:40]!r})")
    message = choice.get("message")
    content = message.get("content") if isinstance(message, dict) else None
    if not isinstance(content, str):
        raise _NoAnswer("the answer holds no text")
    return content


def _answers(
    content: str, criteria: Sequence[Criterion], text: RecordText
) -> tuple[CriterionAnswer, ...]:
    whole = _object(content, "the answer")
    ids = [criterion.id for criterion in criteria]
    if unknown := [name for name in whole if name not in ids]:
        raise _NoAnswer(f"the answer speaks of what nobody asked about ({unknown[0][:64]!r})")
    if missing := [name for name in ids if name not in whole]:
        raise _NoAnswer(f"the answer says nothing on {', '.join(missing)}")
    folded = [fold(part) for part in text.parts]
    answers = []
    for criterion in criteria:
        said, quote = _entry(whole[criterion.id])
        support: Support = "unsupported"
        if quote:
            is_there = any(isinstance(find(part, quote), Place) for part in folded)
            support = "quoted" if is_there else "no quote found"
        answers.append(CriterionAnswer(criterion.id, said, quote, support))
    return tuple(answers)


def _entry(entry: Any) -> tuple[Says, str]:
    if not isinstance(entry, dict) or set(entry) != {"quote", "answer"}:
        raise _NoAnswer("an entry of the answer has not exactly quote and answer")
    quote, said = entry["quote"], entry["answer"]
    if not isinstance(quote, str):
        raise _NoAnswer("a quote of the answer is no text")
    if said not in ANSWERS:
        raise _NoAnswer(f"an answer is {str(said)[:40]!r}; it must be yes, no or unclear")
    if len(quote) > LONGEST_QUOTE:
        raise _NoAnswer(f"a quote has more than {LONGEST_QUOTE:,} characters")
    return said, texts.clean(quote, several_lines=True).strip()


def _object(text: str, what: str) -> dict[str, Any]:
    """The JSON object that a text is, with each name once and no number that is none."""
    if len(text) > LONGEST_ANSWER:
        raise _NoAnswer(f"{what} has more than {LONGEST_ANSWER:,} characters")
    try:
        whole = json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise _NoAnswer(f"{what} is no JSON") from None
    if not isinstance(whole, dict):
        raise _NoAnswer(f"{what} is no JSON object")
    return whole


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = dict(pairs)
    if len(names) != len(pairs):
        raise ValueError("a name stands twice")
    return names


def _no_constant(name: str) -> Any:
    raise ValueError(name)


def _count(value: Any) -> int | None:
    is_count = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31
    return value if is_count else None
