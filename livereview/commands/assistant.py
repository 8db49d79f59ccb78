"""Commands of the second opinion: what a language model is to be asked, and what it answered."""

from __future__ import annotations

from livereview import rights
from livereview.commands.base import Answer, Command


class AssistantQuestion(Answer):
    """One question about one record."""

    record: str
    record_version: int
    protocol: str
    """The hash of the protocol whose criteria are asked about."""
    prompt: str
    """The name of the prompt, with its version."""
    title: str
    """As the model is shown it."""
    abstract: str
    sent: str
    """JSON: the body of the request, whole."""


class AssistantQuestions(Answer):
    """The next questions, within the review's budget."""

    questions: tuple[AssistantQuestion, ...]
    why_not: str | None
    """Why there are none."""


class FindAssistantQuestions(Command[AssistantQuestions]):
    """What the review's language model is to be asked next; nothing without an [assistant]."""

    operation = "assistant_questions"
    needs = rights.RUN_FLOWS

    review: str
    most: int = 20
    """So many at most; not more than 20 are given at once."""


class TakenAssistantAnswer(Answer):
    """What became of an answer."""

    answered: bool
    """It was one."""
    problem: str | None
    """Why it was none."""
    known: bool
    """This very one was known."""


class TakeAssistantAnswer(Command[TakenAssistantAnswer]):
    """Keep what a language model was asked and what came back, whatever it is."""

    operation = "take_assistant_answer"
    needs = rights.RUN_FLOWS

    id: str
    review: str
    record: str
    record_version: int
    protocol: str
    prompt: str
    title: str
    abstract: str
    sent: str
    """These as `assistant_questions` gave them."""
    seconds: float
    status: int | None = None
    raw: str | None = None
    """The body as it came; null: `problem` says why there is none."""
    problem: str | None = None
    price_read: float | None = None
    """What a million tokens cost that the model read; null: not known."""
    price_written: float | None = None
    """What a million tokens cost that it wrote."""
    currency: str | None = None
