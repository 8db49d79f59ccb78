"""The acts that can undo others' work, by name.

`ops.acts` previews, logs and takes them back. Each is done within a transaction of the writer, so
that a preview can do it and roll it back.
"""

from __future__ import annotations

from livereview import rights
from livereview.ops import acts_on_imports as imports
from livereview.ops import acts_on_pages as pages
from livereview.ops import acts_on_people as people
from livereview.ops import acts_on_reports as reports
from livereview.ops import acts_on_rules as rules
from livereview.ops.act_types import Kind

KINDS: dict[str, Kind] = {
    "decide_again": Kind(
        "Have decisions of criteria {version} made again",
        reports.decide_again,
        reports.undo_reopening,
    ),
    "look_again": Kind("Have a report decided again", reports.look_again, reports.undo_reopening),
    "reopen_chosen": Kind(
        "Have chosen reports decided again", reports.reopen_chosen, reports.undo_reopening
    ),
    "reopen_task": Kind("Have a report decided again", reports.reopen_task, reports.undo_task),
    "close_account": Kind(
        "Close the account {name}",
        people.close_account,
        people.undo_account,
        concerns=people.concerns_person,
    ),
    "open_account": Kind(
        "Open or change the account {name}",
        people.open_account,
        people.undo_account,
        concerns=people.concerns_person,
    ),
    "withdraw": Kind(
        "Withdraw version {version}",
        pages.withdraw_version,
        pages.undo_withdrawal,
        needs_reason=True,
        moves_reports=False,
    ),
    "close_vote": Kind(
        "Close the vote and count", pages.close_vote, pages.undo_vote_count, moves_reports=False
    ),
    "stop_reading": Kind("Stop reading", pages.stop_reading, pages.undo_stop),
    "protocol": Kind("Put a protocol in force", pages.put_in_force, pages.undo_protocol),
    "regroup": Kind(
        "Change the study of a report", reports.regroup, reports.undo_regrouping, rights.EXTRACT
    ),
    "judge": Kind(
        "Say that two records are {verdict}",
        reports.judge,
        reports.undo_judgement,
        rights.TAKE_PART,
        concerns=reports.concerns_pair,
    ),
    "judge_again": Kind(
        "Judge all pairs of records again",
        rules.judge_again,
        rules.undo_judging_again,
        rights.MAKE_REVIEW,
        look=rules.look,
        concerns=rules.concerns,
        is_long=True,
    ),
    "take_back_import": Kind("Take back {name}", imports.take_back, imports.undo_taking_back),
    "take_back_word": Kind(
        "Take back the decision of {reviewer}", reports.take_back_word, reports.undo_taking_back
    ),
}
