"""The server's client for Python programs that have the engine's own types: a composite in, a `Harmonization` out."""

import json
import time
from typing import Any
from urllib.parse import urlsplit

import requests

from harmonize_engine.composite import Composite
from harmonize_engine.errors import HarmonizeError
from harmonize_engine.harmonization import Harmonization
from model_server import proxy
from model_server import state as states

connect_seconds = 5.0
health_seconds = 5.0
answer_seconds = 60.0  # for an answer; the server itself gives up sooner, and says so
render_seconds = 180.0
busy_seconds = 60.0  # of asking again while the server is busy


class Client:
    """A server that runs. What it complains of is raised as HarmonizeError with its code.

    Of its own it raises `server_gone`, `server_silent`, `bad_answer` and `url_wrong`. Threads may share a client; its
    connections are closed by `close`, or at the end of a `with`.
    """

    def __init__(self, url: str, token: str) -> None:
        self.url = checked(url)
        self._session = requests.Session()
        self._session.trust_env = False  # neither a proxy nor a .netrc comes between us and our token
        self._session.headers["Authorization"] = f"Bearer {token}"

    @classmethod
    def from_state(cls) -> "Client":
        """Use the server that runs for this user. Raises HarmonizeError `server_missing` if none does."""
        state = states.read()
        if state is None:
            raise HarmonizeError("server_missing", "No Harmonize server is running.", "Start one with: harmonize serve")
        return cls(state.url, state.token)

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def harmonize(
        self, composite: Composite, model: str | None = None, color_strength: float = 1.0, light_strength: float = 1.0
    ) -> Harmonization:
        """Ask how to make the foreground of a display-encoded composite belong; at most 512 pixels of it are sent."""
        wishes = {"model": model, "color_strength": color_strength, "light_strength": light_strength}
        question = wishes | proxy.fields(proxy.eight_bit(composite))
        told = _document(self._ask("POST", "/v1/harmonize", json=question))
        try:
            return Harmonization.from_json(json.dumps(told.get("harmonization")))
        except HarmonizeError as error:
            raise _bad_answer(200) from error

    def render(
        self,
        picture: bytes,
        harmonization: Harmonization,
        mask: bytes | None = None,
        color_strength: float = 1.0,
        light_strength: float = 1.0,
        kind: str = "png",
        quality: int = 95,
    ) -> bytes:
        """Render a picture at full size; picture, mask (white = foreground) and what is returned are contents of files.

        kind: of the file returned, png, jpg, tif or webp. Without a mask all of the picture is foreground.
        """
        fields = {"harmonization": harmonization.to_json(), "kind": kind, "quality": str(quality)}
        strengths = {"color_strength": str(color_strength), "light_strength": str(light_strength)}
        files = {"picture": picture} | ({} if mask is None else {"mask": mask})
        return self._ask("POST", "/v1/render", render_seconds, data=fields | strengths, files=files).content

    def health(self) -> dict[str, Any]:
        """Tell how the server is."""
        return _document(self._ask("GET", "/v1/health", health_seconds))

    def models(self) -> list[dict[str, Any]]:
        """Tell the models there are, the default first."""
        return _document(self._ask("GET", "/v1/models"))["models"]

    def stop(self) -> None:
        """Have the server finish what it is doing and leave."""
        self._ask("POST", "/v1/stop")

    def _ask(self, method: str, path: str, seconds: float = answer_seconds, **content: Any) -> requests.Response:
        """Ask, and as long as the server is busy ask again when it says to."""
        patience = time.monotonic() + busy_seconds
        while True:
            answer = self._once(method, path, seconds, content)
            pause = float(answer.headers.get("Retry-After", "1"))
            if answer.status_code != 429 or time.monotonic() + pause > patience:
                break
            time.sleep(pause)
        if answer.status_code != 200:
            raise _refused(answer)
        return answer

    def _once(self, method: str, path: str, seconds: float, content: dict[str, Any]) -> requests.Response:
        limits = (connect_seconds, seconds)
        try:
            return self._session.request(method, self.url + path, timeout=limits, allow_redirects=False, **content)
        except requests.Timeout as error:
            raise HarmonizeError("server_silent", f"The server at {self.url} does not answer.", "Try again.") from error
        except requests.RequestException as error:
            hint = "Start one with: harmonize serve"
            raise HarmonizeError("server_gone", f"There is no server at {self.url}, or not any more.", hint) from error


def checked(url: str) -> str:
    """Give the URL of a server without a slash at its end. Raises HarmonizeError `url_wrong`."""
    try:
        parts = urlsplit(url)
        whole = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        whole = False
    else:
        whole = whole and parts.path in ("", "/") and not (parts.query or parts.fragment or parts.username)
    if not whole:
        raise HarmonizeError("url_wrong", f"{url!r} is not a server's address.", "Write it like http://127.0.0.1:41234")
    return url.rstrip("/")


def _document(answer: requests.Response) -> dict[str, Any]:
    try:
        document = answer.json()
    except ValueError as error:
        raise _bad_answer(answer.status_code) from error
    if not isinstance(document, dict):
        raise _bad_answer(answer.status_code)
    return document


def _refused(answer: requests.Response) -> HarmonizeError:
    told = _document(answer)
    log = f" Its log: {told['log']}" if told.get("log") and answer.status_code >= 500 else ""
    return HarmonizeError(str(told.get("code")), str(told.get("message")), f"{told.get('hint', '')}{log}")


def _bad_answer(status: int) -> HarmonizeError:
    message = f"What answers is no Harmonize server that this version understands (HTTP {status})."
    return HarmonizeError("bad_answer", message, "Check the address, and update Harmonize there and here.")
