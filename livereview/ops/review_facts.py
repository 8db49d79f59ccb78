"""What the overview of a review rests on, asked for many reviews at once.

`livereview status`, the lead's page and the digests all judge the same facts. The number of
questions to the database does not depend on how many reviews there are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from livereview.ops import assistant, evidence, nights, retrieval, tasks
from livereview.ops.nights import History
from livereview.ops.protocols import with_statuses
from livereview.review import Review
from livereview.store import assistant as stored_assistant
from livereview.store import decisions, ledger, ranks, versions
from livereview.store import evidence as extractions
from livereview.store import tasks as stored_tasks
from livereview.store.open import Connection
from livereview.store.ranks import Drifted
from livereview.store.retrieval import Entry
from livereview.store.tasks import Checked
from livereview.store.versions import Built, Head
from livereview.surveillance.health import Attempt


@dataclass(frozen=True)
class ReviewFacts:
    """What is known of one review.

    Attributes:
        rules: The protocol in force, with the status that holds.
        attempts: The ledger: the last attempts of each search, oldest first.
        history: What was in force and what went wrong in its nights.
        tasks: The open tasks in words, oldest first.
        included: The included reports, and when a source was last asked about each.
        found_by: For each included report, the names of the searches that found it.
        flow: The boxes of the flow diagram.
        conflicts: On how many reports reviewers differ.
        to_retrieve: The list of reports to be retrieved, oldest first.
        extractions: The extraction in force of each study, as JSON text.
        newest: The newest version; None before the first.
        built: How the last builds went.
        behind: Whether something waits to be built.
        opened: Whether a lead opened it to the public.
        drifted: Whether its new records still look like those that its ranking knows.
        assistant: What was wrong with the last questions to its language model, newest first.
    """

    rules: Review
    attempts: Mapping[str, Sequence[Attempt]]
    history: History
    tasks: Sequence[Mapping[str, Any]]
    included: Sequence[Checked]
    found_by: Sequence[frozenset[str]]
    flow: Mapping[str, int]
    conflicts: int
    to_retrieve: Sequence[Entry]
    extractions: Mapping[str, str]
    newest: Head | None
    built: Built
    behind: bool
    opened: bool
    assistant: Sequence[str | None]
    drifted: Drifted | None

    @cached_property
    def questions(self) -> list[dict[str, Any]]:
        """What people must say before a result can be used, as `evidence.questions`."""
        return evidence.questions_in(self.extractions, self.rules)


def review_facts(
    con: Connection, reviews: Sequence[Review], now: datetime
) -> dict[str, ReviewFacts]:
    """The facts of each of these reviews, by its id and in their order."""
    ids = [review.id for review in reviews]
    attempts = ledger.attempts_of(con, ids)
    histories = nights.histories(con, ids)
    open_tasks = tasks.open_tasks(con, ids)
    included = stored_tasks.included(con, ids, now)
    found_by = ledger.found_by_of(con, ids)
    flow = decisions.counts_of(con, ids)
    conflicts = decisions.conflict_counts(con, ids)
    lists = retrieval.lists(con, reviews)
    forms = extractions.extractions_of(con, ids)
    heads = versions.heads(con, ids)
    built = versions.built(con, ids)
    behind = versions.asked(con)
    opened = versions.opened(con, ids)
    drifted = ranks.drifted(con, ids)
    asked = stored_assistant.last(con, ids, assistant.SILENT)
    return {
        rules.id: ReviewFacts(
            rules=rules,
            attempts=attempts[rules.id],
            history=histories[rules.id],
            tasks=open_tasks[rules.id],
            included=included[rules.id],
            found_by=found_by[rules.id],
            flow=flow[rules.id],
            conflicts=conflicts[rules.id],
            to_retrieve=lists[rules.id],
            extractions=forms[rules.id],
            newest=heads.get(rules.id),
            built=built[rules.id],
            behind=rules.id in behind,
            opened=rules.id in opened,
            assistant=asked[rules.id],
            drifted=drifted[rules.id],
        )
        for rules in with_statuses(con, reviews)
    }
