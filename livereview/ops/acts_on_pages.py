"""Acts on what is published: a version withdrawn, a review retired, the reading stopped, a protocol
in force.
"""

from __future__ import annotations

from livereview import review_toml
from livereview.errors import Refused
from livereview.ops import effects, retirement, stopping, withdraw
from livereview.ops.act_types import Asked, Done
from livereview.ops.protocols import parsed, protocol
from livereview.store import acts, evidence, searches, versions, withdrawals
from livereview.store import stopping as stops
from livereview.store.acts import LoggedAct
from livereview.store.open import Connection
from livereview.store.withdrawals import Act as Withdrawal


def withdraw_version(con: Connection, asked: Asked) -> Done:
    number = int(asked.value("version")) if asked.value("version").isdigit() else 0
    act = Withdrawal(asked.id, number, True, asked.author, asked.reason, asked.now)
    withdraw.apply(con, asked.review, act, f"version {number} was withdrawn")
    newest = versions.newest(con, asked.review)
    lines = [
        f"The page of version {number} is replaced by a notice with the reason, which readers see."
    ]
    if newest and newest.number == number:
        lines.append(
            "It is the newest: the address of the latest page shows the notice too, until new evidence."
        )
    return Done(tuple(lines), {"version": number}, {"version": number})


def undo_withdrawal(con: Connection, act: LoggedAct, asked: Asked) -> tuple[str, ...]:
    number, review = int(act.undo["version"]), act.reviews[0]
    holds = withdrawals.in_force(con, review).get(number)
    if holds is None or holds.id != act.id:
        raise Refused(
            f"version {number} is not withdrawn by this act any more, so there is nothing to take back"
        )
    reason = asked.reason or "the withdrawal was taken back"
    back = Withdrawal(asked.id, number, False, asked.author, reason, asked.now)
    withdraw.apply(con, review, back, f"the withdrawal of version {number} was taken back")
    return ()


def close_vote(con: Connection, asked: Asked) -> Done:
    proposal = asked.given.get("proposal") or None
    done = retirement.close_in(con, asked.id, asked.review, asked.author, asked.now, proposal)
    if not done["carried"]:
        return Done(
            ("The vote is counted, and is not carried: nothing else changes.",),
            {"outcome": asked.id},
            done,
        )
    what = {
        "retire": "The vote is carried: the review is retired. Its page says so; nothing is searched any more.",
        "revive": "The vote is carried: the review comes back, and is searched again.",
    }
    return Done((what[done["kind"]],), {"outcome": asked.id}, done)


def undo_vote_count(con: Connection, act: LoggedAct, asked: Asked) -> tuple[str, ...]:
    review = act.reviews[0]
    if not retirement.is_last_outcome(con, review, str(act.undo["outcome"])):
        raise Refused(
            "another vote has been moved or closed since, so this one can't be taken back"
        )
    acts.cancel(con, review, [str(act.undo["outcome"])], act.id, asked.now)
    versions.ask(con, review, "the end of a vote on retiring was taken back", asked.now)
    return ("The vote is open again, with the votes that were cast.",)


def stop_reading(con: Connection, asked: Asked) -> Done:
    done = stopping.stop_in(
        con, asked.id, asked.review, asked.author, asked.now, asked.reason or None
    )
    unread = effects.stopped_reading(con, asked.review)
    noun = "report" if unread == 1 else "reports"
    lines = (f"{unread:,} {noun} left unread; the public page says so.",)
    return Done(lines, {"stop": asked.id}, done)


def undo_stop(con: Connection, act: LoggedAct, asked: Asked) -> tuple[str, ...]:
    review = act.reviews[0]
    holds = stops.in_force(con, review)
    if holds is None or holds.id != act.id:
        raise Refused("this stop does not hold any more, so there is nothing to take back")
    stopping.read_on_in(con, asked.id, review, asked.author, asked.now)
    return ()


def put_in_force(con: Connection, asked: Asked) -> Done:
    rules = parsed(asked.value("text"))
    if rules.id != asked.review:
        raise Refused(f"this is the protocol of {rules.id}, not of {asked.review}")
    before = searches.protocol_text(con, asked.review)
    if before == rules.text:
        raise Refused("this protocol is in force already")
    compared_with = asked.given.get("before")
    if compared_with and protocol(con, asked.review).hash != compared_with:
        raise Refused("another protocol has come into force since; compare again with that one")
    review_toml.check_cited(rules, evidence.reports_of(con, asked.review))
    searches.save_protocol(con, rules, asked.now)
    versions.ask(con, asked.review, "the protocol changed", asked.now)
    lines = ("This text of review.toml is in force.",)
    return Done(lines, {"before": before, "after": rules.hash}, {"hash": rules.hash})


def undo_protocol(con: Connection, act: LoggedAct, asked: Asked) -> tuple[str, ...]:
    review, before = act.reviews[0], act.undo["before"]
    if protocol(con, review).hash != act.undo["after"]:
        raise Refused(
            "another protocol is in force since; put the one that you want in force instead"
        )
    if before is None:
        raise Refused("it was the first protocol of this review, so there is none to go back to")
    searches.save_protocol(con, parsed(before), asked.now)
    versions.ask(con, review, "the protocol changed", asked.now)
    return (
        "Your own review.toml is as it was: mend it too, or the next import puts it in force again.",
    )
