"""What one run of training is: every number of it, and the experiments that have a name."""

import json
import math
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, TypeVar

from harmonize_engine.errors import HarmonizeError
from harmonize_engine.models import architectures, lite
from harmonize_engine.models.architectures import Sizes
from harmonize_engine.models.discriminator import DiscriminatorConfig
from harmonize_engine.models.parametric import ParametricConfig
from harmonize_engine.models.pih import PihConfig
from harmonize_engine.training import checkpoint

Config = TypeVar("Config", "TrainingConfig", ParametricConfig, PihConfig, DiscriminatorConfig)
unbounded = 1_000_000_000


@dataclass(frozen=True)
class TrainingConfig:
    """One run; saved in its checkpoints. Shares are of pictures, in [0,1]; pairs are (at the start, at the end)."""

    network: Sizes = field(default_factory=ParametricConfig)
    discriminator: DiscriminatorConfig = field(default_factory=DiscriminatorConfig)
    side: int = 128  # of the network's input, pixels; it keeps the picture's shape at about this area

    window: float = 0.5  # share that a foreground fills, or less, of the window that is seen as well; 0 = of none
    photographs: float = 1.0  # share of the training photographs that is used

    # streams
    supervised: float = 0.5  # share of steps with pictures whose truth is known; the others see real composites
    adversarial: float = 0.4  # weight of the discriminator's opinion; 0 = none is trained
    adversary_sees_all: bool = False  # it judges supervised steps too
    whole_picture: float = 0.0  # weight of |d| over all pixels in place of our objective over the foreground
    squared: float = 10.0  # weight of the squared beside the absolute error
    relative: float = (
        0.0  # extra weight of the error as a share of the composite's own: small changes count as large ones do
    )
    harm: float = 0.5  # extra weight of what a result is worse than its composite
    trust_from: float = 0.3  # share of the run from which on a network learns how much of its correction to trust
    light: float = 4.0  # weight of the light map's own error, in logarithms

    # supervised composites
    magnitude: tuple[float, float] = (0.75, 0.75)  # they are drawn as u^this: small = strong changes
    untouched: tuple[float, float] = (0.16, 0.16)  # share left as they are
    replayed: float = 0.12  # share that is the averaged network's own result
    lit: float = 0.3  # share of scenes under a light of their own; half of them get their foreground without it
    paired: float = 0.0  # share that comes in couples: one photograph in two developments, foregrounds exchanged
    seams: float = 0.0  # share cut out and pasted back over its filled hole
    least: float = 0.7  # share of each side of a photograph that is seen, at least
    turn: float = 0.0  # degrees, at most
    clean_plate: float = 0.2  # share that is shown its background without the foreground
    jittered: bool = False  # pairs' foregrounds get the paper's brightness and contrast jitter

    # optimisation
    batch: int = 48
    accumulate: int = 1  # batches to a step; processes share them
    learning_rate: float = 1.2e-3
    backbone_rate: float = 0.3  # share of the learning rate for stages that begin with ImageNet's weights
    discriminator_rate: float = 2e-4
    betas: tuple[float, float] = (0.9, 0.999)
    weight_decay: float = 0.02
    warm_up: int = 300  # steps
    halve_at: tuple[int, ...] = ()  # epochs; none = a cosine down to a hundredth
    clip: float = 1.0  # gradient norm
    average: float = 0.999  # EMA of the weights
    bfloat16: bool = True  # where the device has it

    # bounds
    steps: int = unbounded
    minutes: float = math.inf  # of training in all, resumed runs included
    seed: int = 1
    log_every: int = 50  # steps
    evaluate_every: int = 1500  # steps
    save_every: float = 2.0  # minutes
    validate_on: int = 150  # photographs of each shape, inside the loop

    def __post_init__(self) -> None:
        if self.batch < 2 or self.accumulate < 1 or self.steps < 1 or not self.minutes > 0 or self.warm_up < 1:
            raise HarmonizeError(
                "config_wrong",
                "A run needs batches of 2 pictures or more, and a step, a batch to a step and some time at least.",
            )
        if not 0 < self.photographs <= 1:
            raise HarmonizeError("config_wrong", f"{self.photographs} is not a share of the photographs from 0 to 1.")
        if not 0 <= self.window <= 1:
            raise HarmonizeError("config_wrong", f"{self.window} is not a share of a window from 0 to 1.")
        if not 0 < self.least <= 1:
            raise HarmonizeError("config_wrong", f"{self.least} is not a share of a photograph's sides from 0 to 1.")
        if isinstance(self.network, ParametricConfig) and not 0 <= self.network.dropout < 1:
            raise HarmonizeError("config_wrong", f"{self.network.dropout} is not a share of what is pooled, from 0 to 1.")
        if self.side % 16 or not 64 <= self.side <= 1024:
            raise HarmonizeError("config_wrong", f"A side of {self.side} pixels is not a multiple of 16 from 64 to 1024.")


_scratch = TrainingConfig(
    network=ParametricConfig(trust=True),
    untouched=(0.08, 0.2),  # learn to act first, then to refrain
    paired=0.2,
    seams=0.3,
)
_ours = replace(
    _scratch,
    network=ParametricConfig(lite.widths, backbone="lite0", trust=True),
    supervised=0.75,
    relative=1.0,
    harm=1.0,
)
_paper = TrainingConfig(
    network=PihConfig(strides=(2, 2, 2, 2, 2, 2)),  # 16 x 16 at a 128 x 128 input, as the paper's has at 512 x 512
    discriminator=DiscriminatorConfig(strides=(2, 2, 2, 2, 2, 2), coarser=1),
    window=0.0,
    whole_picture=0.92,
    adversarial=0.08,
    adversary_sees_all=True,
    harm=0.0,
    light=0.0,
    magnitude=(0.75, 0.75),
    untouched=(0.0, 0.0),
    replayed=0.0,
    lit=0.0,
    seams=1.0,
    clean_plate=1.0,
    jittered=True,
    batch=8,
    learning_rate=4e-5,
    discriminator_rate=4e-5,
    weight_decay=0.0,
    warm_up=1,
    halve_at=(20, 40, 60),
    clip=math.inf,
    average=0.0,
    bfloat16=False,
)
_one_stream: dict[str, Any] = {"supervised": 1.0, "adversarial": 0.0}
experiments: dict[str, tuple[str, TrainingConfig]] = {
    "default": ("both streams, our network on a backbone that knows ImageNet", _ours),
    "scratch": ("both streams, a network of ours that knows nothing yet", _scratch),
    "large": (
        "the same with half as many weights again, 9.8 MB: for long runs",
        replace(_scratch, network=ParametricConfig((24, 48, 104, 200), (0, 0, 3, 3), hidden=432, trust=True)),
    ),
    "supervised": ("the same without real composites and discriminator", replace(_ours, **_one_stream)),
    "plain": ("version 1's recipe: supervised, none of what came later", TrainingConfig(**_one_stream)),
    "pih": ("the paper's network, losses and schedule, at our input size", _paper),
    "pih-512": (
        "the same at the paper's size",
        replace(
            _paper, side=512, network=PihConfig(), discriminator=DiscriminatorConfig(strides=(4, 4, 4, 2, 2, 2), coarser=1)
        ),
    ),
    "pih-small": (
        "the paper's network at a twentieth of its size, for a processor without a GPU; our optimiser",
        replace(
            _paper,
            network=PihConfig(depths=(1, 1, 1, 1), width=16, light_width=8, strides=(2, 2, 2, 2, 2, 2)),
            discriminator=DiscriminatorConfig(),
            clean_plate=0.2,
            batch=48,
            learning_rate=1.2e-3,
            discriminator_rate=2e-4,
            halve_at=(),
            warm_up=300,
            clip=1.0,
            average=0.999,
            bfloat16=True,
        ),
    ),
}


def experiment(name: str, changes: list[str]) -> TrainingConfig:
    """Take an experiment by name, with changes written as FIELD=VALUE, or network.FIELD=VALUE for the network's sizes.

    Raises HarmonizeError `config_unknown` or `config_wrong`.
    """
    if name not in experiments:
        raise HarmonizeError(
            "config_unknown", f"There is no configuration {name!r}.", f"Choose one of: {', '.join(experiments)}."
        )
    config = experiments[name][1]
    for change in changes:
        key, equals, text = change.partition("=")
        part, dot, inner = key.partition(".")
        if not equals:
            raise HarmonizeError("config_wrong", f"{change!r} sets nothing.", "Write it like: batch=64")
        if dot and part in ("network", "discriminator"):
            config = replace(config, **{part: _with(getattr(config, part), inner, text)})
        else:
            config = _with(config, key, text)
    return config


def _with(config: Config, name: str, text: str) -> Config:
    """Set one field to a value written as JSON, of the type that it has."""
    names = [each.name for each in fields(config) if each.name not in ("network", "discriminator")]
    if name not in names:
        raise HarmonizeError("config_wrong", f"There is nothing called {name!r} to set.", f"There is: {', '.join(names)}.")
    now: Any = getattr(config, name)
    try:
        value: Any = json.loads(text)
        if isinstance(now, tuple):
            value = tuple(value)
        elif isinstance(now, float):
            value = float(value)
        fits = type(value) is type(now)
    except (ValueError, TypeError):
        fits, value = False, None
    if not fits:
        raise HarmonizeError("config_wrong", f"{name} cannot be {text!r}.", f"It is {json.dumps(now)} by default.")
    return replace(config, **{name: value})


def chosen(run: Path, name: str | None, changes: list[str], steps: int | None, minutes: float | None) -> TrainingConfig:
    """Settle what to train: a run that is there goes on as it was unless something else is asked for.

    Raises HarmonizeError `config_unknown`, `config_wrong`, `run_differs`, `checkpoint_unreadable` or `usage`.
    """
    last = run / "last.pt"
    started = read(checkpoint.load(last)) if last.exists() else None
    asked = experiment(name or "default", changes) if started is None or name or changes else started
    bounds = {"steps": steps, "minutes": minutes}
    asked = replace(asked, **{bound: value for bound, value in bounds.items() if value is not None})
    if asked.steps == unbounded and asked.minutes == math.inf:
        raise HarmonizeError("usage", "A run needs an end.", "Add --minutes M or --steps N.")
    if started is not None:
        check_same(started, asked)
    return asked


running = ("steps", "minutes", "log_every", "evaluate_every", "save_every", "validate_on")  # may change within a run


def describe(config: TrainingConfig) -> dict[str, Any]:
    """Write a configuration down for a checkpoint: its numbers, its architecture and that one's sizes."""
    return {"config": asdict(config), **architectures.describe(config.network)}


def read(state: dict[str, Any]) -> TrainingConfig:
    """Read the configuration that `describe` wrote."""
    numbers: dict[str, Any] = dict(state["config"])
    discriminator = DiscriminatorConfig(**numbers.pop("discriminator"))
    numbers |= {"network": architectures.read(state), "discriminator": discriminator}
    return TrainingConfig(**numbers)


def check_same(started: TrainingConfig, now: TrainingConfig) -> None:
    """Refuse to go on with another configuration than the run's own. Raises HarmonizeError `run_differs`."""
    differ = [f.name for f in fields(now) if f.name not in running and getattr(started, f.name) != getattr(now, f.name)]
    if differ:
        raise HarmonizeError(
            "run_differs",
            f"This run was started with another configuration: {', '.join(differ)} differ.",
            "Leave --config and --set out to go on with it, or name another folder.",
        )
