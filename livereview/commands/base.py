"""What every command is: a frozen model of one use case's arguments, checked when it is made.

A command that can't be carried out as given is `Refused` in words that name what is wrong, what may
stand there and what the command takes; it never reaches a use case, and is never met as a bug.
"""

from __future__ import annotations

import base64
import math
from datetime import datetime
from typing import Annotated, Any, ClassVar, Generic, Protocol, TypeVar, cast

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    ModelWrapValidatorHandler,
    PlainSerializer,
    ValidationError,
    ValidationInfo,
    model_validator,
)

from livereview import rights
from livereview.errors import Refused
from livereview.rights import Act

# a time beyond them is a mistake, and a month more may be no date at all
EARLIEST_YEAR, LATEST_YEAR = 1900, 2200
LARGEST_NUMBER = 2**31 - 1  # what the narrowest column of whole numbers holds
DEEPEST = 50  # lists and objects within each other; an extraction has six
LONGEST_SHOWN = 60  # characters of a wrong value in the words that refuse it


# Fields that JSON has no kind for


def time(name: str, value: Any) -> datetime:
    """The time that a field says, with its zone; raises Refused."""
    if isinstance(value, datetime):
        moment = value
    else:
        moment = _time_in(name, value)
    if moment.tzinfo is None:
        raise Refused(f"{name}: {str(value)!r} has no time zone; add +00:00 or Z")
    if not EARLIEST_YEAR <= moment.year < LATEST_YEAR:
        raise Refused(f"{name}: {str(value)!r} is not between {EARLIEST_YEAR} and {LATEST_YEAR}")
    return moment


def _time_in(name: str, text: Any) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except (TypeError, ValueError):
        raise Refused(
            f"{name}: {text!r} is not an ISO time such as 2026-03-01T02:00+00:00"
        ) from None


def _aware(value: Any, info: ValidationInfo) -> datetime:
    return time(info.field_name or "the time", value)


def _bytes(value: Any) -> Any:
    """{"base64": …} as the bytes that it carries."""
    if not (isinstance(value, dict) and set(value) == {"base64"}):
        return value
    try:
        return base64.b64decode(value["base64"], validate=True)
    except (TypeError, ValueError):
        raise Refused("bytes must come as valid base64") from None


def _base64(value: bytes) -> dict[str, str]:
    return {"base64": base64.b64encode(value).decode()}


Time = Annotated[
    datetime, BeforeValidator(_aware), PlainSerializer(datetime.isoformat, when_used="json")
]
"""A time with its zone; as JSON an ISO text."""

Bytes = Annotated[bytes, BeforeValidator(_bytes), PlainSerializer(_base64, when_used="json")]
"""Bytes as they came; as JSON {"base64": …}."""


# Commands and answers


class Answer(BaseModel):
    """What a use case answers: the fields that callers read.

    It may hold more, which is handed on as it came.
    """

    model_config = ConfigDict(
        frozen=True, extra="allow", use_attribute_docstrings=True, defer_build=True
    )


class Nothing(Answer):
    """That it was done; there is nothing to say of it."""


AnswerT = TypeVar("AnswerT", bound=BaseModel)


class Command(BaseModel, Generic[AnswerT]):
    """One use case, asked once.

    Class attributes:
        operation: Its name at the owner's door, `/api/ops/NAME`.
        needs: What whoever asks there must be allowed; the owner's own secret does everything.
    """

    model_config = ConfigDict(
        frozen=True,
        strict=True,
        extra="forbid",
        use_attribute_docstrings=True,
        defer_build=True,
    )

    operation: ClassVar[str]
    needs: ClassVar[Act] = rights.OWN

    now: Time | None = None
    """When it is; null: by the owner's clock."""

    @model_validator(mode="wrap")
    @classmethod
    def _refuse(cls, data: Any, handler: ModelWrapValidatorHandler[Any]) -> Any:
        if isinstance(data, dict):
            for name, value in data.items():
                _check_plain(name, value, DEEPEST)
                _check_size(name, value)
        try:
            return handler(data)
        except ValidationError as problems:
            raise Refused(_words(cls, problems)) from None

    @classmethod
    def answer_type(cls) -> type[AnswerT]:
        """The model of what this command is answered with."""
        for parent in cls.__mro__:
            generic = getattr(parent, "__pydantic_generic_metadata__", None)
            if generic and generic["args"]:
                return cast(type[AnswerT], generic["args"][0])
        raise TypeError(f"{cls.__name__} does not say what it is answered with")

    def fields(self) -> dict[str, Any]:
        """The arguments by name, but for `now`."""
        names = type(self).model_fields.keys() - {"now"}
        return {name: getattr(self, name) for name in names}


class Runs(Protocol):
    """Whoever carries out commands: the owner in this process, or one elsewhere."""

    def run(self, command: Command[AnswerT], /) -> AnswerT: ...


# Why a command is refused


def _check_plain(name: str, value: Any, depth: int) -> None:
    """Raise Refused for text that no file can hold, for a number that is none, and for what is
    nested very deeply.
    """
    if isinstance(value, str):
        check_text(name, value)
    elif isinstance(value, float) and not math.isfinite(value):
        raise Refused(f"{name}: {value} is no number")
    elif isinstance(value, dict | list):
        if not depth:
            raise Refused(f"{name}: it is nested more than {DEEPEST} times")
        parts = [*value, *value.values()] if isinstance(value, dict) else value
        for part in parts:
            _check_plain(name, part, depth - 1)


def _check_size(name: str, value: Any) -> None:
    if isinstance(value, int) and abs(value) > LARGEST_NUMBER:
        raise Refused(f"{name}: {value} is too large; the largest is {LARGEST_NUMBER}")


def check_text(name: str, text: str) -> None:
    """Raise Refused for text that no file can hold."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise Refused(
            f"{name}: character {error.start + 1} is half of one (a surrogate), which is no text"
        ) from None


def _words(command: type[Command[Any]], problems: ValidationError) -> str:
    """The first problem in words, with what the command takes; a name that it does not have before
    others, as it is likely a misspelling of what is missing.
    """
    found = problems.errors(include_url=False)
    misspelt = [problem for problem in found if problem["type"] == "extra_forbidden"]
    problem = misspelt[0] if misspelt else found[0]
    operation = command.operation
    place = problem["loc"]
    if not place:
        return f"{operation}: the arguments must be an object of names and values"
    name = str(place[0])
    if problem["type"] == "missing":
        return f"{operation}: {name} is missing; {_taken(command)}"
    if problem["type"] == "extra_forbidden":
        return f"{operation}: there is no argument {name!r}; {_taken(command)}"
    expected = problem["msg"].removeprefix("Input should be ")
    return f"{operation}: {name} must be {expected}, not {_short(problem['input'])}"


def _taken(command: type[Command[Any]]) -> str:
    """What a command takes, the necessary first."""
    needed = [name for name, field in command.model_fields.items() if field.is_required()]
    other = [name for name in command.model_fields if name not in needed]
    may_take = f"may take {', '.join(other)}"
    if not needed:
        return f"it {may_take}"
    return f"it takes {', '.join(needed)}, and {may_take}"


def _short(value: Any) -> str:
    text = repr(value)
    if len(text) <= LONGEST_SHOWN:
        return text
    return f"{text[:LONGEST_SHOWN]}…"
