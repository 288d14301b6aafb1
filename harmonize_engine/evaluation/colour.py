"""Colour spaces of single pictures, (..., 3): display-encoded sRGB, linear light, CIELAB (D65)."""

import numpy as np

from harmonize_engine.composite import Singles

_rgb_to_xyz = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
_white = np.array([0.95047, 1.0, 1.08883])  # D65
_to_xyz = (_rgb_to_xyz / _white[:, None]).T.astype(np.float32)
_from_xyz = np.linalg.inv(_rgb_to_xyz / _white[:, None]).T.astype(np.float32)
_luma = np.array([0.299, 0.587, 0.114], np.float32)
_bend = 6 / 29  # of CIELAB's cube root into a line


def decode(encoded: Singles) -> Singles:
    """Turn display-encoded sRGB in [0,1] into linear light in [0,1] (IEC 61966-2-1)."""
    bright = ((np.maximum(encoded, 0) + np.float32(0.055)) / np.float32(1.055)) ** np.float32(2.4)
    return np.where(encoded <= 0.04045, encoded / np.float32(12.92), bright)


def encode(linear: Singles) -> Singles:
    """Turn linear light in [0,1] into display-encoded sRGB in [0,1] (IEC 61966-2-1)."""
    bright = np.float32(1.055) * np.maximum(linear, np.float32(1e-8)) ** np.float32(1 / 2.4) - np.float32(0.055)
    return np.where(linear <= 0.0031308, linear * np.float32(12.92), bright)


def luma(encoded: Singles) -> Singles:
    """Weigh display-encoded sRGB (..., 3) into luma (..., 1), Rec. 601."""
    return (encoded @ _luma)[..., None]


def lab(encoded: Singles) -> Singles:
    """Turn display-encoded sRGB (..., 3) into CIELAB, L in [0,100]."""
    xyz = decode(encoded) @ _to_xyz
    f = np.where(xyz > _bend**3, np.cbrt(np.maximum(xyz, 0)), xyz / np.float32(3 * _bend**2) + np.float32(4 / 29))
    x, y, z = f[..., 0], f[..., 1], f[..., 2]
    return np.stack((116 * y - 16, 500 * (x - y), 200 * (y - z)), -1)


def from_lab(values: Singles) -> Singles:
    """Turn CIELAB (..., 3) into display-encoded sRGB, clipped to [0,1]."""
    y = (values[..., 0] + 16) / 116
    f = np.stack((y + values[..., 1] / 500, y, y - values[..., 2] / 200), -1)
    xyz = np.where(f > _bend, f**3, np.float32(3 * _bend**2) * (f - np.float32(4 / 29)))
    return encode(np.clip(xyz @ _from_xyz, 0, 1))
