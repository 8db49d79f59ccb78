"""Where a request may go: to public addresses only, checked at the moment of connecting.

An address in a protocol is written by a person and a redirect by a stranger; neither may reach the machine's own
services or those beside it. The address that was checked is the address that is connected to, so that a name whose
answer changes between two look-ups (DNS rebinding) gains nothing.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Collection, Sequence
from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter

from livereview.errors import Retry, SourceBroken

Resolve = Callable[[str, int], Sequence[str]]
PORTS = {"http": 80, "https": 443}
GLOBAL_V6 = IPv6Network("2000::/3")
SIX_TO_FOUR = IPv6Network("2002::/16")  # carries any IPv4 address, private ones too


def look_up(host: str, port: int) -> list[str]:
    """The addresses of a host as the system knows them, IPv4 first: many containers have no way out by IPv6."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return sorted({str(info[4][0]) for info in found}, key=lambda text: (":" in text, text))


def is_public(address: str) -> bool:
    """Whether an address belongs to one machine of the public internet.

    Stricter than `is_global`, which Python up to 3.11 answers with yes for 64:ff9b::7f00:1 and fec0::1.
    """
    ip = ip_address(address)
    if isinstance(ip, IPv6Address):
        if ip.ipv4_mapped is None:
            return ip in GLOBAL_V6 and ip not in SIX_TO_FOUR and ip.is_global and not ip.is_multicast
        ip = ip.ipv4_mapped
    return ip.is_global and not ip.is_multicast


class Guarded(HTTPAdapter):
    """Sends requests to checked addresses; the host's name stays in the Host header and in the certificate's check.

    permitted  (address, port) pairs that are allowed besides, for a local server
    public     False where only those are
    """

    def __init__(self, resolve: Resolve = look_up, permitted: Collection[tuple[str, int]] = (), public: bool = True):
        super().__init__()
        self._resolve = resolve
        self._permitted = frozenset(permitted)
        self._public = public

    def build_connection_pool_key_attributes(self, request: Any, verify: Any, cert: Any = None) -> tuple[Any, Any]:
        """Where to connect to and how; requests asks it for each request, redirects too."""
        target: dict[str, Any]
        tls: dict[str, Any]
        target, tls = map(dict, super().build_connection_pool_key_attributes(request, verify, cert))
        if target["scheme"] == "https":
            tls["server_hostname"] = target["host"]
        return {**target, "host": self.checked(request.url)}, tls

    def add_headers(self, request: requests.PreparedRequest, **settings: Any) -> None:
        request.headers["Host"] = urlsplit(str(request.url)).netloc

    def checked(self, url: str) -> str:
        """The one address to connect to for this URL; raises SourceBroken where it must not be asked.

        All of a name's addresses must be allowed, not only the first.
        """
        parts = urlsplit(url)
        host = parts.hostname or ""
        if parts.scheme not in PORTS or not host or "@" in parts.netloc:
            raise SourceBroken("only plain http and https addresses without a user name are read", url=_bare(url))
        port = parts.port or PORTS[parts.scheme]
        found = self._addresses(host, port)
        for address in found:
            if not self._allowed(address, port):
                raise SourceBroken(
                    f"{host} leads to {address} port {port}: only public addresses at ports 80 and 443 are read",
                    url=_bare(url),
                )
        return found[0]

    def _addresses(self, host: str, port: int) -> Sequence[str]:
        found: Sequence[str] = ()
        try:
            found = self._resolve(host, port)
        except UnicodeError:
            pass
        except OSError:
            raise Retry(f"the name {host} could not be looked up; is the network there?") from None
        if not found:
            raise SourceBroken(f"there is no host {host}; check the address")
        return found

    def _allowed(self, address: str, port: int) -> bool:
        if (address, port) in self._permitted:
            return True
        return self._public and port in PORTS.values() and is_public(address)


def _bare(url: str) -> str:
    """The URL without user name and password."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
