"""Where a request may go: to public addresses only, checked at the moment of connecting.

An address in a protocol is written by a person and a redirect by a stranger; neither may reach the
machine's own services or those beside it. The address that was checked is the address that is
connected to, so that a name whose answer changes between two look-ups (DNS rebinding) gains
nothing.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Collection, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any
from urllib.parse import urlsplit

import requests

from livereview.errors import Retry, SourceBroken
from livereview.wire import WatchedAdapter

Resolve = Callable[[str, int], Sequence[str]]
PORTS = {"http": 80, "https": 443}
# seconds for a name; a resolver's own patience is some 20 s, and over TCP it has none
LOOK_UP = 30.0

# IANA's special-purpose registries, whole, as they stood in 2025 (www.iana.org/assignments/
# iana-ipv4-special-registry and iana-ipv6-special-registry), and what clouds keep behind other
# addresses. An own list: what Python calls global differs from one patch release to the next.
SPECIAL_V4 = tuple(
    IPv4Network(block)
    for block in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # carriers' own; 100.100.100.200 tells Alibaba Cloud's secrets
        "127.0.0.0/8",  # this machine
        "169.254.0.0/16",  # link-local; 169.254.169.254 tells most clouds' secrets
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments; 192.0.0.192 tells Oracle Cloud Classic's secrets
        "192.0.2.0/24",  # documentation
        "192.31.196.0/24",  # AS112
        "192.52.193.0/24",  # AMT relays
        "192.88.99.0/24",  # 6to4 relays, given up
        "192.168.0.0/16",  # private
        "192.175.48.0/24",  # AS112
        "198.18.0.0/15",  # measurements
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
        "168.63.129.16/32",  # Azure's WireServer
        "161.26.0.0/16",  # services inside IBM Cloud
        "166.8.0.0/14",  # likewise
    )
)
# the only part of IPv6 that is handed out for machines of the public internet
GLOBAL_V6 = IPv6Network("2000::/3")
SPECIAL_V6 = tuple(
    IPv6Network(block)
    for block in (
        "2001::/23",  # protocol assignments; Teredo (2001::/32) carries any IPv4 address
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4 carries any IPv4 address
        "2620:4f:8000::/48",  # AS112
        "3ffe::/16",  # the experimental 6bone, given back
        "3fff::/20",  # documentation
    )
)
# before an IPv4 address in the last 64 bits (RFC 5214, section 6.1)
ISATAP = (0x00005EFE, 0x02005EFE)


def look_up(host: str, port: int) -> list[str]:
    """The addresses of a host as the system knows them, IPv4 first: many containers have no way out
    by IPv6.

    Raises:
        OSError: where there are none, or where the resolver does not answer within LOOK_UP seconds.
    """
    found: list[str] = []
    problem: list[Exception] = []

    def ask() -> None:
        try:
            answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            found.extend({str(answer[4][0]) for answer in answers})
        except Exception as error:
            problem.append(error)

    # Nothing can interrupt getaddrinfo: who waits longer than this leaves it behind in a thread of
    # its own.
    thread = threading.Thread(target=ask, name=f"look up {host}"[:40], daemon=True)
    thread.start()
    thread.join(LOOK_UP)
    if thread.is_alive():
        raise TimeoutError(f"no answer within {LOOK_UP:g} s")
    if problem:
        raise problem[0]
    return sorted(found, key=lambda text: (":" in text, text))


def is_public(address: str) -> bool:
    """Whether an address belongs to one machine of the public internet, by this module's own list."""
    ip = ip_address(address)
    if isinstance(ip, IPv4Address):
        return not any(ip in block for block in SPECIAL_V4)
    if ip.ipv4_mapped is not None:
        return is_public(str(ip.ipv4_mapped))
    if ip not in GLOBAL_V6 or any(ip in block for block in SPECIAL_V6):
        return False
    embedded = _isatap(ip)
    return embedded is None or is_public(str(embedded))


def _isatap(ip: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that an ISATAP address leads to."""
    if (int(ip) >> 32) & 0xFFFFFFFF not in ISATAP:
        return None
    return IPv4Address(int(ip) & 0xFFFFFFFF)


class Guarded(WatchedAdapter):
    """Sends requests to checked addresses.

    The host's name stays in the Host header and in the certificate's check.

    Args:
        permitted: (address, port) pairs that are allowed besides, for a local server.
        public: False where only those are.
    """

    def __init__(
        self,
        resolve: Resolve = look_up,
        permitted: Collection[tuple[str, int]] = (),
        public: bool = True,
    ):
        super().__init__()
        self._resolve = resolve
        self._permitted = frozenset(permitted)
        self._public = public

    def build_connection_pool_key_attributes(
        self, request: Any, verify: Any, cert: Any = None
    ) -> tuple[Any, Any]:
        """Where to connect to and how; requests asks it for each request, redirects too."""
        target: dict[str, Any]
        tls: dict[str, Any]
        target, tls = map(dict, super().build_connection_pool_key_attributes(request, verify, cert))
        if target["scheme"] == "https":
            tls["server_hostname"] = target["host"]
        return {**target, "host": self.checked(request.url)}, tls

    def add_headers(self, request: requests.PreparedRequest, **_settings: Any) -> None:
        request.headers["Host"] = urlsplit(str(request.url)).netloc

    def checked(self, url: str) -> str:
        """The one address to connect to for this URL.

        All of a name's addresses must be allowed, not only the first.

        Raises:
            SourceBroken: where it must not be asked.
        """
        parts = urlsplit(url)
        host = parts.hostname or ""
        if parts.scheme not in PORTS or not host or "@" in parts.netloc:
            raise SourceBroken(
                "only plain http and https addresses without a user name are read", url=_bare(url)
            )
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
