"""Every limit of the server in one place."""

from dataclasses import dataclass

megabyte = 1 << 20


@dataclass(frozen=True)
class Limits:
    """What the server accepts, and how long it waits; sizes in bytes, times in seconds."""

    body: int = 16 * megabyte  # of a request with a proxy: four planes of 1024 x 1024 in base64 are 11 MB
    picture_body: int = 512 * megabyte  # of a request to render a picture at full size
    proxy_pixels: int = megabyte  # a proxy's width x height; plug-ins send at most 512 x 512
    render_megapixels: float = 100
    waiting: int = 32  # requests admitted at a time; the next is told to come again
    renders: int = 2  # pictures held at a time, one of them being rendered
    batch: int = 8  # proxies that one look takes together
    connections: int = 256
    head_seconds: float = 5  # for a request's head to come whole
    body_seconds: float = 10  # for the body of a proxy to come whole
    picture_seconds: float = 60  # for the body of a picture to come whole
    request_seconds: float = 30  # from the head to the answer
    render_seconds: float = 120
    drain_seconds: float = 10  # for running requests when the server stops
    model_memory: int = 512 * megabyte  # of loaded models; the least recently used go first
