"""Points to drag: the host's own curve through them is the tone curve."""

import numpy as np
import pytest

from harmonize_engine import Curves, Harmonization, Saturation, Shading
from harmonize_engine.splines import gimp_curve, krita_curve
from model_server.points import points
from model_server.wire import Host

level = 1 / 255
at = np.linspace(0, 1, 1001)
gamma = Curves.uniform(np.stack([np.linspace(0, 1, 33) ** power for power in (0.6, 1.0, 1.7)]))
lifted = Curves.uniform(np.linspace(0.1, 0.9, 9) * np.ones((3, 1)))
jagged = Curves.uniform(np.stack([np.arange(60) % 2, np.linspace(0, 1, 60), np.arange(60) % 2]))


@pytest.mark.parametrize("host", ["gimp", "krita"])
def test_points_are_parallel_to_the_adjustments_and_within_a_level(host: Host):
    adjustments = (gamma, Saturation(0.5), lifted, Shading(np.ones((2, 2))))
    found = points(Harmonization(adjustments, "some", "1"), host)
    assert [one is None for one in found] == [False, True, False, True]
    for curves, channels in ((gamma, found[0]), (lifted, found[2])):
        assert channels is not None
        for channel, y in zip(channels, curves.y, strict=True):
            assert channel is not None
            assert 2 <= len(channel.x) == len(channel.y) <= 16
            drawn = {"gimp": gimp_curve, "krita": krita_curve}[host](channel.x, channel.y, at)
            assert np.abs(drawn - np.interp(at, curves.x, y)).max() <= level + 1e-6


@pytest.mark.parametrize("host", ["gimp", "krita"])
def test_points_follow_to_half_a_level_where_16_can(host: Host):
    (channels,) = points(Harmonization((gamma,), "some", "1"), host)
    for channel, y in zip(channels or [], gamma.y, strict=True):
        assert channel is not None
        drawn = {"gimp": gimp_curve, "krita": krita_curve}[host](channel.x, channel.y, at)
        assert np.abs(drawn - np.interp(at, gamma.x, y)).max() <= level / 2 + 1e-6


def test_in_gimp_a_curve_that_few_points_do_not_follow_closely_gets_all_16():
    rise = np.cumsum(np.exp(0.7 * np.sin(7 * np.linspace(0, 1, 33) + np.array([[0.0], [2], [4]]))), axis=1)
    wavy = Curves.uniform((rise - rise[:, :1]) / (rise[:, -1:] - rise[:, :1]))
    (channels,) = points(Harmonization((wavy,), "some", "1"), "gimp")
    for channel, table in zip(channels or [], wavy.table(256), strict=True):
        assert channel is not None
        assert len(channel.x) == 16
        assert np.abs(gimp_curve(channel.x, channel.y, np.linspace(0, 1, 256)) - table).max() < 0.3 * level


def test_a_curve_that_16_points_cannot_follow_has_none():
    (channels,) = points(Harmonization((jagged,), "some", "1"), "gimp")
    assert channels is not None
    assert [channel is None for channel in channels] == [True, False, True]
