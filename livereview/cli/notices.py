"""Commands that tell people and other sites."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from livereview.cli.console import err, out
from livereview.cli.terminal import Home, app, settings_of, told
from livereview.client import Session
from livereview.commands import MakeDigests, NoteDigests
from livereview.errors import Refused

if TYPE_CHECKING:
    from livereview.notices.send import Delivery


@app.command()
def digest(
    to: Annotated[str | None, typer.Option(help="Only this account.")] = None,
    send: Annotated[bool, typer.Option(help="Mail them; without it they are printed.")] = False,
    always: Annotated[
        bool, typer.Option(help="Also where nothing waits and nothing happened.")
    ] = False,
    home: Home = None,
) -> None:
    """What waits for each person, and for leads the night.  Example: livereview digest --send"""
    from livereview.notices.post import mail

    with told():
        chosen, now = settings_of(home), datetime.now(UTC)
        with Session(chosen) as client:
            url = chosen.url or "http://127.0.0.1:8000"
            answer = client.run(MakeDigests(base_url=url, now=now, person=to, always=always))
            digests = answer.digests
        if send and not (chosen.smtp and chosen.sender and chosen.url):
            raise Refused(
                "set LIVEREVIEW_SMTP, LIVEREVIEW_MAIL_FROM and LIVEREVIEW_URL to send mail"
            )
        if not send:
            for message in digests:
                address = message.email or "no address"
                _print(f"To: {message.name} <{address}>")
                _print(f"Subject: {message.subject}\n\n{message.text}")
            if not digests:
                out.print("nothing waits for anybody, and nothing happened")
            return
        done = mail(digests, chosen.smtp, chosen.sender, now)
        failed = {name for name, why in done if why}
        told_now = [name for name in answer.people if name not in failed]
        with Session(chosen) as client:
            client.run(NoteDigests(people=told_now, now=now))
    for name, why in done:
        (err if why else out).print(f"{name}: {why or 'sent'}", markup=False, soft_wrap=True)
    if any(why for _, why in done):
        raise typer.Exit(1)


def _print(text: str) -> None:
    out.print(text, markup=False, soft_wrap=True)


@app.command()
def notify(
    test: Annotated[
        str | None,
        typer.Option(help="Send this address a signed test event, and say what it answers."),
    ] = None,
    home: Home = None,
) -> None:
    """Tell the webhooks of review.toml of new versions.

    What fails is tried again.  Example: livereview notify
    """
    from livereview.notices.post import deliver, try_out

    with told():
        chosen = settings_of(home)
        if not chosen.webhook_secret:
            raise Refused("set LIVEREVIEW_WEBHOOK_SECRET: events are signed with it")
        now, permitted = datetime.now(UTC), chosen.webhook_hosts
        if test is not None:
            _tried(try_out(test, chosen.webhook_secret, now, permitted=permitted))
            return
        with Session(chosen) as client:
            done = deliver(client, chosen.webhook_secret, now, permitted=permitted)
    for url, outcome, error in done:
        out.print(f"{url}: {outcome}{f', {error}' if error else ''}", markup=False, soft_wrap=True)
    if not done:
        out.print("nothing to tell")


def _tried(delivery: Delivery) -> None:
    """What became of a test event; exit status 1 where it did not arrive."""
    if delivery.outcome == "ok":
        out.print(f"it arrived: answer {delivery.status} after {delivery.seconds:.1f} s")
        return
    _print(f"it did not arrive: {delivery.error or f'answer {delivery.status}'}")
    raise typer.Exit(1)


@app.command()
def alert(
    words: Annotated[str, typer.Argument(help="What has happened, in a sentence.")],
    home: Home = None,
) -> None:
    """Tell who hears of alarms this sentence, now.  Example: livereview alert "this is a test"

    By LIVEREVIEW_ALERT_MAIL and LIVEREVIEW_ALERT_WEBHOOK. Needs neither an owner nor a database, so
    that systemd can say that the owner is gone.
    """
    from livereview import alerts

    with told():
        chosen = settings_of(home)
        names = [receiver.name for receiver in alerts.receivers(chosen)]
        if not names:
            raise Refused("nobody is named: set LIVEREVIEW_ALERT_MAIL or LIVEREVIEW_ALERT_WEBHOOK")
        problems = alerts.tell_now(chosen, words)
    for problem in problems:
        err.print(problem, markup=False, soft_wrap=True)
    if problems:
        raise typer.Exit(1)
    out.print(f"told: {', '.join(names)}", markup=False, soft_wrap=True)
