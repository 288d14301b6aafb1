"""Rendering at full size, for scripts: a picture and a Harmonization in, the picture out."""

import threading
from collections.abc import AsyncGenerator, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from tempfile import SpooledTemporaryFile
from time import perf_counter
from typing import IO, Any, cast

import anyio.to_thread
import numpy as np
from starlette.datastructures import FormData, Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from harmonize_engine import pictures
from harmonize_engine.composite import Pixels
from harmonize_engine.errors import HarmonizeError
from harmonize_engine.harmonization import Harmonization
from harmonize_engine.pictures import Picture
from harmonize_engine.render import render
from model_server.limits import Limits, megabyte
from model_server.line import Busy
from model_server.wire import RenderFields, bad_field, convert

media_types = {"png": "image/png", "jpg": "image/jpeg", "tif": "image/tiff", "webp": "image/webp"}
files = ("picture", "mask")
most_fields = len(RenderFields.__struct_fields__)
parameters_bytes = 2 * megabyte  # of a Harmonization's JSON; a light map of 512 x 512 takes 0.7 MB
spooled_bytes = 4 * megabyte  # of a finished picture that are kept in memory
chunk_bytes = 1 << 18


@dataclass(frozen=True, eq=False)
class Order:
    """What to render. The files are open; without a mask all of the picture is foreground."""

    picture: IO[bytes]
    mask: IO[bytes] | None
    harmonization: Harmonization
    fields: RenderFields

    @classmethod
    def of(cls, form: FormData, kept: ExitStack) -> "Order":
        """Read a form; `kept` closes its files. Raises HarmonizeError."""
        parts = form.multi_items()
        for _, part in parts:
            if isinstance(part, UploadFile):
                kept.callback(part.file.close)
        uploads = {name: part for name, part in parts if isinstance(part, UploadFile)}
        fields: dict[str, Any] = {name: part for name, part in parts if not isinstance(part, UploadFile)}
        if len(uploads) + len(fields) < len(parts):
            raise bad_field("A field comes twice.")
        if parameters := uploads.pop("harmonization", None):  # curl -F harmonization=@parameters.json sends a file
            fields["harmonization"] = _text(parameters.file)
        if "picture" not in uploads:
            raise bad_field("The field picture is missing, or is not a file.")
        if strange := [name for name in uploads if name not in files]:
            raise bad_field(f"There is no file {strange[0][:64]!r} to be sent.")
        checked = convert(fields, RenderFields)
        mask = uploads.get("mask")
        return cls(uploads["picture"].file, mask and mask.file, _harmonization(checked.harmonization), checked)

    def rendered(self, limit_megapixels: float) -> IO[bytes]:
        """Read, render and write the picture, in its own depth with its profile, EXIF and resolution as far as the kind
        holds them. Raises HarmonizeError.
        """
        picture, mask = self._read(limit_megapixels)
        strengths = self.fields.color_strength, self.fields.light_strength
        return self._written(replace(picture, pixels=render(picture.pixels, mask, self.harmonization, *strengths)))

    def _read(self, limit_megapixels: float) -> tuple[Picture, Pixels]:
        try:
            picture = pictures.read_file(self.picture, "The picture", limit_megapixels)
            picture = replace(picture, pixels=_clipped(picture.pixels))
            if self.mask is None:
                return picture, np.full(picture.pixels.shape[:2], 255, np.uint8)
            return picture, _clipped(pictures.read_mask_file(self.mask, "The mask", limit_megapixels))
        except HarmonizeError as error:
            if error.code == "picture_too_large":
                raise HarmonizeError(error.code, error.message, "Render it with: harmonize render") from error
            raise

    def _written(self, picture: Picture) -> IO[bytes]:
        file = cast(IO[bytes], SpooledTemporaryFile(spooled_bytes))  # noqa: SIM115 - without a name, so nothing stays behind
        try:
            pictures.write_file(picture, file, self.fields.kind, self.fields.quality)
        except BaseException:
            file.close()
            raise
        return file


class Form(MultiPartParser):
    """A form that came whole: Starlette's own leaves a part out whose end is missing, as if the client had not sent it."""

    whole = False

    def __init__(self, headers: Headers, stream: AsyncGenerator[bytes, None]) -> None:
        super().__init__(headers, stream, max_files=3, max_fields=most_fields, max_part_size=parameters_bytes)

    def on_end(self) -> None:
        """Hear that the last boundary was there."""
        self.whole = True

    async def parse(self) -> FormData:
        """Read it; files larger than a megabyte go to temporary ones. Raises HarmonizeError `bad_form`."""
        try:
            form = await super().parse()
            if not self.whole:
                raise MultiPartException("Its last boundary is missing.")
        except MultiPartException as error:
            for file in self._files_to_close_on_error:
                file.close()
            message = f"The form cannot be read: {error.message.rstrip('.')}."
            raise HarmonizeError("bad_form", message, "/v1/openapi.json describes its fields.") from None
        return form


class Renders:
    """The few pictures that may be here at a time, and the one thread that renders them."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._places = threading.BoundedSemaphore(limits.renders)
        self._thread = ThreadPoolExecutor(1, "render")
        self._seconds = 1.0  # the last one took

    @contextmanager
    def place(self) -> Generator[None]:
        """Hold a place, from before the body is read until the answer is gone. Raises Busy."""
        if not self._places.acquire(blocking=False):
            raise Busy(max(1, round(self._limits.renders * self._seconds)))
        try:
            yield
        finally:
            self._places.release()

    def begin(self, order: Order) -> "Future[IO[bytes]]":
        """Render in the thread."""
        return self._thread.submit(self._timed, order)

    def _timed(self, order: Order) -> IO[bytes]:
        began = perf_counter()
        try:
            return order.rendered(self._limits.render_megapixels)
        finally:
            self._seconds = perf_counter() - began


class Sent(Response):
    """A file as an answer, and what to let go of when it is sent or nobody takes it any more."""

    def __init__(self, file: IO[bytes], kind: str, kept: ExitStack) -> None:
        size = file.seek(0, 2)
        super().__init__(media_type=media_types[kind], headers={"content-length": str(size)})
        self._file = file
        self._kept = kept
        kept.callback(file.close)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it piece by piece."""
        with self._kept:
            self._file.seek(0)
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            while chunk := await anyio.to_thread.run_sync(self._file.read, chunk_bytes):
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await send({"type": "http.response.body", "body": b""})


def _text(file: IO[bytes]) -> str:
    content = file.read(parameters_bytes + 1)
    if len(content) > parameters_bytes:
        raise bad_field(f"The field harmonization is larger than {parameters_bytes} bytes.")
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise bad_field("The field harmonization is not UTF-8.") from None


def _harmonization(text: str) -> Harmonization:
    try:
        return Harmonization.from_json(text)
    except (RecursionError, OverflowError):
        raise HarmonizeError(
            "bad_parameters", "The field harmonization is too deep or too large.", "Send what /v1/harmonize answers as it."
        ) from None


def _clipped(pixels: Pixels) -> Pixels:
    return np.clip(pixels, 0, 1) if pixels.dtype == np.float32 else pixels
