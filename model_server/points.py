"""Few points to drag for each tone curve, as the host's own curve goes through them."""

from harmonize_engine.curves import Curves
from harmonize_engine.harmonization import Harmonization
from harmonize_engine.splines import Array, closest_points, draggable_points, gimp_curve, krita_curve, table_size
from model_server.wire import Host, Points

hosts = {"gimp": gimp_curve, "krita": krita_curve}
# 8-bit levels that few points may be off. In Krita 7 to 12 of them are easier to drag; deep pictures in GIMP show less.
near = {"gimp": 0.1, "krita": 0.5}


def points(harmonization: Harmonization, host: Host) -> list[list[Points | None] | None]:
    """Points for every adjustment in its place: of curves for R, G and B, None for what is no curves.

    A host's curve through a channel's points is within a level of it; None where 16 points cannot do that.
    """
    return [_channels(one, host) if isinstance(one, Curves) else None for one in harmonization.adjustments]


def _channels(curves: Curves, host: Host) -> list[Points | None]:
    found = [_points(channel, host) for channel in curves.table(table_size)]
    return [None if points is None else Points(points[0].tolist(), points[1].tolist()) for points in found]


def _points(channel: Array, host: Host) -> tuple[Array, Array] | None:
    """Few points where few are near; in GIMP else the closest that can be had; else what 16 can follow within a level."""
    found = draggable_points(channel, hosts[host], tolerance=near[host] / 255)
    if found is None and host == "gimp":
        found = closest_points(channel, gimp_curve)
    return draggable_points(channel, hosts[host]) if found is None else found
