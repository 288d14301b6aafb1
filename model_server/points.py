"""Few points to drag for each tone curve, as the host's own curve goes through them."""

from harmonize_engine.curves import Curves
from harmonize_engine.harmonization import Harmonization
from harmonize_engine.splines import draggable_points, gimp_curve, krita_curve, table_size
from model_server.wire import Host, Points

hosts = {"gimp": gimp_curve, "krita": krita_curve}


def points(harmonization: Harmonization, host: Host) -> list[list[Points | None] | None]:
    """Points for every adjustment in its place: of curves for R, G and B, None for what is no curves.

    A host's curve through a channel's points is within half an 8-bit level of it, or where 16 points cannot do that,
    within one; None where they cannot do that either.
    """
    return [_channels(one, host) if isinstance(one, Curves) else None for one in harmonization.adjustments]


def _channels(curves: Curves, host: Host) -> list[Points | None]:
    curve = hosts[host]
    found = [
        draggable_points(channel, curve, tolerance=0.5 / 255) or draggable_points(channel, curve)
        for channel in curves.table(table_size)
    ]
    return [None if points is None else Points(points[0].tolist(), points[1].tolist()) for points in found]
