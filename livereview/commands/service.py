"""Commands of the service itself: what is told to whom, and copies of everything."""

from __future__ import annotations

from collections.abc import Sequence

from livereview import rights
from livereview.commands.base import Answer, Command, Nothing

# Notices


class Mail(Answer):
    """A message for a person."""

    name: str
    email: str | None
    """null: none is known."""
    subject: str
    text: str
    html: str


class Digests(Answer):
    """The messages, and everybody who is told something or has nothing to be told."""

    digests: Sequence[Mail]
    people: Sequence[str]


class MakeDigests(Command[Digests]):
    """The message for each open account for which something waits or has happened."""

    operation = "digests"
    # they hold everybody's mail address
    needs = rights.RUN_FLOWS_FOR_ALL

    base_url: str
    """Where the room is, for links."""
    person: str | None = None
    """Only this one; null: everybody."""
    always: bool = False
    """Also where there is nothing to tell."""


class NoteDigests(Command[Nothing]):
    """Write down that these people were told all that had ended by then."""

    operation = "note_digests"
    needs = rights.RUN_FLOWS_FOR_ALL

    people: Sequence[str]


class DueWebhook(Answer):
    """An event that is to be posted."""

    review: str
    version: int
    about: str | None
    """The act that it tells of; null: the newest version."""
    url: str
    attempt: int
    """From 1."""
    event: str
    body: str


class DueWebhooks(Answer):
    """What is to be posted now."""

    due: Sequence[DueWebhook]


class FindDueWebhooks(Command[DueWebhooks]):
    """The events that receivers have not heard of."""

    operation = "due_webhooks"
    needs = rights.RUN_FLOWS_FOR_ALL


class NoteDelivery(Command[Nothing]):
    """Log an attempt to deliver an event."""

    operation = "note_delivery"
    needs = rights.RUN_FLOWS

    review: str
    version: int
    url: str
    attempt: int
    outcome: str
    """ok, retry or gone."""
    about: str | None = None
    status: int | None = None
    """The HTTP status; null: there was no answer."""
    error: str | None = None
    seconds: float | None = None


# Copies


class BackedUp(Answer):
    """A whole copy."""

    place: str
    name: str
    seq: int
    """The number of the last event in it."""
    decisions: int
    bytes: int
    """Of the database."""
    files: int
    missing: Sequence[str]
    """What is not in it, in words."""
    removed: Sequence[str]
    """Old copies that were removed."""
    same_disk: bool


class Backup(Command[BackedUp]):
    """Make a whole copy while everything goes on."""

    operation = "backup"

    target: str | None = None
    """A folder or address; null: the home's folder `backups`."""
    name: str | None = None
    """Of the copy; null: the time."""
    keep: int | None = None
    """Afterwards only so many of the newest copies stay; null: all."""


class Shipped(Answer):
    """What was shipped to a place."""

    place: str
    seq: int
    rows: int
    whole: bool
    """It was a whole copy."""


class Follow(Command[Shipped]):
    """Ship what came since the last time."""

    operation = "follow"

    target: str
    keep: int = 30
    """So many whole copies stay."""
