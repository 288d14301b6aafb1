"""Begin from weights that were exported as ONNX: a shipped model learns on, for instance from your own photographs.

The exporter folds a normalisation that follows a convolution into it. Here it is unfolded: measured on composites, each
normalisation gets its true mean and variance and undoes them exactly, so that the network answers as it did, and trains.
"""

import re
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import helper, numpy_helper
from torch import Tensor, nn

from harmonize_engine.errors import HarmonizeError
from harmonize_engine.models.architectures import Network

half = ".half"  # ends the names of weights that are stored as 16-bit floats


def read(path: Path, network: Network) -> dict[str, Tensor]:
    """Read those weights of an exported model that a network of its architecture has, normalisations still folded.

    Of a model that averages several networks, the one is read that fits best.

    Raises HarmonizeError `weights_broken`.
    """
    try:
        stored = onnx.load(path).graph.initializer
        named = {v.name.removesuffix(half): torch.tensor(numpy_helper.to_array(v).astype(_whole(v))) for v in stored}
    except Exception as error:  # protobuf has its own
        raise HarmonizeError(
            "weights_broken", f"{path} is not a model in ONNX.", "Name a checkpoint or a model."
        ) from error
    prefixes = sorted({name[: match.end()] for name in named if (match := re.match(r"network\.(members\.\d+\.)?", name))})
    parts = [_of(network, {n.removeprefix(p): v for n, v in named.items() if n.startswith(p)}) for p in prefixes]
    return max(parts, key=len, default={})


def _whole(weights: onnx.TensorProto) -> type[np.generic] | np.dtype[Any]:
    return (
        np.float32 if weights.data_type == onnx.TensorProto.FLOAT16 else helper.tensor_dtype_to_np_dtype(weights.data_type)
    )


def _of(network: Network, named: dict[str, Tensor]) -> dict[str, Tensor]:
    """Pick the weights that a network has, of their shapes."""
    own = network.state_dict()
    found = {name: value for name, value in named.items() if name in own and own[name].shape == value.shape}
    for convolution, norm, epsilon in _folded(network):
        bias = named.get(f"{convolution}.weight_bias")
        if bias is not None and f"{norm}.weight" not in found and bias.shape == own[f"{norm}.weight"].shape:
            found[f"{norm}.weight"] = torch.ones_like(bias)
            found[f"{norm}.bias"] = bias
            found[f"{norm}.running_mean"] = torch.zeros_like(bias)
            found[f"{norm}.running_var"] = torch.ones_like(bias) - epsilon
    return found


def _folded(network: nn.Module) -> Iterator[tuple[str, str, float]]:
    """Name each convolution without a bias and the normalisation after it, with what that adds to a variance."""
    before = ""
    for name, module in network.named_modules():
        if isinstance(module, nn.Conv2d):
            before = name if module.bias is None else ""
        elif isinstance(module, nn.BatchNorm2d) and before:
            yield before, name, module.eps
            before = ""


@torch.no_grad()
def unfold(network: Network, batches: Iterable[tuple[Tensor, Tensor, Tensor, Tensor]]) -> None:
    """Give every normalisation the statistics of its inputs in some batches, without changing what the network answers."""
    epsilons = {norm: epsilon for _, norm, epsilon in _folded(network)}
    seen: dict[str, list[Tensor]] = {norm: [] for norm in epsilons}
    with _watched(network, seen):
        for batch in batches:
            network(*batch)
    weights = network.state_dict()
    for norm, inputs in seen.items():
        values = torch.cat([value.transpose(0, 1).flatten(1) for value in inputs], 1)
        now = {"running_mean": values.mean(1), "running_var": values.var(1)}
        before, after = ((part["running_var"] + epsilons[norm]).sqrt() for part in (_part(weights, norm), now))
        part = _part(weights, norm)
        now["bias"] = part["bias"] + (now["running_mean"] - part["running_mean"]) * part["weight"] / before
        now["weight"] = part["weight"] / before * after
        weights |= {f"{norm}.{name}": value for name, value in now.items()}
    network.load_state_dict(weights)


def _part(weights: dict[str, Tensor], module: str) -> dict[str, Tensor]:
    return {name: weights[f"{module}.{name}"] for name in ("weight", "bias", "running_mean", "running_var")}


@contextmanager
def _watched(network: Network, seen: dict[str, list[Tensor]]) -> Generator[None]:
    """Collect what goes into the normalisations named, of a network that only looks."""
    training = network.training
    network.eval()

    def collect(name: str) -> Callable[[nn.Module, tuple[Tensor]], None]:
        return lambda _, given: seen[name].append(given[0].float())

    hooks = [network.get_submodule(name).register_forward_pre_hook(collect(name)) for name in seen]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
        network.train(training)
