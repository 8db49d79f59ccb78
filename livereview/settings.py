"""The environment, read once at the door and handed on as a frozen value."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from livereview.disk import MB, RESERVE
from livereview.errors import Refused

TRY_AGAIN = (600.0, 3600.0)  # a source's hiccup passes in minutes, its maintenance in an hour
LONGEST_PAUSE = 86_400.0
LOG_LEVELS = ("debug", "info", "warning", "error")

SECRETS = (
    "OPENALEX_API_KEY",
    "NCBI_API_KEY",
    "LIVEREVIEW_MAILTO",
    "LIVEREVIEW_S2_KEY",
    "LIVEREVIEW_CORE_KEY",
    "LIVEREVIEW_SCOPUS_KEY",
    "LIVEREVIEW_SCOPUS_INSTTOKEN",
    "LIVEREVIEW_WOS_STARTER_KEY",
    "LIVEREVIEW_WOS_EXPANDED_KEY",
    "LIVEREVIEW_OPENAIRE_TOKEN",
    "LIVEREVIEW_OSF_TOKEN",
    "LIVEREVIEW_ZENODO_TOKEN",
    "LIVEREVIEW_SMTP",
    "LIVEREVIEW_WEBHOOK_SECRET",
    "LIVEREVIEW_OWNER_TOKEN",
    "LIVEREVIEW_ALERT_WEBHOOK",
    "LIVEREVIEW_PING_URL",
    "LIVEREVIEW_ASSISTANT_KEY",
)


@dataclass(frozen=True, slots=True)
class Price:
    """What a million tokens cost: `read` by the model, and `written` by it."""

    read: float
    written: float
    currency: str


@dataclass(frozen=True, slots=True)
class Setting:
    """One variable of the environment: its name, what it does, and its value where nobody sets it."""

    name: str
    meaning: str
    default: str = ""


DESCRIBED = (  # in the order of docs/reference/settings.md, which is made from it
    Setting(
        "LIVEREVIEW_HOME",
        "Folder of the database and the published sites.",
        "./livereview-data",
    ),
    Setting(
        "LIVEREVIEW_MAILTO",
        "Contact address for Crossref and PubMed, as they ask.",
    ),
    Setting(
        "OPENALEX_API_KEY",
        "OpenAlex wants a (free) key since 2026.",
    ),
    Setting(
        "NCBI_API_KEY",
        "Raises PubMed's limit from 3 to 10 requests a second.",
    ),
    Setting(
        "LIVEREVIEW_S2_KEY",
        "Semantic Scholar answers little without one.",
    ),
    Setting(
        "LIVEREVIEW_CORE_KEY",
        "CORE needs one in practice.",
    ),
    Setting(
        "LIVEREVIEW_SCOPUS_KEY",
        "Your institution's key to Scopus' Search API (dev.elsevier.com); without a subscription "
        "behind it Scopus gives neither abstracts nor all authors.",
    ),
    Setting(
        "LIVEREVIEW_SCOPUS_INSTTOKEN",
        "The institution's token, where Elsevier gave it one for use from outside its network.",
    ),
    Setting(
        "LIVEREVIEW_WOS_STARTER_KEY",
        "A key to Web of Science's Starter API (developer.clarivate.com): no abstracts.",
    ),
    Setting(
        "LIVEREVIEW_WOS_EXPANDED_KEY",
        "A key to Web of Science's Expanded API: whole records.",
    ),
    Setting(
        "LIVEREVIEW_OPENAIRE_TOKEN",
        "Raises OpenAIRE's limit from 60 requests an hour; written `Bearer …`.",
    ),
    Setting(
        "LIVEREVIEW_OSF_TOKEN",
        "Raises OSF's limit; written `Bearer …`.",
    ),
    Setting(
        "LIVEREVIEW_ZENODO_TOKEN",
        "Raises Zenodo's limits.",
    ),
    Setting(
        "LIVEREVIEW_OWNER",
        "Address of the owner, where it is not found by the data folder; https, or this "
        "machine. With it set, no process opens a database file.",
    ),
    Setting(
        "LIVEREVIEW_OWNER_TOKEN",
        "A token for it with the scope `flows`; else, for an owner on this machine, `owner.token` "
        "of the data folder.",
    ),
    Setting(
        "LIVEREVIEW_OWNER_TOKEN_FILE",
        "A file that holds that token, in place of the variable; read at each connection.",
    ),
    Setting(
        "LIVEREVIEW_OWNER_CA",
        "A file of certificates (PEM) to trust for the owner's address, where a centre has a "
        "certificate authority of its own.",
    ),
    Setting(
        "LIVEREVIEW_ANSWERS",
        "Where scheduled nights share answers that several searches ask for: a folder, or an "
        "address that fsspec knows, which all workers reach. Kept for two days.",
        "`answers` in the data folder",
    ),
    Setting(
        "LIVEREVIEW_TRY_AGAIN",
        "Seconds after which searches that failed run again in the same night.",
        "600,3600",
    ),
    Setting(
        "LIVEREVIEW_URL",
        "Where people reach the web app: links in mails, panel links, oEmbed. Without it "
        "no answer names an address: what a request calls this server is never repeated.",
    ),
    Setting(
        "LIVEREVIEW_TRUSTED_PROXIES",
        "Addresses or networks of your proxies, e.g. `127.0.0.1, 172.28.17.1`: their "
        "`X-Forwarded-For` and `-Proto` are believed and nobody else's; then cookies are "
        "`Secure` and `__Host-`, HSTS is sent, and addresses are the visitors' (`deploy/` "
        "sets it). Without it nobody's are.",
    ),
    Setting(
        "LIVEREVIEW_SMTP",
        "Mail server for digests, and for what can't wait for one: "
        "`smtp://user:password@host:587?starttls=1` or `smtps://…`.",
    ),
    Setting(
        "LIVEREVIEW_MAIL_FROM",
        "Sender of digests.",
    ),
    Setting(
        "LIVEREVIEW_WEBHOOK_SECRET",
        "Signs events to webhooks (HMAC-SHA256 of time and body, header `Livereview-Signature: t=…,v1=…`).",
    ),
    Setting(
        "LIVEREVIEW_WEBHOOK_HOSTS",
        "Machines inside your network that webhooks may go to besides public ones, as addresses with "
        "their ports: `10.1.2.3:8443, [fd00::5]:443`. A name in `review.toml` may lead there.",
    ),
    Setting(
        "LIVEREVIEW_ALERT_MAIL",
        "Who hears at once of what can't wait, from `serve` itself: mail addresses with commas "
        "between them; with `LIVEREVIEW_SMTP` and `LIVEREVIEW_MAIL_FROM`.",
    ),
    Setting(
        "LIVEREVIEW_ALERT_WEBHOOK",
        "Where `serve` posts the same as JSON: the operator's own address, such as a chat's.",
    ),
    Setting(
        "LIVEREVIEW_PING_URL",
        "Asked every five minutes while all is well: a service elsewhere that calls somebody when it "
        "hears nothing.",
    ),
    Setting(
        "LIVEREVIEW_ASSISTANT_URL",
        "Where the language model is that gives second opinions, for reviews with an `[assistant]`: an "
        "OpenAI-compatible address such as `https://host/v1`; https, or this machine.",
    ),
    Setting(
        "LIVEREVIEW_ASSISTANT_KEY",
        "The key for it, sent as `Authorization: Bearer …`; a server on this machine may need none.",
    ),
    Setting(
        "LIVEREVIEW_ASSISTANT_PRICE",
        "What it costs for a million tokens read and written, with the currency, such as "
        "`0.15 0.60 USD`: then each answer is kept with its cost.",
    ),
    Setting(
        "LIVEREVIEW_OIDC_ISSUER",
        "The OpenID Connect provider people may sign in through, exactly as it names "
        "itself; with the next two and `LIVEREVIEW_URL` (https), all or none.",
    ),
    Setting(
        "LIVEREVIEW_OIDC_CLIENT_ID",
        "This server's name at that provider.",
    ),
    Setting(
        "LIVEREVIEW_OIDC_CLIENT_SECRET",
        "Its secret there.",
    ),
    Setting(
        "LIVEREVIEW_RESERVE",
        "Room that must stay free on the disk; below it `/readyz` and `status` say so and "
        "what can be done again later stops first: rankings, recordings, new builds, and "
        "at half of it searches.",
        "512MB",
    ),
    Setting(
        "LIVEREVIEW_BACKUP",
        "Where `serve` ships each minute's events: a folder (best of another machine), or "
        "an address that fsspec knows, such as `s3://bucket/folder`.",
    ),
    Setting(
        "LIVEREVIEW_BACKUP_KEEP",
        "Whole copies, one a day, that stay there.",
        "30",
    ),
    Setting(
        "LIVEREVIEW_LOG_FORMAT",
        "How `serve` and `schedule` write their log: `json`, an object a line, or `plain`. Nothing: "
        "plain at a terminal, else JSON.",
    ),
    Setting(
        "LIVEREVIEW_LOG_LEVEL",
        "What their own notes must be at least: `debug`, `info`, `warning` or `error`.",
        "info",
    ),
    Setting(
        "LIVEREVIEW_ACCESS_LOG",
        "`on`: a line for each request, with the template of its address, never the address itself.",
        "off",
    ),
    Setting(
        "LIVEREVIEW_MEMORY",
        "Memory that DuckDB may use.",
        "2GB",
    ),
    Setting(
        "LIVEREVIEW_THREADS",
        "Threads that DuckDB may use.",
        "2",
    ),
)


@dataclass(frozen=True, slots=True)
class OpenId:
    """The OpenID Connect provider that people may sign in through, and as whom this server asks it.

    Attributes:
        issuer: The provider's name for itself, an address (LIVEREVIEW_OIDC_ISSUER); compared letter
            by letter.
        client: This server's name there (LIVEREVIEW_OIDC_CLIENT_ID), and its secret
            (LIVEREVIEW_OIDC_CLIENT_SECRET).
        back: Where the provider sends people back to, made from LIVEREVIEW_URL; the provider must
            know it.
    """

    issuer: str
    client: str
    secret: str = field(repr=False)
    back: str


@dataclass(frozen=True, slots=True)
class Settings:
    """Where things are and what the service may use.

    Attributes:
        home: Folder of the database, the published sites and the owner's token (LIVEREVIEW_HOME,
            ./livereview-data).
        secrets: API keys and the contact address, by name; never printed.
        url: Where people reach the web app (LIVEREVIEW_URL); sender: From of mails
            (LIVEREVIEW_MAIL_FROM).
        reserve: Bytes that must stay free on the disk (LIVEREVIEW_RESERVE, "512MB"): see
            livereview.disk.
        backup: Where `serve` ships each minute's events (LIVEREVIEW_BACKUP): a folder, or an
            address that fsspec knows.
        keep: How many whole copies stay there (LIVEREVIEW_BACKUP_KEEP, 30).
        memory: What DuckDB may use (LIVEREVIEW_MEMORY, "2GB"); threads likewise
            (LIVEREVIEW_THREADS, 2).
        owner: Address of the process that owns the database (LIVEREVIEW_OWNER); with it set no
            database is opened here.
        owner_token_file: File of the secret for it (LIVEREVIEW_OWNER_TOKEN_FILE); owner_ca: file of
            the certificates to trust for it (LIVEREVIEW_OWNER_CA). Each may be empty.
        answers: Where nights share answers (LIVEREVIEW_ANSWERS); "": a folder of the home.
        try_again: Seconds after which searches that failed run again in the same night
            (LIVEREVIEW_TRY_AGAIN, "600,3600").
        oidc: Who else vouches for people; None: they sign in with secrets only.
        alert_mail: Who is told at once of what can't wait (LIVEREVIEW_ALERT_MAIL).
        log_format: How the log is written (LIVEREVIEW_LOG_FORMAT); log_level: from which level on
            (LIVEREVIEW_LOG_LEVEL); access_log: a line for each request (LIVEREVIEW_ACCESS_LOG).
        run: The run that this process belongs to, by Prefect's id; nothing outside of one.
        proxies: Addresses and networks whose X-Forwarded-… are believed
            (LIVEREVIEW_TRUSTED_PROXIES); none: nobody's.
        webhook_hosts: (address, port) of machines that are not public and that webhooks may go to.
        assistant: Where the language model is that gives second opinions
            (LIVEREVIEW_ASSISTANT_URL); price: what it costs (LIVEREVIEW_ASSISTANT_PRICE).
    """

    home: Path
    secrets: Mapping[str, str]
    memory: str = "2GB"
    threads: int = 2
    url: str = ""
    sender: str = ""
    oidc: OpenId | None = None
    owner: str = ""
    owner_token_file: str = ""
    answers: str = field(default="", repr=False)
    owner_ca: str = ""
    try_again: tuple[float, ...] = TRY_AGAIN
    reserve: int = RESERVE
    backup: str = field(default="", repr=False)
    keep: int = 30
    proxies: tuple[str, ...] = ()
    webhook_hosts: frozenset[tuple[str, int]] = frozenset()
    alert_mail: tuple[str, ...] = ()
    log_format: str = ""
    log_level: str = "info"
    access_log: bool = False
    run: str = ""
    assistant: str = ""
    price: Price | None = None

    @property
    def address(self) -> str:
        """Where people reach this server, without a slash at the end; nothing where nobody said.

        What a request calls this server is never used instead: a visitor chooses that.
        """
        return self.url.rstrip("/")

    @property
    def owner_token(self) -> str:
        """The secret for the owner that `owner` names, or nothing."""
        return self.secrets.get("LIVEREVIEW_OWNER_TOKEN", "")

    @property
    def smtp(self) -> str:
        """The mail server, or nothing."""
        return self.secrets.get("LIVEREVIEW_SMTP", "")

    @property
    def webhook_secret(self) -> str:
        """What events are signed with, or nothing."""
        return self.secrets.get("LIVEREVIEW_WEBHOOK_SECRET", "")

    @property
    def alert_webhook(self) -> str:
        """Where alarms are posted, or nothing."""
        return self.secrets.get("LIVEREVIEW_ALERT_WEBHOOK", "")

    @property
    def ping_url(self) -> str:
        """What is asked while all is well, or nothing."""
        return self.secrets.get("LIVEREVIEW_PING_URL", "")

    @property
    def assistant_key(self) -> str:
        """The key for the assistant's server, or nothing."""
        return self.secrets.get("LIVEREVIEW_ASSISTANT_KEY", "")

    @property
    def database(self) -> Path:
        return self.home / "livereview.duckdb"

    @property
    def site(self) -> Path:
        return self.home / "site"

    @property
    def full_texts(self) -> Path:
        """PDFs that reviewers added; never published."""
        return self.home / "full-texts"

    def __repr__(self) -> str:
        return f"Settings(home={str(self.home)!r}, secrets={sorted(self.secrets)})"


def read(environment: Mapping[str, str], home: Path | None = None) -> Settings:
    """Settings from the environment; `home`, where given, wins over LIVEREVIEW_HOME."""
    for name in ("LIVEREVIEW_ALERT_WEBHOOK", "LIVEREVIEW_PING_URL"):
        _must_be_address(name, environment.get(name, ""))
    return Settings(
        home=(home or Path(environment.get("LIVEREVIEW_HOME", "livereview-data"))).resolve(),
        secrets={name: environment[name] for name in SECRETS if environment.get(name)},
        memory=environment.get("LIVEREVIEW_MEMORY", "2GB"),
        threads=int(environment.get("LIVEREVIEW_THREADS", "2")),
        url=environment.get("LIVEREVIEW_URL", ""),
        sender=environment.get("LIVEREVIEW_MAIL_FROM", ""),
        oidc=_oidc(environment),
        owner=_owner(environment),
        owner_token_file=environment.get("LIVEREVIEW_OWNER_TOKEN_FILE", ""),
        answers=environment.get("LIVEREVIEW_ANSWERS", ""),
        owner_ca=_file(environment, "LIVEREVIEW_OWNER_CA"),
        try_again=_try_again(environment),
        reserve=_bytes(environment.get("LIVEREVIEW_RESERVE", ""), "LIVEREVIEW_RESERVE", RESERVE),
        backup=environment.get("LIVEREVIEW_BACKUP", ""),
        keep=_count(environment.get("LIVEREVIEW_BACKUP_KEEP", ""), "LIVEREVIEW_BACKUP_KEEP", 30),
        webhook_hosts=_hosts(environment.get("LIVEREVIEW_WEBHOOK_HOSTS", "")),
        proxies=_proxies(environment.get("LIVEREVIEW_TRUSTED_PROXIES", "")),
        alert_mail=_alert_mail(environment),
        log_format=_one_of(environment, "LIVEREVIEW_LOG_FORMAT", ("json", "plain"), ""),
        log_level=_one_of(environment, "LIVEREVIEW_LOG_LEVEL", LOG_LEVELS, "info"),
        access_log=_one_of(environment, "LIVEREVIEW_ACCESS_LOG", ("on", "off"), "off") == "on",
        run=environment.get("PREFECT__FLOW_RUN_ID", ""),
        assistant=_assistant(environment),
        price=_price(environment.get("LIVEREVIEW_ASSISTANT_PRICE", "")),
    )


def told(settings: Settings) -> dict[str, object]:
    """What a backup says of the settings: values that are no secret, and the names of the secrets
    that were set.
    """
    secrets = sorted(settings.secrets)
    if settings.oidc:
        secrets.append("LIVEREVIEW_OIDC_CLIENT_SECRET")
    values = {
        "LIVEREVIEW_MEMORY": settings.memory,
        "LIVEREVIEW_THREADS": str(settings.threads),
        "LIVEREVIEW_URL": settings.url,
        "LIVEREVIEW_TRUSTED_PROXIES": ", ".join(settings.proxies),
        "LIVEREVIEW_WEBHOOK_HOSTS": ", ".join(_written(settings.webhook_hosts)),
        "LIVEREVIEW_MAIL_FROM": settings.sender,
        "LIVEREVIEW_RESERVE": f"{settings.reserve // MB}MB",
        "LIVEREVIEW_BACKUP_KEEP": str(settings.keep),
        "LIVEREVIEW_OIDC_ISSUER": settings.oidc.issuer if settings.oidc else "",
        "LIVEREVIEW_OIDC_CLIENT_ID": settings.oidc.client if settings.oidc else "",
    }
    return {"values": {name: value for name, value in values.items() if value}, "secrets": secrets}


def _written(hosts: Iterable[tuple[str, int]]) -> list[str]:
    """The machines as the setting writes them."""
    named = ((f"[{address}]" if ":" in address else address, port) for address, port in hosts)
    return sorted(f"{address}:{port}" for address, port in named)


def _bytes(text: str, name: str, usual: int) -> int:
    """Bytes of "512MB" or "2GB"."""
    if not text:
        return usual
    found = re.fullmatch(r"(\d{1,9}) ?(MB|GB)", text.strip(), re.IGNORECASE)
    if found is None:
        raise Refused(f"{name} must be like 512MB or 2GB; got {text!r}")
    return int(found[1]) * (MB if found[2].upper() == "MB" else 1024 * MB)


def _proxies(text: str) -> tuple[str, ...]:
    """Addresses and networks, each as Python writes it; refused where one is neither."""
    trusted = []
    for word in re.split(r"[,\s]+", text.strip()):
        if not word:
            continue
        try:
            network = ipaddress.ip_network(word)
        except ValueError:
            raise Refused(
                "LIVEREVIEW_TRUSTED_PROXIES must be the addresses or networks of your proxies, such as"
                f" 127.0.0.1 or 172.28.0.0/16, with commas between them; got {word!r}"
            ) from None
        if network.prefixlen == 0:
            raise Refused(
                f"LIVEREVIEW_TRUSTED_PROXIES: {word} would let every visitor say who they are; name your proxy only"
            )
        trusted.append(str(network))
    return tuple(trusted)


LINK_LOCAL = tuple(map(ipaddress.ip_network, ("169.254.0.0/16", "fe80::/10")))
"""Addresses at which most clouds tell a machine's secrets: no webhook may go there."""


def _hosts(text: str) -> frozenset[tuple[str, int]]:
    """(address, port) of each machine, the address as Python writes it; refused where one is not so."""
    hosts: set[tuple[str, int]] = set()
    for word in re.split(r"[,\s]+", text.strip()):
        if not word:
            continue
        parts = re.fullmatch(r"(?:\[([0-9a-fA-F:.]+)\]|([0-9.]+)):(\d{1,5})", word)
        try:
            address = ipaddress.ip_address((parts[1] or parts[2]) if parts else "")
        except ValueError:
            address = None
        if parts is None or address is None or not 0 < int(parts[3]) < 65_536:
            raise Refused(
                "LIVEREVIEW_WEBHOOK_HOSTS must be addresses with their ports, such as 10.1.2.3:8443 or"
                f" [fd00::5]:443, with commas between them; got {word!r}"
            )
        if any(address in network for network in LINK_LOCAL):
            raise Refused(f"LIVEREVIEW_WEBHOOK_HOSTS: {word} is where clouds keep secrets")
        hosts.add((str(address), int(parts[3])))
    return frozenset(hosts)


def _alert_mail(environment: Mapping[str, str]) -> tuple[str, ...]:
    """Who is told by mail; refused where no mail could be sent: nobody shall believe it is on."""
    text = environment.get("LIVEREVIEW_ALERT_MAIL", "")
    addresses = tuple(dict.fromkeys(word for word in re.split(r"[,\s]+", text) if word))
    needed = ("LIVEREVIEW_SMTP", "LIVEREVIEW_MAIL_FROM")
    missing = [name for name in needed if not environment.get(name)]
    if addresses and missing:
        raise Refused(f"LIVEREVIEW_ALERT_MAIL also needs {' and '.join(missing)}")
    if wrong := [address for address in addresses if not re.fullmatch(r"[^@]+@[^@]+", address)]:
        raise Refused(f"LIVEREVIEW_ALERT_MAIL must hold mail addresses; got {', '.join(wrong)}")
    return addresses


def _one_of(environment: Mapping[str, str], name: str, valid: Sequence[str], usual: str) -> str:
    """A word out of a few, however it is written; `usual` where nothing is set."""
    given = environment.get(name, "").strip().lower()
    if not given:
        return usual
    if given not in valid:
        raise Refused(f"{name} must be one of {', '.join(valid)}; got {given!r}")
    return given


def _count(text: str, name: str, usual: int) -> int:
    """A whole number from 1."""
    if not text:
        return usual
    if not re.fullmatch(r"[1-9]\d{0,5}", text.strip()):
        raise Refused(f"{name} must be a whole number from 1; got {text!r}")
    return int(text)


def _owner(environment: Mapping[str, str]) -> str:
    """Where the owner is.

    Raises:
        Refused: for an address on which its secret could be read on the way.
    """
    url = environment.get("LIVEREVIEW_OWNER", "").rstrip("/")
    if url and not sealed(url):
        raise Refused(
            f"LIVEREVIEW_OWNER is {url!r}; give https://host, or http://127.0.0.1:8000 on this machine"
        )
    return url


def _assistant(environment: Mapping[str, str]) -> str:
    """Where the assistant's server is.

    Raises:
        Refused: for an address on which its key and the records could be read on the way.
    """
    url = environment.get("LIVEREVIEW_ASSISTANT_URL", "").rstrip("/")
    if url and (not sealed(url) or "?" in url or "#" in url):
        raise Refused(
            f"LIVEREVIEW_ASSISTANT_URL is {url!r}; give https://host/v1, or http://127.0.0.1:8080/v1"
            " on this machine"
        )
    return url


_AMOUNT = r"(\d{1,6}(?:\.\d{1,6})?)"
_PRICE = re.compile(rf"{_AMOUNT} {_AMOUNT} ([A-Z]{{3}})")


def _price(text: str) -> Price | None:
    """The price of "0.15 0.60 USD"; refused where it is something else."""
    if not text.strip():
        return None
    parts = _PRICE.fullmatch(" ".join(text.split()))
    if parts is None:
        raise Refused(
            "LIVEREVIEW_ASSISTANT_PRICE must be the prices of a million tokens read and written and a"
            f" currency, such as 0.15 0.60 USD; got {text!r}"
        )
    return Price(float(parts[1]), float(parts[2]), parts[3])


def of_this_machine(url: str) -> bool:
    """Whether an address leads to this very machine."""
    return _this_machine(urlsplit(url).hostname or "")


def _file(environment: Mapping[str, str], name: str) -> str:
    """The path of a file that is there, or nothing; refused where it is not there."""
    path = environment.get(name, "")
    if path and not Path(path).is_file():
        raise Refused(f"{name} is {path!r}, and there is no such file")
    return path


def _try_again(environment: Mapping[str, str]) -> tuple[float, ...]:
    text = environment.get("LIVEREVIEW_TRY_AGAIN")
    if text is None:
        return TRY_AGAIN
    try:
        seconds = tuple(float(part) for part in text.split(",") if part.strip())
    except ValueError:
        seconds = (-1.0,)
    if any(not 0 <= pause <= LONGEST_PAUSE for pause in seconds):
        raise Refused(
            f'LIVEREVIEW_TRY_AGAIN is {text!r}; give seconds such as "600,3600", each from 0 to 86400'
        )
    return seconds


def _must_be_address(name: str, url: str) -> None:
    """Refuse what is set and no address, without repeating it: it may be a secret."""
    try:
        parts = urlsplit(url)
        is_address = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        is_address = False
    if url and not is_address:
        raise Refused(f"{name} must be an address such as https://host/path")


def sealed(url: str) -> bool:
    """Whether nobody on the way can read or change what goes to this address: https, or http to
    this very machine.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return False
    if not host or "@" in parts.netloc or not re.fullmatch(r"[!-~]+", url) or "\\" in url:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and _this_machine(host))


def _this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _oidc(environment: Mapping[str, str]) -> OpenId | None:
    """The provider, where there is one.

    Raises:
        Refused: for a part of what it takes: nobody shall believe it is on.
    """
    given = {
        "LIVEREVIEW_OIDC_ISSUER": environment.get("LIVEREVIEW_OIDC_ISSUER", ""),
        "LIVEREVIEW_OIDC_CLIENT_ID": environment.get("LIVEREVIEW_OIDC_CLIENT_ID", ""),
        "LIVEREVIEW_OIDC_CLIENT_SECRET": environment.get("LIVEREVIEW_OIDC_CLIENT_SECRET", ""),
    }
    if not any(given.values()):
        return None
    given["LIVEREVIEW_URL"] = url = environment.get("LIVEREVIEW_URL", "")
    if missing := [name for name, value in given.items() if not value]:
        raise Refused(
            f"sign-in through a provider also needs {', '.join(missing)}; or unset all of LIVEREVIEW_OIDC_…"
        )
    for name in ("LIVEREVIEW_OIDC_ISSUER", "LIVEREVIEW_URL"):
        if not sealed(given[name]) or "?" in given[name] or "#" in given[name]:
            raise Refused(
                f"{name} must be like https://host for sign-in through a provider; http: this machine only"
            )
    issuer, client, secret = (
        given[f"LIVEREVIEW_OIDC_{name}"] for name in ("ISSUER", "CLIENT_ID", "CLIENT_SECRET")
    )
    return OpenId(issuer, client, secret, f"{url.rstrip('/')}/sign-in/oidc/back")
