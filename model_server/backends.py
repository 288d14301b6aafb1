"""Who looks at a composite: this process or a server. Both are shown the same 8-bit proxy, so both answer the same."""

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

import harmonize_engine
from harmonize_engine import engine
from harmonize_engine.composite import Composite
from harmonize_engine.errors import HarmonizeError
from harmonize_engine.harmonization import Harmonization
from model_server import proxy
from model_server import state as states

if TYPE_CHECKING:
    from model_server.client import Client


class Backend(Protocol):
    """Who looks; raises HarmonizeError."""

    @property
    def description(self) -> str:
        """Who and on what, for people."""
        ...

    def harmonize(self, composite: Composite, model: str) -> Harmonization:
        """Say how to make the foreground of a display-encoded composite belong."""
        ...

    def weights_sha256(self, model: str) -> str | None:
        """Tell which weights a model has there, None for a model without weights, or an unknown one."""
        ...


@dataclass(frozen=True)
class InProcess:
    """This process. reason: why no server, where one was looked for."""

    reason: str = ""

    @property
    def description(self) -> str:
        """Who and on what, for people."""
        return f"in-process, cpu ({self.reason})" if self.reason else "in-process, cpu"

    def harmonize(self, composite: Composite, model: str) -> Harmonization:
        """Say how to make the foreground of a display-encoded composite belong."""
        return engine.harmonize(proxy.eight_bit(composite), model)

    def weights_sha256(self, model: str) -> str | None:
        """Tell which weights a model has here, None for a model without weights, or an unknown one."""
        return next((known.weights_sha256 for known in engine.models() if known.name == model), None)


@dataclass(frozen=True)
class Served:
    """A server, and what it works on."""

    client: "Client"
    device: str

    @property
    def description(self) -> str:
        """Who and on what, for people."""
        return f"server {urlsplit(self.client.url).netloc}, {self.device}"

    def harmonize(self, composite: Composite, model: str) -> Harmonization:
        """Say how to make the foreground of a display-encoded composite belong."""
        return self.client.harmonize(composite, model)

    def weights_sha256(self, model: str) -> str | None:
        """Tell which weights a model has there, None for a model without weights, or an unknown one."""
        return next((known["weights_sha256"] for known in self.client.models() if known["name"] == model), None)


def choose(server: str) -> Backend:
    """Choose by "in-process", the URL of a server, or "auto": the server that runs for this user, if it is of our version.

    The token for a URL is $HARMONIZE_TOKEN, or the one of the server that runs for this user where that is the one named.
    Raises HarmonizeError `url_wrong`, `token_missing`, or what the server at a URL is refused by or complains of.
    """
    if server == "in-process":
        return InProcess()
    if server == "auto":
        return _automatic()
    from model_server.client import Client, checked

    url = checked(server)
    return _served(Client(url, _token(url)))


def _automatic() -> Backend:
    from model_server.client import Client

    try:
        state = states.read()
        if state is not None and state.version != harmonize_engine.__version__:
            return InProcess(f"the server that runs is of version {state.version}")
        return _served(Client.from_state())
    except HarmonizeError as error:
        missing = error.code in ("server_missing", "server_gone", "token_wrong")  # its state may have outlived it
        return InProcess("no server is running" if missing else error.message.rstrip("."))


def _served(client: "Client") -> Served:
    """Raises HarmonizeError if it does not answer as a server of ours that stays."""
    told = client.health()
    if told.get("status") == "stopping":
        raise HarmonizeError("stopping", f"The server at {client.url} is stopping.", "Start one with: harmonize serve")
    try:
        return Served(client, told["device"]["name"])
    except (LookupError, TypeError) as error:
        raise HarmonizeError("bad_answer", f"What answers at {client.url} is no Harmonize server.") from error


def _token(url: str) -> str:
    if token := os.environ.get("HARMONIZE_TOKEN"):
        return token
    state = states.read()
    if state is None or urlsplit(url).netloc not in (state.address, f"localhost:{state.port}"):
        raise HarmonizeError(
            "token_missing",
            f"The server at {url} wants a token.",
            "Put it into the variable HARMONIZE_TOKEN; `harmonize serve --status` there says which file has it.",
        )
    return state.token
