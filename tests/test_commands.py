"""Commands: each goes to the use case that has it, is checked when it is made, and crosses the
owner's door unchanged.
"""

from __future__ import annotations

import inspect
import json
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from livereview import ops
from livereview.commands import BY_OPERATION, COMMANDS, Command, Decide, Ingest, PreviewAct
from livereview.commands.base import Answer
from livereview.commands.publishing import Settled
from livereview.commands.wire import decode, decode_answer, encode, encode_answer
from livereview.errors import Refused
from tests.conftest import NOW

ALL = pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.__name__)
# what the owner gives a use case by itself, and no command says
OWN = {"store", "now", "folder", "by", "apart", "stop"}
# what the screening room says of a decision beside it, and no program can
ROOM = {"waiting", "shown", "instead", "file", "settled_stays"}


def test_each_operation_is_one_command_and_has_a_use_case() -> None:
    assert len(BY_OPERATION) == len(COMMANDS)
    assert ops.USE_CASES.keys() == set(COMMANDS)


@ALL
def test_the_fields_of_a_command_are_the_terms_of_its_use_case(command: type[Command[Any]]) -> None:
    terms = inspect.signature(ops.USE_CASES[command]).parameters
    fields = {name: field for name, field in command.model_fields.items() if name != "now"}
    assert fields.keys() <= terms.keys()
    assert terms.keys() - fields.keys() <= OWN | ROOM
    for name, field in fields.items():
        default = terms[name].default
        assert field.is_required() == (default is inspect.Parameter.empty), name
        assert field.is_required() or field.default == default, name


@ALL
def test_a_command_says_what_it_does_and_what_it_is_answered_with(
    command: type[Command[Any]],
) -> None:
    answer = command.answer_type()
    assert issubclass(answer, BaseModel) and answer is not BaseModel
    for model in (command, answer):
        assert (model.__doc__ or "").strip()
        assert model.model_config["frozen"]


def test_a_command_crosses_the_door_as_it_is() -> None:
    command = Ingest(search="s", body=b"\x00\xff", now=NOW, quota=0.5)
    sent = json.loads(encode(command))
    assert sent == {
        "search": "s",
        "body": {"base64": "AP8="},
        "now": NOW.isoformat(),
        "quota": 0.5,
    }
    assert decode(Ingest, sent) == command


def test_a_command_is_checked_when_it_is_made_and_stays_as_it_is() -> None:
    with pytest.raises(Refused, match="decide: stage must be 'title_abstract' or 'full_text'"):
        Decide(id="d", review="r", record="x", stage="abstract", reviewer="a", verdict="include")  # type: ignore[arg-type]
    with pytest.raises(Refused, match=r"now: '2026-03-02 09:00:00' has no time zone"):
        Ingest(search="s", body=b"", now=NOW.replace(tzinfo=None))
    with pytest.raises(Refused, match="quota: nan is no number"):
        Ingest(search="s", body=b"", quota=float("nan"))
    with pytest.raises(Refused, match="status: 2147483648 is too large; the largest is 2147483647"):
        Ingest(search="s", body=b"", status=2**31)
    with pytest.raises(Refused, match="the arguments must be an object"):
        Ingest.model_validate(["s"])
    command = Ingest(search="s", body=b"")
    with pytest.raises(ValidationError, match="frozen"):
        command.search = "t"  # type: ignore[misc]


def test_an_answer_keeps_what_this_version_does_not_know_and_adds_nothing() -> None:
    plain = {"found": 1, "fresh": 1, "changed": 0, "rejected": 0, "later": [1]}
    answer = decode_answer(Ingest(search="s", body=b""), plain)
    assert answer.problem is None
    assert encode_answer(answer) == plain


def test_answers_by_review_are_plain_at_the_door() -> None:
    plain = {"r": {"version": 1, "new": True}, "q": {"problem": "a bug"}}
    assert encode_answer(Settled.model_validate(plain)) == plain


def test_answers_can_grow() -> None:
    assert Answer.model_config["extra"] == "allow"


def answers_within(kind: type[BaseModel]) -> set[type[BaseModel]]:
    """An answer's model and those of its kind that are derived from it, to any depth."""
    return {kind}.union(*(answers_within(each) for each in kind.__subclasses__()))


def test_an_answer_is_sent_under_the_names_by_which_it_is_read() -> None:
    """Else what an act would change in public sentences is lost between two processes."""
    renamed = [
        (kind, name, str(field.alias))
        for kind in answers_within(Answer)
        for name, field in kind.model_fields.items()
        if field.alias is not None
    ]
    assert {name for _, _, name in renamed} == {"class"}
    for kind, name, alias in renamed:
        answer = kind.model_construct(**{alias: "reworded"})
        assert getattr(answer, name) == "reworded"
        assert encode_answer(answer) == {alias: "reworded"}


def test_what_an_act_would_change_goes_through_the_door_whole() -> None:
    sentence = {"claim": "c", "class": "reworded", "why": "w", "before": "a", "after": "b"}
    plain = {
        "lines": ["This text is in force."],
        "reviews": [{"review": "r", "sentences": [sentence]}],
        "undoes_work": False,
        "takes_out": False,
        "shown": "0" * 8,
    }
    asked = PreviewAct(kind="protocol", review="r", given={"text": "t"})
    effect = asked.answer_type().model_validate(plain)
    sent = json.loads(json.dumps(encode_answer(effect)))
    assert sent["reviews"][0]["sentences"] == [sentence]
    assert decode_answer(asked, sent) == effect
