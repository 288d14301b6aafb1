"""Which device a network runs on, with stand-ins for the accelerators that the testing machine has not got."""

import os
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import onnxruntime
import pytest

from harmonize_engine import HarmonizeError, devices
from harmonize_engine.devices import labels, providers
from harmonize_engine.network import folder

weights = (folder / "parametric.onnx").read_bytes()


class Machine:
    """ONNX Runtime on a machine with some devices; each inference takes as many milliseconds as the device says.

    faults: device -> what is wrong with it: "no driver", "breaks", "breaks later", or how far off its numbers are.
    """

    def __init__(self, milliseconds, faults=None):
        self.milliseconds, self.faults, self.opened, self.now = milliseconds, faults or {}, [], 0.0

    def clock(self):
        return self.now / 1000

    def offered(self):
        return [providers[name] for name in self.milliseconds]

    def open(self, content, name, threads):
        self.opened.append((content, name, threads))
        fault = self.faults.get(name)
        if fault == "breaks":
            raise RuntimeError("CUDA error 999\nat file.cc:7")
        return Session(self, name, fault)


class Session:
    def __init__(self, machine, name, fault):
        self.machine, self.name, self.fault = machine, name, fault

    def get_providers(self):
        own = [] if self.fault == "no driver" else [providers[self.name]]
        return [*own, "CPUExecutionProvider"]

    def get_inputs(self):
        return [SimpleNamespace(name="picture", shape=["batch", 3, "h", "w"]), SimpleNamespace(name="mask", shape=["b", 1])]

    def run(self, outputs, feed):
        if self.fault == "breaks later":
            raise RuntimeError("out of memory")
        assert (feed["picture"].shape[1], feed["mask"].shape[1]) == (3, 1)
        self.machine.now += self.machine.milliseconds[self.name]
        off = self.fault if isinstance(self.fault, float) else 0
        return [feed["picture"].mean((2, 3)), feed["mask"].mean((2, 3)) + np.float32(off)]


@pytest.fixture
def chosen(monkeypatch):
    """What is chosen on a machine."""

    def choose(machine, wanted):
        monkeypatch.setattr(devices, "perf_counter", machine.clock)
        found, device = devices.session(b"network", wanted, 2, machine.offered, machine.open)
        assert found.name == device.name
        assert device.provider == providers[device.name]
        assert device.milliseconds == pytest.approx(machine.milliseconds[device.name])
        return device

    return choose


@pytest.mark.parametrize("name", labels)
def test_auto_takes_an_accelerator_that_is_right_and_faster(chosen, name):
    machine = Machine({name: 1, "cpu": 2})
    device = chosen(machine, "auto")
    assert (device.name, device.reason) == (name, "")
    assert machine.opened == [(b"network", "cpu", 2), (b"network", name, 2)]


@pytest.mark.parametrize("slow", [2, 3])
def test_auto_stays_on_the_processor_where_nothing_is_faster(chosen, slow):
    device = chosen(Machine({"cuda": slow, "cpu": 2}), "auto")
    assert (device.name, device.reason) == ("cpu", f"CUDA takes {slow}.0 ms, cpu 2.0 ms.")


def test_auto_takes_the_fastest_of_several(chosen):
    assert chosen(Machine({"cuda": 3, "directml": 1, "coreml": 2, "cpu": 9}), "auto").name == "directml"


def test_auto_passes_over_what_fails(chosen):
    device = chosen(Machine({"cuda": 1, "directml": 2, "cpu": 9}, {"cuda": "breaks"}), "auto")
    assert (device.name, device.reason) == ("directml", "")


def test_auto_says_that_nothing_was_offered(chosen):
    assert chosen(Machine({"cpu": 9}), "auto").reason == "The installed ONNX Runtime offers no accelerator."


@pytest.mark.parametrize("wanted", ["auto", "cuda"])
@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("no driver", "CUDA did not start: its driver or its libraries are missing."),
        ("breaks", "CUDA failed: CUDA error 999."),
        ("breaks later", "CUDA failed: out of memory."),
        (0.02, "CUDA computes wrong numbers, off by 0.02."),
        (float("nan"), "CUDA computes wrong numbers, off by nan."),
    ],
)
def test_an_accelerator_that_fails_its_trial_is_not_used_and_the_reason_is_told(chosen, wanted, fault, reason):
    device = chosen(Machine({"cuda": 1, "cpu": 2}, {"cuda": fault}), wanted)
    assert (device.name, device.reason) == ("cpu", reason)


def test_half_precision_is_good_enough(chosen):
    assert chosen(Machine({"coreml": 1, "cpu": 2}, {"coreml": 0.002}), "auto").name == "coreml"


def test_who_asks_for_a_device_gets_it_even_if_it_is_slower(chosen):
    machine = Machine({"cuda": 1, "directml": 9, "cpu": 2})
    device = chosen(machine, "directml")
    assert (device.name, device.reason) == ("directml", "")
    assert [name for _, name, _ in machine.opened] == ["cpu", "directml"]


def test_who_asks_for_a_device_that_is_not_there_is_told(chosen):
    device = chosen(Machine({"cuda": 1, "cpu": 2}), "coreml")
    assert (device.name, device.reason) == ("cpu", "The installed ONNX Runtime does not offer Core ML.")


def test_the_processor_needs_no_reason_and_starts_nothing_else(chosen):
    machine = Machine({"cuda": 1, "cpu": 2})
    assert chosen(machine, "cpu").reason == ""
    assert [name for _, name, _ in machine.opened] == ["cpu"]


def test_other_names_are_refused():
    with pytest.raises(HarmonizeError, match="'tpu'") as refusal:
        devices.session(weights, "tpu")
    assert refusal.value.code == "device_unknown"
    assert refusal.value.hint == "Use one of auto cuda directml coreml cpu."


@pytest.mark.parametrize("wanted", devices.names)
def test_the_network_that_ships_runs_on_this_machine_whatever_is_asked(wanted, capfd):
    found, device = devices.session(weights, wanted)
    assert found.get_providers()[0] == device.provider
    assert bool(device.reason) == (device.name == "cpu" != wanted)
    outputs, milliseconds = devices.trial(found)
    assert len(outputs) == 3 * len(devices.trial_sizes)
    assert milliseconds > 0
    assert capfd.readouterr().out == ""  # the server's first line on stdout is for programs


def test_each_device_is_opened_as_its_provider_needs_it(monkeypatch, capsys):
    asked = []

    def opened(content, options, **given):
        asked.append((options, given))

    monkeypatch.setattr(onnxruntime, "InferenceSession", opened)
    monkeypatch.setattr(onnxruntime, "preload_dlls", lambda: print("loading CUDA"), raising=False)
    for name in providers:
        devices.open_session(b"network", name, 3)
    capture = capsys.readouterr()
    assert (capture.out, capture.err) == ("", "loading CUDA\n")
    for name, (options, given) in zip(providers, asked, strict=True):
        first, *others = given["providers"]
        assert first[0] == providers[name]
        assert others == ([] if name == "cpu" else ["CPUExecutionProvider"])
        assert first[1].get("cudnn_conv_algo_search") == ("HEURISTIC" if name == "cuda" else None)
        assert options.intra_op_num_threads == 3
        assert options.get_session_config_entry("session.intra_op.allow_spinning") == "0"
        assert options.enable_mem_pattern == (name != "directml")
        assert options.execution_mode == onnxruntime.ExecutionMode.ORT_SEQUENTIAL
        assert not given["enable_fallback"]


def test_looking_writes_nothing_into_the_home_and_starts_no_reporting(tmp_path):
    script = (
        "import numpy, harmonize_engine as engine; mask = numpy.zeros((64, 64), 'u1'); mask[20:40, 20:40] = 255;"
        "engine.harmonize(engine.proxy(numpy.full((64, 64, 3), 90, 'u1'), mask))"
    )
    quiet = ("ORT_DISABLE_TELEMETRY", "CI", "GITHUB_ACTIONS")  # what keeps ONNX Runtime silent
    usual = {name: value for name, value in os.environ.items() if name not in quiet}
    subprocess.run([sys.executable, "-c", script], env=usual | {"HOME": str(tmp_path), "TMPDIR": str(tmp_path)}, check=True)
    assert list(tmp_path.iterdir()) == []  # ONNX Runtime begins its reports by keeping a number of this computer there
