"""Few points to drag for each tone curve, as the host's own curve goes through them."""

from harmonize_engine.curves import Curves
from harmonize_engine.harmonization import Harmonization
from harmonize_engine.splines import Array, draggable_points, gimp_curve, krita_curve, table_size
from model_server.wire import Host, Points

hosts = {"gimp": gimp_curve, "krita": krita_curve}
# How far from a tone curve the host's may lie, in 8-bit levels, the first that 16 points can keep: in GIMP deep pictures
# show a quarter, in Krita 7 to 12 points are easier to drag.
levels = {"gimp": (0.25, 0.5, 1.0), "krita": (0.5, 1.0)}


def points(harmonization: Harmonization, host: Host) -> list[list[Points | None] | None]:
    """Points for every adjustment in its place: of curves for R, G and B, None for what is no curves.

    A host's curve through a channel's points is as near to it as `levels` tells; None where 16 points cannot do that.
    """
    return [_channels(one, host) if isinstance(one, Curves) else None for one in harmonization.adjustments]


def _channels(curves: Curves, host: Host) -> list[Points | None]:
    found = [_points(channel, host) for channel in curves.table(table_size)]
    return [None if points is None else Points(points[0].tolist(), points[1].tolist()) for points in found]


def _points(channel: Array, host: Host) -> tuple[Array, Array] | None:
    tried = (draggable_points(channel, hosts[host], tolerance=level / 255) for level in levels[host])
    return next((points for points in tried if points is not None), None)
