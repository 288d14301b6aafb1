"""From training checkpoints to what the package ships: <name>.onnx and its model card <name>.json.

python -m harmonize_engine.training.export RUN/best.pt --version 1

Of several checkpoints it makes one model that gives the mean of their answers.
"""

import argparse
import hashlib
import io
import json
import math
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import helper, numpy_helper
from torch import Tensor, nn

from harmonize_engine.devices import open_session
from harmonize_engine.looks import cell, input_size
from harmonize_engine.models import architectures
from harmonize_engine.models.architectures import Network
from harmonize_engine.models.ensemble import Ensemble
from harmonize_engine.network import folder, largest_side, least_side, usual_side
from harmonize_engine.training import checkpoint as checkpoints
from harmonize_engine.training.config import unbounded
from harmonize_engine.training.shipped import half

inputs = ("composite", "mask", "background", "reference")
outputs = ("curves", "gain", "harmony")
one_level = 1 / 255  # by which a model may differ from its checkpoints: curves are tones in [0,1]
again = 0.5  # how far what is said of the first result corrects that: docs/training.md, "Looking again"


class Scored(nn.Module):
    """The network with harmony as a number in [0,1] instead of a logit."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(
        self, composite: Tensor, mask: Tensor, background: Tensor, reference: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """See Parametric.forward."""
        curves, gain, harmony = self.network(composite, mask, background, reference)
        return curves, gain, torch.sigmoid(harmony)


def load(checkpoint: Path) -> tuple[Network, dict[str, Any]]:
    """Read the averaged weights of a checkpoint, ready to predict, and all that was saved with them."""
    state = checkpoints.load(checkpoint)
    network = architectures.build(architectures.read(state))
    network.load_state_dict(state["average"])
    return network.eval(), state


def to_onnx(network: nn.Module, side: int = usual_side) -> bytes:
    """Export with free batch, height and width (multiples of 16), checked by ONNX's own checker.

    side: of the inputs it is made for, as in its card.
    """
    example = _pictures(2, *input_size(7, 9, side))
    batch = torch.export.Dim("batch", min=1)
    most = 2 * side // 16
    rows, columns = torch.export.Dim("rows", min=2, max=most), torch.export.Dim("columns", min=2, max=most)
    free = {0: batch, 2: 16 * rows, 3: 16 * columns}
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "network.onnx"
        torch.onnx.export(
            Scored(network),
            example,
            path,
            input_names=list(inputs),
            output_names=list(outputs),
            dynamic_shapes=(free, free, free, free),
            external_data=False,
            dynamo=True,
            verbose=False,
        )
        model = onnx.load(path)
    for node in model.graph.node:  # where it was exported from is nobody's business
        node.ClearField("doc_string")
        del node.metadata_props[:]
    onnx.checker.check_model(model, full_check=True)
    written = io.BytesIO()
    onnx.save(model, written)
    return written.getvalue()


def _pictures(count: int, height: int, width: int, generator: torch.Generator | None = None) -> tuple[Tensor, ...]:
    """Noise for every input."""
    channels = (3 if name in ("composite", "background") else 1 for name in inputs)
    return tuple(torch.rand((count, number, height, width), generator=generator) for number in channels)


def largest_difference(network: nn.Module, content: bytes, side: int = usual_side, seed: int = 0) -> float:
    """Compare ONNX Runtime with torch on random pictures of several shapes; the largest difference of any output."""
    session = open_session(content, "cpu", 0)
    generator = torch.Generator().manual_seed(seed)
    worst = 0.0
    for count, shape in ((1, (1, 1)), (3, (7, 9)), (2, (2, 1))):
        pictures = _pictures(count, *input_size(*shape, side), generator)
        with torch.no_grad():
            expected = Scored(network)(*pictures)
        found = session.run(list(outputs), {n: value.numpy() for n, value in zip(inputs, pictures, strict=True)})
        for ours, theirs in zip(expected, found, strict=True):
            worst = max(worst, float(np.abs(ours.numpy() - np.asarray(theirs)).max()))
    return worst


def with_half_the_bytes(content: bytes) -> bytes:
    """Store kernels and matrices as 16-bit floats, made 32-bit again when the model is loaded: it computes as before.

    Vectors keep their bits: they are few, and among them are variances that 16 bits cannot hold.
    """
    model = onnx.load_from_string(content)
    casts: list[onnx.NodeProto] = []
    for weights in model.graph.initializer:
        if weights.data_type != onnx.TensorProto.FLOAT or len(weights.dims) < 2:
            continue
        name = weights.name
        weights.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(weights).astype(np.float16), name + half))
        casts.append(helper.make_node("Cast", [name + half], [name], to=onnx.TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    onnx.checker.check_model(model, full_check=True)
    return model.SerializeToString()


def _lineage(state: dict[str, Any]) -> dict[str, Any]:
    """Tell how the weights of a checkpoint came to be."""
    config: dict[str, Any] = state["config"]
    return {
        "training": {
            **{name: value for name, value in config.items() if value not in (math.inf, unbounded)},  # JSON has no infinity
            **state["progress"],
            "images": state["progress"]["step"] * config["batch"] * config.get("accumulate", 1),
        },
        "architecture": state.get("architecture", "parametric"),
        "sizes": state["sizes"],
    }


def main() -> None:
    """Write <name>.onnx and the machine-readable part of its model card."""
    parser = argparse.ArgumentParser(description="Export a checkpoint as ONNX with its model card.")
    parser.add_argument("checkpoints", type=Path, nargs="+", help="more than one: the mean of their answers")
    parser.add_argument("--half", action="store_true", help="store weights with half the bytes")
    parser.add_argument("--name", default="parametric")
    parser.add_argument("--version", default="1")
    parser.add_argument("--leave-above", type=float, default=0.9, help="harmony from which a composite is left as it is")
    parser.add_argument("--window", type=float, help="share that a foreground fills of what is seen from near (as trained)")
    sides = range(least_side, largest_side + 1, cell)
    parser.add_argument("--side", type=int, choices=sides, metavar="PIXELS", help="of what it will be shown (as trained)")
    parser.add_argument("--into", type=Path, default=folder)
    chosen = parser.parse_args()
    members = [load(checkpoint) for checkpoint in chosen.checkpoints]
    network = Ensemble([member for member, _ in members]).eval() if len(members) > 1 else members[0][0]
    side = chosen.side or int(members[0][1]["config"].get("side", usual_side))
    content = to_onnx(network, side)
    content = with_half_the_bytes(content) if chosen.half else content
    difference = largest_difference(network, content, side)
    if difference > one_level:
        parser.exit(
            1, f"Nothing is written: the exported model differs from its checkpoints by {difference:.4f}; try it whole.\n"
        )
    first, *others = (_lineage(state) for _, state in members)
    card = {
        "name": chosen.name,
        "version": chosen.version,
        "summary": "Curves and a light map for the whole foreground, learned from retouched photographs.",
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
        "parameters": sum(p.numel() for p in network.parameters()),
        "gate": {"leave_above": chosen.leave_above},
        **first,
        **({"averaged_with": others} if others else {}),
        "side": side,
        "again": again,
        "window": float(members[0][1]["config"].get("window", 0.0) if chosen.window is None else chosen.window),
        "largest_difference_to_torch": difference,
        "card": "docs/model-card.md",
    }
    chosen.into.mkdir(parents=True, exist_ok=True)
    (chosen.into / f"{chosen.name}.onnx").write_bytes(content)
    (chosen.into / f"{chosen.name}.json").write_text(json.dumps(card, indent=2) + "\n")
    print(f"{len(content) / 1e6:.2f} MB, differs from torch by at most {difference:.1e}")


if __name__ == "__main__":
    main()
