"""Acts on reports: decided again, regrouped, joined and split, a word taken back that the team
rests on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from livereview.errors import Refused
from livereview.ops import evidence, pairs, ranking, screen, tasks, team
from livereview.ops.act_types import Asked, Done, later_votes
from livereview.ops.protocols import protocol
from livereview.store import acts, decisions, matches, records, standings, versions
from livereview.store import evidence as studies
from livereview.store import tasks as raised
from livereview.store.acts import LoggedAct, Reopening
from livereview.store.decisions import Decision
from livereview.store.open import Connection
from livereview.store.standings import Standing

MOST_REOPENED = 200  # reports at once: their names must fit into an address


def decide_again(con: Connection, asked: Asked) -> Done:
    version, stage = asked.value("version"), asked.value("stage")
    chosen = team.to_decide_again(con, asked.review, version, stage)
    if not chosen:
        raise Refused("no decision of this version and stage may turn any more; reload the page")
    current = protocol(con, asked.review).criteria_version
    cause = f"the criteria are now version {current}, and it was decided under version {version}"
    return _reopen(
        con, asked, chosen, stage, cause, "reports are decided again under changed criteria"
    )


def look_again(con: Connection, asked: Asked) -> Done:
    record = asked.value("record")
    ranking.check_doubted(con, asked.review, record)
    stage = protocol(con, asked.review).screening.stages[0]
    cause = "the lead asks for a second look"
    return _reopen(con, asked, [record], stage, cause, "a report is looked at a second time")


def reopen_chosen(con: Connection, asked: Asked) -> Done:
    """Reports that a lead chose are decided again, from this stage on."""
    ids, stage = asked.value("records").split(","), asked.value("stage")
    stages = protocol(con, asked.review).screening.stages
    if stage not in stages:
        raise Refused(f"the stage must be one of {', '.join(stages)}; it was {stage!r}")
    if len(ids) > MOST_REOPENED:
        raise Refused(f"have at most {MOST_REOPENED} reports decided again at once")
    reports = records.report_of_each(con, ids)
    places = standings.of_each(con, asked.review, reports.values())
    decided = [id for id in ids if _was_decided(places.get(reports[id]), stage, stages)]
    if not decided:
        raise Refused("none of these reports has been decided at this stage")
    cause = "a lead asks for it to be decided again"
    return _reopen(con, asked, decided, stage, cause, "reports are decided again")


def _was_decided(standing: Standing | None, stage: str, stages: Sequence[str]) -> bool:
    """Whether a report left this stage, or all its votes at it are in."""
    if standing is None:
        return False
    if standing.stage == stage:
        return standing.state in ("conflict", "included", "excluded")
    return stages.index(standing.stage) > stages.index(stage)


def _reopen(
    con: Connection, asked: Asked, chosen: list[str], stage: str, cause: str, trigger: str
) -> Done:
    by_report = records.of_one_report_each(con, chosen)
    reopenings = [Reopening(f"{asked.id}/{record}", record, stage) for record in by_report.values()]
    kept = later_votes(con, asked.review, list(by_report), stage)
    acts.reopen(con, asked.review, reopenings, asked.author, cause, asked.now)
    versions.ask(con, asked.review, trigger, asked.now)
    undo = {
        "reopenings": [reopening.id for reopening in reopenings],
        "records": list(by_report.values()),
    }
    return Done(kept, undo, {"reopened": len(reopenings)})


def undo_reopening(con: Connection, act: LoggedAct, asked: Asked) -> tuple[str, ...]:
    ids: list[str] = list(act.undo["reopenings"])
    free = acts.untouched(con, ids)
    if not free:
        raise Refused(
            "all of these reports have been decided on again since, so there is nothing to take back"
        )
    review = act.reviews[0]
    acts.cancel(con, review, free, act.id, asked.now)
    standings.refresh(con, act.undo["records"])
    versions.ask(con, review, "a reopening was taken back", asked.now)
    left = len(ids) - len(free)
    if not left:
        return ()
    return (
        f"{left:,} of {len(ids):,} reports stay as they are: somebody has decided on them since.",
    )


def reopen_task(con: Connection, asked: Asked) -> Done:
    id = asked.value("task")
    task = next((task for task in raised.of(con, asked.review) if task.id == id), None)
    if task is None:
        raise Refused("this task is settled already or was never raised; reload the page")
    if task.kind == "tip" or not task.record_id:
        raise Refused("a tip opens no report again; settle it on the overview")
    raised.end(con, id, "reopened", asked.author, asked.reason or None, asked.now)
    words = tasks.WORDS[task.kind]
    trigger = f"a report that {words} is being looked at again"
    done = _reopen(con, asked, [task.record_id], "full_text", f"it {words}", trigger)
    kept = {"id": id, "record": task.record_id, "kind": task.kind, "data": dict(task.data)}
    return replace(done, undo={**done.undo, "task": kept})


def undo_task(con: Connection, act: LoggedAct, asked: Asked) -> tuple[str, ...]:
    """As for any reopening; the task waits again, under another id, as the old one has ended."""
    lines = undo_reopening(con, act, asked)
    task = act.undo["task"]
    again = raised.Task(
        f"{task['id']}/{act.id}", act.reviews[0], task["record"], task["kind"], task["data"]
    )
    raised.append(con, [again], asked.now)
    return lines


def regroup(con: Connection, asked: Asked) -> Done:
    record, study = asked.value("record"), asked.given.get("study") or None
    before = evidence.linked_records(con, asked.review, record)
    done = evidence.group_in(con, asked.id, asked.review, record, study, asked.author, asked.now)
    events = {member: event for event, member in done["events"].items()}
    undo = {
        "links": {
            member: [before.get(member, ("", ""))[0], event] for member, event in events.items()
        }
    }
    was = sorted({where for where, _ in before.values() if where})
    lines = [
        f"The report is {'part of ' + study if study else 'in no study'}; before: {', '.join(was) or 'none'}."
    ]
    left = studies.reports_of(con, asked.review)
    lines += [
        f"{where} has no report left, and leaves the page; its extraction is kept."
        for where in was
        if where not in left
    ]
    return Done(tuple(lines), undo, {"record": done["record"], "study": study})


def undo_regrouping(con: Connection, act: LoggedAct, asked: Asked) -> tuple[str, ...]:
    links: dict[str, list[str]] = act.undo["links"]
    review = act.reviews[0]
    now = studies.links(con, review, list(links))
    if any(now.get(record, ("", ""))[1] != event for record, (_, event) in links.items()):
        raise Refused("this report has been put elsewhere since, so there is nothing to take back")
    by_study: dict[str, list[tuple[str, str]]] = {}
    for record, (study, _) in links.items():
        by_study.setdefault(study, []).append((f"{asked.id}/{record}", record))
    for study, events in by_study.items():
        studies.link(con, review, study, events, asked.author, asked.now)
    versions.ask(con, review, "a regrouping was taken back", asked.now)
    return ()


def concerns_pair(con: Connection, asked: Asked) -> list[str]:
    """The reviews that both records are in, of those that whoever asks may enter."""
    sides = [
        set(records.reviews_of(con, [asked.given.get(side, "")])) for side in ("left", "right")
    ]
    return sorted(review for review in sides[0] & sides[1] if asked.by.enters(review)) or [
        asked.review
    ]


def judge(con: Connection, asked: Asked) -> Done:
    left, right = sorted((asked.value("left"), asked.value("right")))
    before = matches.last_word(con, left, right)
    done = pairs.judge_in(
        con,
        asked.id,
        left,
        right,
        asked.value("verdict"),
        asked.author,
        asked.now,
        asked.given.get("link", ""),
    )
    undo = {
        "left": left,
        "right": right,
        "before": before.verdict if before else "withdrawn",
        "link": (before.kind if before else None) or "",
    }
    return Done((), undo, done)


def undo_judgement(con: Connection, act: LoggedAct, asked: Asked) -> tuple[str, ...]:
    left, right = str(act.undo["left"]), str(act.undo["right"])
    last = matches.last_word(con, left, right)
    if last is None or last.id != act.id:
        raise Refused("somebody has judged this pair again since, so there is nothing to take back")
    before = str(act.undo["before"])
    link = str(act.undo.get("link", ""))  # acts of older versions do not say it
    pairs.judge_in(con, asked.id, left, right, before, asked.author, asked.now, link)
    return ()


def take_back_word(con: Connection, asked: Asked) -> Done:
    """Take back a person's word (`reviewer`) on a report that the team has settled."""
    record, stage, reviewer = asked.value("record"), asked.value("stage"), asked.value("reviewer")
    role = asked.given.get("role") or "vote"
    report = records.report_of(con, [record]).get(record, record)
    whose = (stage, reviewer, role)
    given = decisions.on_report(con, asked.review, report)
    theirs = [word for word in given if (word["stage"], word["reviewer"], word["role"]) == whose]
    if not theirs:
        raise Refused(f"{reviewer} has no word in force on this report at this stage any more")
    kept = later_votes(con, asked.review, [report], stage)
    back = Decision(
        asked.id,
        asked.review,
        theirs[-1]["record_id"],
        0,
        stage,
        reviewer,
        role,
        "withdrawn",
        None,
        None,
        (),
        "",
    )
    screen.decide_in(con, back, screen.How(), asked.now)
    own = theirs[-1]["record_id"]
    events = {
        word["id"]: asked.id if word["record_id"] == own else f"{asked.id}/{word['record_id']}"
        for word in theirs
    }
    return Done(
        (f"The decision of {reviewer} is taken back.", *kept), {"words": events}, {"record": own}
    )


def undo_taking_back(con: Connection, act: LoggedAct, asked: Asked) -> tuple[str, ...]:
    words: dict[str, str] = act.undo["words"]
    returns = [decisions.Return(word, back, f"{asked.id}/{word}") for word, back in words.items()]
    if not decisions.bring_back(con, returns, asked.now):
        raise Refused(
            "the report has been decided on again since, so there is nothing to take back"
        )
    versions.ask(con, act.reviews[0], "a decision counts again", asked.now)
    return ()
