"""What the model is asked about a record, as the body of one request to an OpenAI-compatible
`/chat/completions`.

A record's text is data. It stands between marks that it cannot hold, without characters that people
can't see, and nothing that it says changes what is done with the answer.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from livereview import texts
from livereview.assistant.prompts import Prompt
from livereview.review import Assistant, Criterion

ANSWERS = ("yes", "no", "unclear")
LONGEST_ABSTRACT = 20_000  # characters: a structured abstract has 4,000; more is another text
LONGEST_TITLE = 2_000
MOST_TOKENS = 4_000  # of an answer: twenty criteria with a sentence each take some 1,500
SEED = 1
FENCE_LETTERS = 16  # hexadecimal: of the hash of the text, which no text can foresee


@dataclass(frozen=True, slots=True)
class RecordText:
    """The title and abstract that a model is shown; quotes are looked up in these very texts."""

    title: str
    abstract: str

    @property
    def parts(self) -> tuple[str, str]:
        return self.title, self.abstract


def shown(title: str | None, abstract: str | None) -> RecordText:
    """The texts of a record as a model is shown them: cut, and without what people can't see."""
    return RecordText(
        texts.clean(title or "")[:LONGEST_TITLE],
        texts.clean(abstract or "", several_lines=True)[:LONGEST_ABSTRACT],
    )


def fence(text: RecordText) -> str:
    """A mark that does not stand in the text."""
    content = "\n".join(text.parts)
    number = 0
    while True:
        seed = f"{number}\n{content}".encode("utf-8", "replace")
        mark = f"=== {hashlib.sha256(seed).hexdigest()[:FENCE_LETTERS]} ==="
        if mark not in content:
            return mark
        number += 1


def body(
    prompt: Prompt, settings: Assistant, criteria: Sequence[Criterion], text: RecordText
) -> dict[str, Any]:
    """The body of the request: the same arguments give the same."""
    mark = fence(text)
    asked = prompt.text.format(fence=mark, criteria="\n".join(map(_line, criteria)))
    record = f"{mark}\nTitle: {text.title}\n\nAbstract: {text.abstract or '(none)'}\n{mark}"
    return {
        "model": settings.model,
        "messages": [
            {"role": "system", "content": asked},
            {"role": "user", "content": record},
        ],
        "temperature": settings.temperature,
        "seed": SEED,
        "max_tokens": MOST_TOKENS,
        "stream": False,
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "answers", "strict": True, "schema": _schema(criteria)},
        },
    }


def parameters(sent: Mapping[str, Any]) -> dict[str, Any]:
    """What of a body is neither model nor words."""
    return {name: sent[name] for name in ("temperature", "seed", "max_tokens") if name in sent}


def _line(criterion: Criterion) -> str:
    kind = "must be met" if criterion.kind == "include" else "rules the publication out"
    return f"- id {criterion.id} ({kind}): {criterion.text}"


def _schema(criteria: Sequence[Criterion]) -> dict[str, Any]:
    """One entry for each criterion, by its id: in a list a small model named one of them twice.

    The quote comes before the answer: models write fields in the order of the schema.
    """
    entry = {
        "type": "object",
        "properties": {
            "quote": {"type": "string"},
            "answer": {"type": "string", "enum": list(ANSWERS)},
        },
        "required": ["quote", "answer"],
        "additionalProperties": False,
    }
    ids = [criterion.id for criterion in criteria]
    return {
        "type": "object",
        "properties": dict.fromkeys(ids, entry),
        "required": ids,
        "additionalProperties": False,
    }
