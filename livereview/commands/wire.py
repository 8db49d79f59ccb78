"""Commands and answers as JSON, the same way on both sides of the owner's door."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from livereview.commands.base import AnswerT, Command


def encode(command: Command[Any]) -> bytes:
    """A command as JSON; what is left at its default is not sent, so that an older owner need not
    know of it.
    """
    return command.model_dump_json(exclude_defaults=True).encode()


def encode_answer(answer: BaseModel) -> Any:
    """An answer as plain JSON data: what was answered, and nothing that was not."""
    return answer.model_dump(mode="json", by_alias=True, exclude_unset=True)


def decode(command: type[Command[AnswerT]], arguments: Mapping[str, Any]) -> Command[AnswerT]:
    """The command that these arguments make; raises Refused."""
    return command.model_validate(dict(arguments))


def decode_answer(command: Command[AnswerT], plain: Any) -> AnswerT:
    """The answer to a command in plain JSON data.

    Raises:
        pydantic.ValidationError: It is no answer to this command.
    """
    return command.answer_type().model_validate(plain)
