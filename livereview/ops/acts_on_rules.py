"""Judging all pairs of records again by the rules in force, as an act: told, confirmed, taken back.

`livereview rebuild` is the same without a browser; both take what moves from `ops.rejudge`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace

from livereview.dedup.match import RULES_VERSION
from livereview.errors import Refused
from livereview.ops import rejudge, settle
from livereview.ops.act_types import Asked, Done, NothingToDo
from livereview.ops.rejudge import Move, Rejudged
from livereview.store import matches, records, versions
from livereview.store.acts import LoggedAct
from livereview.store.matches import Match
from livereview.store.open import Connection

SHOWN = 50  # moves that are listed; the others are counted


def look(con: Connection, asked: Asked) -> Rejudged:
    """What the rules in force make of all that is stored, which takes long where that is much."""
    return rejudge.rejudged(con)


def _looked(asked: Asked) -> Rejudged:
    assert isinstance(asked.looked, Rejudged)
    return asked.looked


def concerns(con: Connection, asked: Asked) -> list[str]:
    """The reviews of the reports that would move."""
    moved = [record for move in _looked(asked).moves for record in move.records]
    return sorted(records.reviews_of(con, moved)) or [asked.review]


def judge_again(con: Connection, asked: Asked) -> Done:
    """Let the rules in force say what they make of every pair, and reports follow from it.

    Raises:
        NothingToDo: They say of every pair what was said before.
    """
    looked = _looked(asked)
    if not looked.news:
        raise NothingToDo(
            f"there is nothing to judge again: of all {looked.pairs:,} pairs the rules of version "
            f"{RULES_VERSION} say what was said before"
        )
    pairs = [pair for pair, _ in looked.news]
    before = matches.rules_last(con, pairs)
    said = []
    for number, (pair, judgement) in enumerate(looked.news):
        match = settle.rule_match(pair, judgement)
        said.append(replace(match, id=_word(asked.id, number)))
    matches.append(con, said, asked.now)
    _follow(con, asked, pairs)
    words = []
    for match in said:
        earlier = before.get((match.left_id, match.right_id))
        words.append({"id": match.id, "before": asdict(earlier) if earlier else None})
    return Done(_lines(con, looked), {"words": words, "pairs": pairs}, {"changed": len(said)})


def undo_judging_again(con: Connection, act: LoggedAct, asked: Asked) -> tuple[str, ...]:
    """Let stand again what the rules had said before, where they have not spoken since."""
    pairs = [(str(left), str(right)) for left, right in act.undo["pairs"]]
    last = matches.rules_last(con, pairs)
    back = []
    for number, (pair, word) in enumerate(zip(pairs, act.undo["words"], strict=True)):
        now = last.get(pair)
        if now is not None and now.id == word["id"]:
            back.append(_earlier(now, word["before"], _word(asked.id, number)))
    if pairs and not back:
        raise Refused("all these pairs have been judged again since, so nothing can be taken back")
    matches.append(con, back, asked.now)
    _follow(con, asked, [(match.left_id, match.right_id) for match in back])
    if kept := len(pairs) - len(back):
        return (f"Pairs that have been judged again since, and stay as they are: {kept:,}.",)
    return ()


def _word(act: str, number: int) -> str:
    """The id of what an act says of its n-th pair."""
    return f"{act}/{number}"


def _earlier(now: Match, before: Mapping[str, object] | None, id: str) -> Match:
    """The word that stood before, said anew; "different" where there was none."""
    if before is None:
        return replace(now, id=id, verdict="different", rule=rejudge.UNJUDGED, scores={}, kind=None)
    return Match(**{**before, "id": id})  # type: ignore[arg-type]


def _follow(con: Connection, asked: Asked, pairs: Sequence[tuple[str, str]]) -> None:
    """Let reports and public pages follow from what is said of these pairs."""
    touched = sorted({record for pair in pairs for record in pair})
    settle.refresh(con, settle.regroup(con, touched))
    for review in records.reviews_of(con, touched):
        versions.ask(con, review, rejudge.CAUSE, asked.now)


def _lines(con: Connection, looked: Rejudged) -> tuple[str, ...]:
    joins = sum(move.kind == "join" for move in looked.moves)
    lines = [
        f"Pairs of records compared by the rules of version {RULES_VERSION}: "
        f"{looked.pairs:,}; told otherwise than before: {len(looked.news):,}.",
        f"Reports that join: {joins:,}. Reports that part: {len(looked.moves) - joins:,}.",
    ]
    shown = looked.moves[:SHOWN]
    current = records.current(con, [record for move in shown for record in move.records])
    titles = {id: record.title or "Untitled record" for id, record in current.items()}
    lines += [_line(move, titles) for move in shown]
    if more := len(looked.moves) - len(shown):
        lines.append(f"And {more:,} more.")
    return tuple(lines)


def _line(move: Move, titles: Mapping[str, str]) -> str:
    """One move in words; a report is told by its records' titles, each once."""
    told = []
    for report in move.reports:
        names = dict.fromkeys(titles[record] for record in report)
        told.append(" / ".join(f"“{name}”" for name in names))
    if move.kind == "join":
        return f"These become one report: {'; '.join(told)}."
    return f"This report becomes several: {'; '.join(told)}."
