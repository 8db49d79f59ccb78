"""The environment, read once at the door and handed on as a frozen value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

SECRETS = (
    "OPENALEX_API_KEY",
    "NCBI_API_KEY",
    "LIVEREVIEW_MAILTO",
    "LIVEREVIEW_S2_KEY",
    "LIVEREVIEW_CORE_KEY",
    "LIVEREVIEW_OPENAIRE_TOKEN",
    "LIVEREVIEW_OSF_TOKEN",
    "LIVEREVIEW_ZENODO_TOKEN",
    "LIVEREVIEW_SMTP",
    "LIVEREVIEW_WEBHOOK_SECRET",
)


@dataclass(frozen=True, slots=True)
class Settings:
    """Where things are and what the service may use.

    home     folder of the database, the published sites and the owner's token (LIVEREVIEW_HOME, ./livereview-data)
    secrets  API keys and the contact address, by name; never printed
    url      where people reach the web app (LIVEREVIEW_URL); sender: From of mails (LIVEREVIEW_MAIL_FROM)
    memory   what DuckDB may use (LIVEREVIEW_MEMORY, "2GB"); threads likewise (LIVEREVIEW_THREADS, 2)
    """

    home: Path
    secrets: Mapping[str, str]
    memory: str = "2GB"
    threads: int = 2
    url: str = ""
    sender: str = ""

    @property
    def smtp(self) -> str:
        """The mail server, or nothing."""
        return self.secrets.get("LIVEREVIEW_SMTP", "")

    @property
    def webhook_secret(self) -> str:
        """What events are signed with, or nothing."""
        return self.secrets.get("LIVEREVIEW_WEBHOOK_SECRET", "")

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
    return Settings(
        home=(home or Path(environment.get("LIVEREVIEW_HOME", "livereview-data"))).resolve(),
        secrets={name: environment[name] for name in SECRETS if environment.get(name)},
        memory=environment.get("LIVEREVIEW_MEMORY", "2GB"),
        threads=int(environment.get("LIVEREVIEW_THREADS", "2")),
        url=environment.get("LIVEREVIEW_URL", ""),
        sender=environment.get("LIVEREVIEW_MAIL_FROM", ""),
    )
