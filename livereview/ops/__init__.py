"""The use cases: each reads, asks the core, and writes, in one transaction.

`run` carries out a command of `livereview.commands` by the use case that has it, which is how
flows, the command line and other processes reach the owner.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from livereview import commands
from livereview.commands.base import AnswerT, Command
from livereview.commands.wire import decode_answer
from livereview.disk import full, is_full
from livereview.ops import (
    acts,
    as_of,
    assistant,
    backup,
    brought,
    coding,
    consultation,
    door,
    drafts,
    dropped,
    evidence,
    exchange,
    extraction_checks,
    follow,
    full_text,
    impact,
    nights,
    notices,
    open_copies,
    opinions,
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
from livereview.store.open import Store

__all__ = [
    "USE_CASES",
    "acts",
    "assistant",
    "backup",
    "brought",
    "coding",
    "consultation",
    "door",
    "drafts",
    "dropped",
    "evidence",
    "exchange",
    "extraction_checks",
    "follow",
    "full_text",
    "impact",
    "nights",
    "notices",
    "opinions",
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

# what carries out each command: its fields go on by name
USE_CASES: Mapping[type[Command[Any]], Callable[..., dict[str, Any]]] = {
    commands.Register: surveil.register,
    commands.ReadProtocol: surveil.text_of,
    commands.Begin: surveil.begin,
    commands.Ingest: surveil.ingest,
    commands.Finish: surveil.finish,
    commands.ImportFile: surveil.import_file,
    commands.FindDue: recheck.due,
    commands.BeginLookup: recheck.begin_lookup,
    commands.MarkChecked: recheck.checked,
    commands.FindWantedCopies: open_copies.wanted,
    commands.TakeOpenCopy: open_copies.take,
    commands.FindAssistantQuestions: assistant.wanted,
    commands.TakeAssistantAnswer: assistant.take,
    commands.SettleTask: tasks.settle_task,
    commands.SettleTip: tips.settle_tip,
    commands.Decide: screen.decide,
    commands.TakeDecision: exchange.take_decision,
    commands.Judge: screen.judge,
    commands.ExplainPair: screen.explain,
    commands.FindRecord: screen.find_record,
    commands.Rerank: ranking.rerank,
    commands.ExplainRank: ranking.why,
    commands.StopReading: stopping.stop,
    commands.ReadOn: stopping.read_on,
    commands.DrawAudit: stopping.draw,
    commands.ReadRetirement: retirement.monitor,
    commands.ProposeRetirement: retirement.propose,
    commands.VoteRetirement: retirement.vote,
    commands.CloseRetirement: retirement.close,
    commands.Extract: evidence.extract,
    commands.Code: coding.code,
    commands.Rate: evidence.rate,
    commands.Group: evidence.group,
    commands.PreviewForm: impact.preview,
    commands.PreviewWithout: impact.without,
    commands.ReadSheet: evidence.read_sheet,
    commands.Publish: publish.publish,
    commands.SignOff: publish.sign,
    commands.OpenReview: publish.open_review,
    commands.PublishAsOf: as_of.as_of,
    commands.Withdraw: withdraw.withdraw,
    commands.Reinstate: withdraw.take_back,
    commands.SettleOutbox: publish.settle_outbox,
    commands.ReadStatus: status.status,
    commands.ReadLedger: status.ledger_of,
    commands.CheckReadiness: readiness.readiness,
    commands.ReadSchedule: nights.schedule,
    commands.CheckMayBegin: nights.may_begin,
    commands.Renew: nights.renew,
    commands.EndRun: nights.end_run,
    commands.LoseNight: nights.lose_night,
    commands.NoteNight: nights.note_night,
    commands.NoteSignOfLife: nights.sign_of_life,
    commands.AddAccount: team.add_account,
    commands.CloseAccount: team.close_account,
    commands.AddToken: team.add_token,
    commands.RevokeToken: team.revoke_token,
    commands.ListTokens: team.tokens,
    commands.PreviewAct: acts.preview,
    commands.CarryOut: acts.carry_out,
    commands.TakeBackAct: acts.take_back,
    commands.ListActs: acts.listing,
    commands.AskForAct: acts.ask,
    commands.DeclineAct: acts.decline,
    commands.MakeDigests: notices.digests,
    commands.NoteDigests: notices.note_digests,
    commands.FindDueWebhooks: notices.due_webhooks,
    commands.NoteDelivery: notices.note_delivery,
    commands.Backup: backup.backup,
    commands.Follow: follow.follow,
    commands.Rebuild: rejudge.rebuild,
}

# those that read or write the published sites
NEED_FOLDER = frozenset(
    {
        commands.CarryOut,
        commands.TakeBackAct,
        commands.Publish,
        commands.SettleOutbox,
        commands.PublishAsOf,
        commands.Withdraw,
        commands.Reinstate,
        commands.ReadStatus,
        commands.MakeDigests,
        commands.CheckReadiness,
        commands.TakeOpenCopy,
    }
)

# after which a study may have other quotes, or other files
NEW_QUOTES = (commands.Extract, commands.Group)


def run(store: Store, folder: Path, command: Command[AnswerT]) -> AnswerT:
    """Carry out a command.

    Args:
        folder: Where sites are published.
    """
    now = command.now or datetime.now(UTC)
    try:
        if isinstance(command, commands.Publish):  # an older rule may have looked its quotes up
            _look_up_quotes(store, folder, command.review, now)
        answered = _carry_out(store, folder, command, now)
        if isinstance(command, NEW_QUOTES):
            _look_up_quotes(store, folder, command.review, now)
    except OSError as error:
        if is_full(error):
            raise full(error) from error
        raise
    return decode_answer(command, answered)


def _carry_out(store: Store, folder: Path, command: Command[Any], now: datetime) -> Any:
    """The answer as plain JSON data, in this process as elsewhere."""
    use_case = USE_CASES[type(command)]
    terms: dict[str, Any] = {**command.fields(), "now": now}
    if type(command) in NEED_FOLDER:
        terms["folder"] = folder
    return json.loads(json.dumps(use_case(store, **terms), default=_text))


def _look_up_quotes(store: Store, folder: Path, review: str, now: datetime) -> None:
    quotes.look_up(store, folder.parent / full_text.FOLDER, review=review, now=now)


def _text(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value)
