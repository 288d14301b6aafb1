"""Networks of others as ONNX files: one opens them, finds their inputs by their shapes, and runs them on one picture."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from harmonize_engine import devices
from harmonize_engine.composite import Pixels, Singles
from harmonize_engine.errors import HarmonizeError
from harmonize_engine.evaluation.scene import Scene, levels

if TYPE_CHECKING:
    from onnxruntime import InferenceSession


def opened(path: Path) -> "InferenceSession":
    """Open a network on the processor. Raises HarmonizeError `file_missing`, `weights_broken` or `runtime_missing`."""
    if not path.is_file():
        raise HarmonizeError("file_missing", f"There is no file {path}.", "Check its name and folder.")
    try:
        return devices.open_session(path.read_bytes(), "cpu", 1)
    except ImportError as error:
        raise HarmonizeError(
            "runtime_missing", "ONNX Runtime is not installed.", "Install it with: pip install 'harmonize[cpu]'"
        ) from error
    except Exception as error:  # ONNX Runtime has a dozen exceptions of its own
        raise HarmonizeError(
            "weights_broken", f"{path.name} is not a network that ONNX Runtime reads.", "Export it again."
        ) from error


@dataclass(frozen=True, eq=False)
class OnnxHarmonizer:
    """A network that takes a composite (1, 3, H, W) and a mask (1, 1, H, W), apart or as four channels of one input.

    Its first output of three channels is the harmonized picture. signed: pictures go in and come out in [-1,1] instead of
    [0,1]; masks are always in [0,1]. Where the network wants a fixed size it gets it, and its result is enlarged; one that
    takes any size gets side x side, or with None the picture's own.
    """

    session: "InferenceSession"
    signed: bool
    side: int | None = None

    def harmonize(self, scene: Scene) -> Pixels:
        """Run it, and paste its result into the composite by the mask. Raises HarmonizeError `network_unfit`."""
        inputs = self.session.get_inputs()
        wanted = inputs[0].shape[2:]
        own = scene.mask.shape if self.side is None else (self.side, self.side)
        height, width = (w if isinstance(w, int) else s for w, s in zip(wanted, own, strict=True))
        picture = np.moveaxis(_resized(scene.composite, width, height), -1, 0)[None] / np.float32(255)
        mask = _resized(scene.mask, width, height)[None, None] / np.float32(255)
        picture = picture * 2 - 1 if self.signed else picture
        planes = {3: picture, 1: mask, 4: np.concatenate((picture, mask), 1)}
        try:
            feed = {each.name: planes[int(each.shape[1])].astype(np.float32) for each in inputs}
            outputs: list[Any] = [np.asarray(output) for output in self.session.run(None, feed)]
            result = next(output[0] for output in outputs if output.ndim == 4 and output.shape[1] == 3)
        except Exception as error:
            first = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
            raise HarmonizeError(
                "network_unfit",
                f"The network could not harmonize {scene.name}: {first}",
                "It must take a picture (N, 3, H, W) and a mask (N, 1, H, W), or both as one (N, 4, H, W).",
            ) from error
        result = (result + 1) / 2 if self.signed else result
        full = _resized(levels(np.moveaxis(result, 0, -1)), scene.mask.shape[1], scene.mask.shape[0])
        m = scene.mask[..., None] / np.float32(255)
        return np.rint(scene.composite * (1 - m) + full * m).astype(np.uint8)


def _resized(plane: Pixels, width: int, height: int) -> Singles:
    if plane.shape[:2] == (height, width):
        return plane.astype(np.float32)
    return np.asarray(Image.fromarray(plane).resize((width, height), Image.Resampling.BILINEAR), np.float32)


@dataclass(frozen=True, eq=False)
class Lpips:
    """LPIPS (Zhang et al., CVPR 2018) by an ONNX file: two pictures (1, 3, H, W) in [-1,1] in, their distance out."""

    session: "InferenceSession"

    def distance(self, result: Pixels, truth: Pixels) -> float:
        """Compare two 8-bit pictures. Raises HarmonizeError `network_unfit`."""
        pictures = [np.moveaxis(p, -1, 0)[None].astype(np.float32) / np.float32(127.5) - 1 for p in (result, truth)]
        names = [each.name for each in self.session.get_inputs()]
        try:
            outputs = self.session.run(None, dict(zip(names, pictures, strict=True)))
            return float(np.asarray(outputs[0]).mean())
        except Exception as error:
            raise HarmonizeError(
                "network_unfit",
                "The LPIPS network could not compare two pictures.",
                "It must take two, (1, 3, H, W) in [-1,1].",
            ) from error
