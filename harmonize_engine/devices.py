"""What a network runs on: the processor, or an accelerator that has proved itself in a trial."""

import contextlib
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from harmonize_engine.errors import HarmonizeError

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

names = ("auto", "cuda", "directml", "coreml", "cpu")
providers = {
    "cuda": "CUDAExecutionProvider",
    "directml": "DmlExecutionProvider",
    "coreml": "CoreMLExecutionProvider",
    "cpu": "CPUExecutionProvider",
}
labels = {"cuda": "CUDA", "directml": "DirectML", "coreml": "Core ML"}
provider_options: dict[str, dict[str, str]] = {
    # An exhaustive search for the fastest convolution would be made anew for every size of picture, and TF32 would
    # keep 10 of 23 bits.
    "cuda": {"cudnn_conv_algo_search": "HEURISTIC", "use_tf32": "0"},
    "coreml": {"ModelFormat": "MLProgram"},  # the older format computes with half precision
}
# Two sizes and two counts by turns, as pictures come: a device that prepares itself anew for every size shows it.
trial_sizes = ((1, 128, 128), (2, 112, 144))
# Outputs are of the order of 1. Half precision is off by some 0.001, which no eye sees; broken drivers are off by tenths.
tolerance = 0.01

# From 1.29 on ONNX Runtime gives the computer a number and reports to its maker as soon as it is imported. Not here.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

Opener = Callable[[bytes, str, int], "InferenceSession"]
Outputs = list[NDArray[np.float32]]


@dataclass(frozen=True)
class Device:
    """What a network runs on.

    name: one of `names` but "auto"; provider: ONNX Runtime's word for it; milliseconds: one inference of the trial, after
    a warm-up; reason: why it is not what was asked for, in sentences, "" if it is.
    """

    name: str
    provider: str
    reason: str
    milliseconds: float


def offered() -> Sequence[str]:
    """Ask ONNX Runtime which providers it was built with. Raises HarmonizeError `runtime_missing`."""
    try:
        import onnxruntime
    except ImportError as error:
        raise HarmonizeError(
            "runtime_missing", "ONNX Runtime is not installed.", "Install it with: pip install 'harmonize[cpu]'"
        ) from error
    return onnxruntime.get_available_providers()


def open_session(content: bytes, name: str, threads: int) -> "InferenceSession":
    """Open an ONNX network on one device, what it cannot do on the processor; threads of the processor, 0 = one per core.

    ONNX Runtime may open it on the processor alone without a word. Raises whatever ONNX Runtime raises.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = threads
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # artists paint on the same cores
    if name == "directml":  # supports neither memory patterns nor parallel execution
        options.enable_mem_pattern = False
        options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    if name == "cuda" and hasattr(onnxruntime, "preload_dlls"):  # finds CUDA where pip has put it
        with contextlib.redirect_stdout(sys.stderr):
            onnxruntime.preload_dlls()
    chosen: list[Any] = [(providers[name], provider_options.get(name, {}))]
    if name != "cpu":
        chosen.append(providers["cpu"])
    # Its own fallback prints to stdout and tells no caller.
    return onnxruntime.InferenceSession(content, options, providers=chosen, enable_fallback=0)


def session(
    content: bytes,
    wanted: str = "auto",
    threads: int = 1,
    offered: Callable[[], Sequence[str]] = offered,
    open_session: Opener = open_session,
    sizes: Sequence[tuple[int, int, int]] = trial_sizes,
) -> tuple["InferenceSession", Device]:
    """Open an ONNX network on the device that was asked for, or on the processor with the reason in `Device`.

    An accelerator must pass a trial: start, and compute what the processor computes, to within `tolerance`; "auto" takes
    the fastest that does, if it is faster than the processor. sizes: of the trial's pictures, each a count, height and
    width. Raises HarmonizeError `device_unknown` or `runtime_missing`, and what ONNX Runtime raises for content that is
    no network.
    """
    if wanted not in names:
        raise HarmonizeError("device_unknown", f"There is no device called {wanted!r}.", f"Use one of {' '.join(names)}.")
    here = offered()
    best = open_session(content, "cpu", threads)
    expected, milliseconds = trial(best, sizes)
    device = Device("cpu", providers["cpu"], "", milliseconds)
    reasons: list[str] = []
    for name in [name for name in labels if wanted == name or (wanted == "auto" and providers[name] in here)]:
        try:
            if providers[name] not in here:
                raise _Unfit(f"The installed ONNX Runtime does not offer {labels[name]}.")
            candidate, milliseconds = _proved(content, name, threads, expected, open_session, sizes)
            if wanted == "auto" and milliseconds >= device.milliseconds:
                raise _Unfit(f"{labels[name]} takes {milliseconds:.1f} ms, {device.name} {device.milliseconds:.1f} ms.")
        except _Unfit as unfit:
            reasons.append(str(unfit))
        else:
            best, device = candidate, Device(name, providers[name], "", milliseconds)
    if device.name == "cpu" != wanted:
        reason = " ".join(reasons) or "The installed ONNX Runtime offers no accelerator."
        device = Device("cpu", providers["cpu"], reason, device.milliseconds)
    return best, device


class _Unfit(Exception):
    """An accelerator failed its trial; the text says why in a sentence."""


def _proved(
    content: bytes,
    name: str,
    threads: int,
    expected: Outputs,
    open_session: Opener,
    sizes: Sequence[tuple[int, int, int]],
) -> tuple["InferenceSession", float]:
    """Open a network on an accelerator and try it; raises _Unfit."""
    try:
        candidate = open_session(content, name, threads)
        if candidate.get_providers()[0] != providers[name]:
            raise _Unfit(f"{labels[name]} did not start: its driver or its libraries are missing.")
        outputs, milliseconds = trial(candidate, sizes)
    except _Unfit:
        raise
    except Exception as error:  # drivers fail in every way
        first_line = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
        raise _Unfit(f"{labels[name]} failed: {first_line}.") from error
    worst = float(np.max([np.abs(ours - theirs).max() for ours, theirs in zip(expected, outputs, strict=True)]))
    if not worst <= tolerance:  # NaN is not, either
        raise _Unfit(f"{labels[name]} computes wrong numbers, off by {worst:.2g}.")
    return candidate, milliseconds


def trial(session: "InferenceSession", sizes: Sequence[tuple[int, int, int]] = trial_sizes) -> tuple[Outputs, float]:
    """Run a network of pictures and masks on noise of some sizes: all outputs, and the milliseconds of one inference."""
    random = np.random.default_rng(0)
    feeds = [
        {plane.name: random.random((count, plane.shape[1], height, width), np.float32) for plane in session.get_inputs()}
        for count, height, width in sizes
    ]
    outputs = [np.asarray(output) for feed in feeds for output in session.run(None, feed)]  # warms up, too
    start = perf_counter()
    for feed in feeds:
        session.run(None, feed)
    return outputs, 1000 * (perf_counter() - start) / len(feeds)
