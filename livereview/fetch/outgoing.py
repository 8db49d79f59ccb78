"""What a request holds when it goes out: its address, who asks, and where a redirect may take its
secrets.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from importlib.metadata import version
from urllib.parse import parse_qsl, quote, quote_plus, urlencode, urljoin, urlsplit

import requests

from livereview.errors import Refused, SourceBroken
from livereview.sources.protocol import Request


def prepared(
    method: str,
    url: str,
    params: Collection[tuple[str, str]] = (),
    headers: Mapping[str, str] | None = None,
    form: Collection[tuple[str, str]] | None = None,
    json: str | None = None,
) -> requests.PreparedRequest:
    """Raises SourceBroken, without requests' own words, which repeat the query."""
    data: list[tuple[str, str]] | bytes | None = None if form is None else list(form)
    if json is not None:
        data = json.encode()
        headers = {**(headers or {}), "Content-Type": "application/json"}
    try:
        return requests.Request(
            method, url, params=list(params), headers=headers, data=data
        ).prepare()
    except (requests.RequestException, ValueError) as error:
        problem = SourceBroken(
            f"not an address that can be asked ({type(error).__name__}); check it",
            url=url.rpartition("@")[2],
        )
    raise problem


def redirected(request: Request, status: int, to: str) -> Request:
    """The request that a redirect asks for.

    Secrets go along to the same host only, and never from https to http.
    """
    names = {name for name, _ in request.secrets}
    try:
        old, new = urlsplit(request.url), urlsplit(urljoin(request.url, to))
    except ValueError:
        raise SourceBroken(
            "it redirects to what is no address; check the address", url=request.url
        ) from None
    query = parse_qsl(new.query, keep_blank_values=True)
    if any(name in names for name, _ in query):
        new = new._replace(query=urlencode([pair for pair in query if pair[0] not in names]))
    trusted = old.hostname == new.hostname and new.scheme in (old.scheme, "https")
    return replace(
        request,
        url=new.geturl(),
        params=(),
        form=None if status == 303 else request.form,
        json=None if status == 303 else request.json,
        secrets=request.secrets if trusted else (),
    )


def local(via: str | None) -> str | None:
    if via is None:
        return None
    if urlsplit(via).scheme != "http" or urlsplit(via).hostname != "127.0.0.1":
        raise Refused(f"answers can be taken from http://127.0.0.1:PORT only, not from {via}")
    return via.rstrip("/")


def endpoint(via: str) -> tuple[str, int]:
    return "127.0.0.1", urlsplit(via).port or 80


def by_way_of(via: str, url: str) -> str:
    """https://host/path?query as VIA/https/host/path?query."""
    return f"{via}/{url.replace('://', '/', 1)}"


def agent(contact: str | None) -> str:
    return f"livereview/{version('livereview')}" + (f" (mailto:{contact})" if contact else "")


def spellings(secrets: set[str]) -> list[str]:
    """Each secret as it may come back, plain or percent-encoded, the longest first.

    Of six characters at least.
    """
    found = {
        spell(secret)
        for secret in secrets
        if len(secret) >= 6
        for spell in (str, quote, quote_plus)
    }
    return sorted(found, key=len, reverse=True)
