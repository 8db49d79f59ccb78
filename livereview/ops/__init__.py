"""The use cases: each reads, asks the core, and writes, in one transaction.

`run` calls one by name with plain data, which is how flows, the command line and other processes
reach the owner.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from inspect import signature
from pathlib import Path
from typing import Any

from livereview.disk import full, is_full
from livereview.errors import Refused
from livereview.ops import (
    acts,
    as_of,
    backup,
    brought,
    door,
    drafts,
    dropped,
    evidence,
    exchange,
    follow,
    full_text,
    impact,
    nights,
    notices,
    principals,
    protocol_drafts,
    publish,
    quotes,
    ranking,
    readiness,
    recheck,
    rejudge,
    retirement,
    retrieval,
    screen,
    status,
    stopping,
    surveil,
    tasks,
    team,
    tips,
    withdraw,
)
from livereview.ops import arguments as plain
from livereview.store.open import Store

Answer = dict[str, Any]
__all__ = [
    "OPS",
    "Answer",
    "acts",
    "backup",
    "brought",
    "door",
    "drafts",
    "dropped",
    "evidence",
    "exchange",
    "follow",
    "full_text",
    "impact",
    "nights",
    "notices",
    "principals",
    "protocol_drafts",
    "publish",
    "quotes",
    "ranking",
    "readiness",
    "recheck",
    "retirement",
    "retrieval",
    "run",
    "screen",
    "status",
    "stopping",
    "surveil",
    "tasks",
    "team",
    "tips",
    "withdraw",
]


OPS: dict[str, Callable[..., Answer]] = {
    "register": surveil.register,
    "protocol": surveil.text_of,
    "begin": surveil.begin,
    "ingest": surveil.ingest,
    "finish": surveil.finish,
    "import_file": surveil.import_file,
    "due": recheck.due,
    "begin_lookup": recheck.begin_lookup,
    "checked": recheck.checked,
    "settle_task": tasks.settle_task,
    "settle_tip": tips.settle_tip,
    "decide": screen.decide,
    "take_decision": exchange.take_decision,
    "judge": screen.judge,
    "explain": screen.explain,
    "find_record": screen.find_record,
    "rerank": ranking.rerank,
    "why": ranking.why,
    "stop_reading": stopping.stop,
    "read_on": stopping.read_on,
    "draw_audit": stopping.draw,
    "retirement": retirement.monitor,
    "propose_retirement": retirement.propose,
    "vote_retirement": retirement.vote,
    "close_retirement": retirement.close,
    "extract": evidence.extract,
    "rate": evidence.rate,
    "group": evidence.group,
    "preview": impact.preview,
    "without": impact.without,
    "read_sheet": evidence.read_sheet,
    "publish": publish.publish,
    "sign_off": publish.sign,
    "open_review": publish.open_review,
    "as_of": as_of.as_of,
    "withdraw": withdraw.withdraw,
    "take_back": withdraw.take_back,
    "settle_outbox": publish.settle_outbox,
    "status": status.status,
    "ledger": status.ledger_of,
    "readiness": readiness.readiness,
    "schedule": nights.schedule,
    "may_begin": nights.may_begin,
    "renew": nights.renew,
    "end_run": nights.end_run,
    "lose_night": nights.lose_night,
    "note_night": nights.note_night,
    "sign_of_life": nights.sign_of_life,
    "add_account": team.add_account,
    "close_account": team.close_account,
    "add_token": team.add_token,
    "revoke_token": team.revoke_token,
    "tokens": team.tokens,
    "preview_act": acts.preview,
    "act": acts.carry_out,
    "take_back_act": acts.take_back,
    "acts": acts.listing,
    "ask_for_act": acts.ask,
    "decline_act": acts.decline,
    "digests": notices.digests,
    "note_digests": notices.note_digests,
    "due_webhooks": notices.due_webhooks,
    "note_delivery": notices.note_delivery,
    "backup": backup.backup,
    "follow": follow.follow,
    "rebuild": rejudge.rebuild,
}


NEED_FOLDER = (
    "act",
    "take_back_act",
    "publish",
    "settle_outbox",
    "as_of",
    "withdraw",
    "take_back",
    "status",
    "digests",
    "readiness",
)
NEW_QUOTES = ("extract", "group")  # after which a study may have other quotes, or other files
# before which quotes are looked up again that an older rule looked up
SHOWS_QUOTES = ("publish",)


def run(store: Store, folder: Path, name: str, arguments: Answer) -> Answer:
    """Carry out the use case `name`; `arguments` are plain JSON data, times as ISO text, bytes as
    {"base64": …}.

    The answer is plain JSON data too.
    `now` defaults to the clock; `folder` is where sites are published, never the caller's to say.
    """
    if name not in OPS:
        raise Refused(f"unknown operation {name!r}; choose one of {', '.join(OPS)}")
    use_case = OPS[name]
    ready = {key: plain.value(key, value) for key, value in arguments.items() if key != "folder"}
    ready["now"] = plain.time("now", ready["now"]) if ready.get("now") else datetime.now(UTC)
    if isinstance(ready.get("moment"), str):
        ready["moment"] = plain.time("moment", ready["moment"])
    if name in NEED_FOLDER:
        ready["folder"] = folder
    try:
        signature(use_case).bind(store, **ready)
    except TypeError as error:
        raise Refused(f"{name}: {error}") from None
    plain.check(name, use_case, ready)
    full_texts = folder.parent / full_text.FOLDER
    try:
        if name in SHOWS_QUOTES:
            quotes.look_up(store, full_texts, review=ready["review"], now=ready["now"])
        answer: Answer = json.loads(json.dumps(use_case(store, **ready), default=_text))
        if name in NEW_QUOTES:
            quotes.look_up(store, full_texts, review=ready["review"], now=ready["now"])
    except OSError as error:
        if is_full(error):
            raise full(error) from error
        raise
    return answer


def _text(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
