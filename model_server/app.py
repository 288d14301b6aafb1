"""The app: what each path does, and how errors are told."""

import asyncio
import logging
import os
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from time import perf_counter, time
from typing import IO, Protocol

import anyio
import msgspec
import psutil
from anyio.to_thread import run_sync
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

import harmonize_engine
from harmonize_engine.errors import HarmonizeError
from model_server import openapi, wire
from model_server.account import Account
from model_server.gate import Gate
from model_server.limits import Limits
from model_server.line import Line
from model_server.patience import while_connected
from model_server.points import points
from model_server.question import Question
from model_server.render import Form, Order, Renders, Sent
from model_server.shelf import Shelf

log = logging.getLogger("harmonize.server")
decoders = 2  # bodies that are decoded at a time: each takes some 20 MB for a moment


class Life(Protocol):
    """The server's life, as far as requests touch it."""

    @property
    def stopping(self) -> bool:
        """Whether it admits nothing new."""
        ...

    @property
    def idle_exit_s(self) -> float | None:
        """In how many seconds it leaves if nobody comes; None: never."""
        ...

    @property
    def follows(self) -> Sequence[int]:
        """The processes that keep it."""
        ...

    @property
    def log_problem(self) -> str | None:
        """Why the log cannot be written."""
        ...

    def touch(self) -> None:
        """Hear that somebody uses it."""

    def follow(self, pid: int) -> None:
        """Leave with this process. Raises HarmonizeError."""

    def stop(self) -> None:
        """Finish what is running and leave; returns at once."""


@dataclass(frozen=True, eq=False)
class Service:
    """Everything the paths need. hosts: names allowed in the Host header besides loopback; started: since 1970."""

    limits: Limits
    token: str
    hosts: Sequence[str]
    shelf: Shelf
    line: Line
    log_path: str
    life: Life
    started: float = field(default_factory=time)
    renders: Renders = field(init=False)
    decoding: anyio.CapacityLimiter = field(default_factory=partial(anyio.CapacityLimiter, decoders))

    def __post_init__(self) -> None:
        object.__setattr__(self, "renders", Renders(self.limits))


def create(service: Service) -> ASGIApp:
    """Make the ASGI app with the gate around it."""
    paths = {
        "/v1/health": ("GET", health),
        "/v1/models": ("GET", models),
        "/v1/openapi.json": ("GET", document),
        "/v1/harmonize": ("POST", harmonize),
        "/v1/render": ("POST", render),
        "/v1/follow": ("POST", follow),
        "/v1/stop": ("POST", stop),
    }
    app = Starlette(
        routes=[Route(path, endpoint, methods=[method]) for path, (method, endpoint) in paths.items()],
        # Starlette's own would answer the unexpected and raise it once more
        middleware=[Middleware(ExceptionMiddleware, handlers={Exception: internal})],
        exception_handlers={HarmonizeError: refused, HTTPException: not_served, ClientDisconnect: gone},
    )
    app.router.redirect_slashes = False
    app.state.service = service
    return Account(Gate(app, service.token, service.hosts, service.limits, service.log_path))


async def harmonize(request: Request) -> Response:
    """Have a model look at a proxy."""
    began, service = perf_counter(), _service(request)
    service.life.touch()
    _refuse_stopping(service)
    _refuse_other_media(request, "application/json")
    async with service.line.place():
        work = _harmonized(service, await _body(request), began)
        seconds = service.limits.request_seconds - (perf_counter() - began)
        answer = await while_connected(request.receive, work, seconds)
    service.life.touch()
    return _json(answer)


async def _harmonized(service: Service, body: bytes, began: float) -> wire.HarmonizeAnswer:
    question = await run_sync(Question.of, body, service.limits, limiter=service.decoding)
    del body  # a megabyte that would wait along
    looked = await service.line.look(question.model or service.shelf.default, question.composite)
    found = looked.harmonization.blend(question.color_strength, question.light_strength)
    drawn = None
    if question.points_for:
        drawn = await run_sync(points, found, question.points_for, limiter=service.decoding)
    total_ms = 1000 * (perf_counter() - began)
    return wire.HarmonizeAnswer(
        msgspec.Raw(found.to_json().encode()),
        drawn,
        wire.Timing(looked.waited_ms, looked.looked_ms, total_ms, looked.batch),
        wire.EngineName(service.shelf.device.name, harmonize_engine.__version__),
    )


async def render(request: Request) -> Response:
    """Render a picture at full size."""
    began, service = perf_counter(), _service(request)
    service.life.touch()
    _refuse_stopping(service)
    _refuse_other_media(request, "multipart/form-data")
    kept = ExitStack()
    try:
        kept.enter_context(service.renders.place())
        form = await Form(request.headers, request.stream()).parse()
        order = await run_sync(Order.of, form, kept, limiter=service.decoding)
    except BaseException:
        kept.close()
        raise
    job = service.renders.begin(order)
    try:
        seconds = service.limits.render_seconds - (perf_counter() - began)
        file = await while_connected(request.receive, _finished(job), seconds)
    except BaseException:
        job.add_done_callback(partial(_let_go, kept))  # not sooner: a thread that has begun cannot be cut short
        raise
    service.life.touch()
    return Sent(file, order.fields.kind, kept)


async def _finished(job: "Future[IO[bytes]]") -> IO[bytes]:
    return await asyncio.wrap_future(job)


def _let_go(kept: ExitStack, job: "Future[IO[bytes]]") -> None:
    with kept:
        if not job.cancelled() and not job.exception():
            job.result().close()


async def health(request: Request) -> Response:
    """Tell how the server is."""
    service = _service(request)
    life, device = service.life, service.shelf.device
    return _json(
        wire.Health(
            "stopping" if life.stopping else "ok",
            harmonize_engine.__version__,
            wire.protocols[-1],
            wire.protocols,
            os.getpid(),
            service.started,
            max(0.0, time() - service.started),
            msgspec.convert(device, wire.DeviceState, from_attributes=True),
            [model["name"] for model in service.shelf.models() if model["loaded"]],
            wire.Memory(psutil.Process().memory_info().rss, service.limits.model_memory),
            service.line.length,
            life.idle_exit_s,
            list(life.follows),
            service.log_path or None,
            life.log_problem,
        )
    )


async def models(request: Request) -> Response:
    """List the models."""
    service = _service(request)
    service.life.touch()
    return _json({"models": service.shelf.models()})


async def document(request: Request) -> Response:
    """Describe all of this."""
    return _json(openapi.document())


async def follow(request: Request) -> Response:
    """Leave with one more process."""
    service = _service(request)
    _refuse_other_media(request, "application/json")
    asked = wire.decode(await _body(request), wire.FollowRequest)
    service.life.touch()
    service.life.follow(asked.pid)
    return _json(wire.Following(list(service.life.follows)))


async def stop(request: Request) -> Response:
    """Finish what is running and leave."""
    _service(request).life.stop()
    return _json(wire.Stopping())


async def refused(request: Request, error: Exception) -> Response:
    """Tell an error that is the caller's to mend. Like all that tell errors it is async, or each would take a thread."""
    assert isinstance(error, HarmonizeError)
    return _refusal(request, error)


async def not_served(request: Request, error: Exception) -> Response:
    """Tell that a path, a method or a form is not ours."""
    assert isinstance(error, HTTPException)
    own = {
        404: ("not_found", "There is nothing at this path."),
        405: ("method_refused", "This path is for another method."),
    }
    code, message = own.get(error.status_code, ("bad_http", "This is no request that the server understands."))
    answer = _refusal(request, HarmonizeError(code, message, "/v1/openapi.json describes what there is."))
    answer.headers.update(error.headers or {})
    return answer


async def internal(request: Request, error: Exception) -> Response:
    """Keep what nobody foresaw in the log, and say only that it is there."""
    name = request.scope["harmonize.request"]
    log.error("%s failed", name, exc_info=error)
    hint = f"Send it again; if it fails again, report it with what the log says of {name}."
    return _refusal(request, HarmonizeError("internal", "The server failed at this request.", hint))


async def gone(request: Request, error: Exception) -> Response:
    """Answer a client that has left, which only the log hears."""
    return Response(status_code=499)


def _refusal(request: Request, error: HarmonizeError) -> Response:
    seconds = wire.retry_after(error)
    headers = None if seconds is None else {"retry-after": str(seconds)}
    content = wire.refusal(error, _service(request).log_path)
    return Response(content, wire.status(error.code), headers, "application/json")


def _service(request: Request) -> Service:
    return request.app.state.service


def _json(content: object) -> Response:
    return Response(wire.encode(content), media_type="application/json")


async def _body(request: Request) -> bytes:
    return b"".join([chunk async for chunk in request.stream()])


def _refuse_stopping(service: Service) -> None:
    if service.life.stopping:
        raise HarmonizeError("stopping", "The engine is stopping.", "Try again: a new one starts when it is needed.")


def _refuse_other_media(request: Request, wanted: str) -> None:
    given = request.headers.get("content-type", "")
    if given.partition(";")[0].strip().lower() != wanted:
        raise HarmonizeError("media_type", f"The body is not {wanted}.", f"Send it with Content-Type: {wanted}.")
