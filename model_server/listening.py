"""Where the server listens: on this computer only, unless its user asks for more."""

import errno
import ipaddress
import os
import secrets
import socket
from dataclasses import dataclass

from harmonize_engine.errors import HarmonizeError

backlog = 128  # connections that wait to be accepted


@dataclass(frozen=True)
class Address:
    """An address of this computer, as a number, and a port, 0 = a free one."""

    host: str
    port: int

    @property
    def remote(self) -> bool:
        """Whether other computers can reach it."""
        return not ipaddress.ip_address(self.host).is_loopback


def address(host: str, port: int, allow_remote: bool) -> Address:
    """Find the address meant by a name or number. Raises HarmonizeError `host_unknown` or `remote_refused`."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        found.sort(key=lambda one: one[0] != socket.AF_INET)  # localhost is 127.0.0.1 here, as it is for all clients
        chosen = Address(str(found[0][4][0]), port)
        remote = chosen.remote
    except (OSError, ValueError) as error:  # no such name; an address of another kind
        raise HarmonizeError(
            "host_unknown", f"There is no address {host!r}.", "Use 127.0.0.1, ::1 or an address of this computer."
        ) from error
    if remote and not allow_remote:
        raise HarmonizeError(
            "remote_refused",
            f"At {host} other computers could reach the server.",
            "If you want that, add --allow-remote.",
        )
    return chosen


def bound(to: Address) -> socket.socket:
    """Listen. Raises HarmonizeError `port_used`, `port_refused` or `host_unknown`."""
    family = socket.AF_INET6 if ":" in to.host else socket.AF_INET
    # asyncio lets small answers go at once (TCP_NODELAY) only where TCP is named; else each waits 40 ms if kept open
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "nt":  # there, SO_REUSEADDR lets two servers have one port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if listener.family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind((to.host, to.port))
        listener.listen(backlog)
    except OSError as error:
        listener.close()
        raise _refusal(to, error) from error
    return listener


def token() -> str:
    """Make what a client must know to be heard."""
    return secrets.token_urlsafe(32)


def names(of: Address) -> tuple[str, ...]:
    """Tell under which names, besides its address, a server may be called: those of this computer if others reach it."""
    own = socket.gethostname().lower()
    return (own, f"{own}.local") if of.remote else ()


def _refusal(to: Address, error: OSError) -> HarmonizeError:
    if error.errno == errno.EADDRINUSE:
        return HarmonizeError(
            "port_used", f"Port {to.port} of {to.host} is used by another program.", "Leave out --port to get a free one."
        )
    if error.errno == errno.EADDRNOTAVAIL:
        return HarmonizeError("host_unknown", f"{to.host} is no address of this computer.", "Use 127.0.0.1 or ::1.")
    reason = error.strerror or error
    return HarmonizeError(
        "port_refused", f"Port {to.port} of {to.host} cannot be used: {reason}.", "Leave out --port to get a free one."
    )
