"""Which addresses may be asked: public ones on web ports, checked when the connection is made and not before.

The name is resolved once, every answer is checked, and the connection goes to the checked address, so a name that
changes its mind between check and use (DNS rebinding) gains nothing.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Collection
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection

from livereview.errors import Refused

Resolve = Callable[[str, int], list[str]]
PORTS = frozenset({80, 443})
_UNICAST6 = ipaddress.ip_network("2000::/3")
_SIX_TO_FOUR = ipaddress.ip_network("2002::/16")  # carries an IPv4 address that may be anything


def resolve(host: str, port: int) -> list[str]:
    """Every address of a host."""
    return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def public(address: str) -> bool:
    """Whether an IP address is one that the whole world can reach."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped:
            return public(str(ip.ipv4_mapped))
        return ip in _UNICAST6 and ip not in _SIX_TO_FOUR and ip.is_global
    return ip.is_global and not ip.is_multicast


def check_url(url: str, ports: Collection[int] = PORTS) -> None:
    """Raise Refused unless this is a plain http(s) address on a web port, without a user name in it."""
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError as error:
        raise Refused(f"not an address: {error}") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Refused("only http and https addresses with a host can be fetched", url=url)
    if parts.username is not None or parts.password is not None:
        raise Refused("an address with a user name in it can't be fetched", url=f"{parts.scheme}://{parts.hostname}")
    if port not in ports:
        raise Refused(f"port {port} can't be fetched from; only {', '.join(map(str, sorted(ports)))}", url=url)


class Checked(HTTPAdapter):
    """A requests adapter whose connections go to addresses that `allowed` lets pass, and to no other."""

    def __init__(self, allowed: Callable[[str, int], bool], resolver: Resolve = resolve):
        self._allowed, self._resolver = allowed, resolver
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        connect = partial(_connect, self._allowed, self._resolver)
        self.poolmanager.pool_classes_by_scheme = {
            "http": _pool(urllib3.HTTPConnectionPool, HTTPConnection, connect),
            "https": _pool(urllib3.HTTPSConnectionPool, HTTPSConnection, connect),
        }


def _connect(allowed: Callable[[str, int], bool], resolver: Resolve, host: str, port: int, wait: Any) -> socket.socket:
    addresses = resolver(host.strip("[]"), port)
    if not addresses or not all(allowed(address, port) for address in addresses):
        raise Refused(f"{host} is not a public address; only those can be fetched")
    error: OSError | None = None
    for address in addresses:
        try:
            return socket.create_connection((address, port), timeout=wait)
        except OSError as failed:
            error = failed
    raise error or OSError(f"no address of {host} answers")


def _pool(pool: type[Any], connection: type[Any], connect: Callable[..., socket.socket]) -> type[Any]:
    def _new_conn(self: Any) -> socket.socket:
        try:
            return connect(self.host, self.port, self.timeout)
        except OSError as error:
            raise urllib3.exceptions.NewConnectionError(self, f"can't connect: {type(error).__name__}") from None

    guarded = type(f"Checked{connection.__name__}", (connection,), {"_new_conn": _new_conn})
    return type(f"Checked{pool.__name__}", (pool,), {"ConnectionCls": guarded})
