"""Train a parametric network on composites made on the fly; read `train` from top to bottom.

harmonize train parametric PHOTOGRAPHS... RUN --minutes 100

The run folder holds `last.pt` (gone on from after any stop), `best.pt` (best EMA weights on the validation set),
`metrics.jsonl` and its drawing `metrics.svg`. Bounded by steps or by minutes of training, whichever comes first; the same
on a processor for the same seed and a bound in steps. `torchrun --nproc-per-node N` trains with N processes or GPUs.
"""

import copy
import math
import time
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from tqdm import tqdm

from harmonize_engine.models import architectures
from harmonize_engine.models.architectures import Network
from harmonize_engine.models.parametric import Parametric
from harmonize_engine.models.rendering import render
from harmonize_engine.training import checkpoint, loss, photographs, precision, pretrained, shipped, streams, validation
from harmonize_engine.training import config as configuration
from harmonize_engine.training.adversary import Adversary
from harmonize_engine.training.checkpoint import Progress
from harmonize_engine.training.config import TrainingConfig
from harmonize_engine.training.journal import Journal
from harmonize_engine.training.loss import Attempt, Weights
from harmonize_engine.training.meter import Meter
from harmonize_engine.training.photographs import Photographs
from harmonize_engine.training.processes import Processes, joined
from harmonize_engine.training.streams import Loader, Scenes


def train(folders: list[Path], run: Path, config: TrainingConfig, cache: Path, start: Path | None = None) -> Path:
    """Train until the bound is reached and return the path of the best checkpoint.

    start: a checkpoint or an exported model whose weights a new run begins with.
    Raises HarmonizeError of the sources, the configuration or the checkpoint.
    """
    with joined() as processes, _on(processes.device):
        state = checkpoint.load(run / "last.pt") if (run / "last.pt").exists() else None
        if state is not None:
            configuration.check_same(configuration.read(state), config)
        trained, held_out = _load(folders, cache, config, processes)
        training = Training(config, processes, trained, pretrain=state is None and start is None)
        if state is not None:
            training.restore(state)
        elif start is not None:
            training.begin_with(start)
        processes.copy_leader(training.network)
        run.mkdir(parents=True, exist_ok=True)
        with closing(training.loader):
            training.loader.expect(training.progress.step, processes.rank)
            if processes.leads:
                _lead(training, held_out, run)
            else:
                while (share := processes.agree(0.0)) < 1.0:
                    training.step(share)
        processes.wait()
    return run / "best.pt"


def _lead(training: "Training", held_out: list[Photographs], run: Path) -> None:
    """Train, tell all other processes when it is over, and log, validate and save on the way."""
    config, progress = training.config, training.progress
    full, every = _validation_sets(held_out, config)
    journal = Journal(run, progress.step)
    started, saved = time.monotonic() - progress.seconds, time.monotonic()
    bar = tqdm(total=100, unit="%", mininterval=5, disable=None, bar_format=_bar)
    while (share := training.processes.agree(progress.share(config))) < 1.0:
        training.step(share)
        progress.seconds = time.monotonic() - started
        over = progress.share(config) >= 1.0
        bar.update(progress.share(config) * 100 - bar.n)
        if progress.step % config.log_every == 0 or over:
            journal.add(step=progress.step, minutes=progress.seconds / 60, **training.meter.report())
        if progress.step % config.evaluate_every == 0 or over:
            summary = validation.measure(training.kept, full, every, config.clean_plate >= 1, training.device)
            if summary["score"] < progress.best:
                progress.best = summary["score"]
                checkpoint.save(run / "best.pt", training.state())
            images = progress.step * config.batch * config.accumulate
            journal.add(step=progress.step, images=images, minutes=progress.seconds / 60, **summary)
            journal.draw()
        if time.monotonic() - saved > 60 * config.save_every or over:
            checkpoint.save(run / "last.pt", training.state())
            saved = time.monotonic()
    bar.close()


_bar = "{l_bar}{bar}| {elapsed}<{remaining}{postfix}"


def _on(device: torch.device) -> AbstractContextManager[object]:
    """Make new tensors on the device; on the processor they are anyway."""
    return device if device.type == "cuda" else nullcontext()


def _load(
    folders: list[Path], cache: Path, config: TrainingConfig, processes: Processes
) -> tuple[list[Photographs], list[Photographs]]:
    """Load what trains and what validates; the leader decodes, the others then find it in the cache."""
    if not processes.leads:
        processes.wait()
    side, windows, quiet = config.side, sorted({0.0, config.window}), not processes.leads
    found = [
        [part for folder in folders for w in windows for part in photographs.load(folder, split, cache, side, quiet, w)]
        for split in ("train", "val")
    ]
    if processes.leads:
        processes.wait()
    return found[0], found[1]


def _validation_sets(
    held_out: list[Photographs], config: TrainingConfig
) -> tuple[list[validation.ValidationSet], list[validation.ValidationSet]]:
    with torch.device("cpu"):
        full, every = (
            [validation.validation_set(part, kind, config.validate_on) for part in held_out] for kind in ("full", "all")
        )
    return full, every


def rate_at(step: int, share: float, epochs: float, config: TrainingConfig) -> float:
    """The learning rate's factor: linear warm-up, then a cosine down to a hundredth, or halved at certain epochs."""
    warm = min(1.0, (step + 1) / config.warm_up)
    if config.halve_at:
        return warm * 0.5 ** sum(epochs >= epoch for epoch in config.halve_at)
    return warm * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * share)))


class Training:
    """Networks, optimisers and pictures of a run, and its step."""

    def __init__(
        self, config: TrainingConfig, processes: Processes, trained: list[Photographs], pretrain: bool = False
    ) -> None:
        torch.manual_seed(config.seed)
        self.config, self.processes, self.device = config, processes, processes.device
        fresh = architectures.build(config.network)
        if pretrain:
            pretrained.begin_with(fresh)
        self.network = _channels_last(fresh).to(self.device)
        self.kept = copy.deepcopy(self.network).requires_grad_(False).eval()
        self.optimiser = torch.optim.AdamW(_groups(self.network, config), config.learning_rate, config.betas)
        self.adversary = Adversary(config, self.device) if config.adversarial else None
        self.loader = Loader(trained, config)
        self.mine = processes.share_of(config.accumulate)
        self.meter = Meter(self.device)
        self.progress = Progress()

    def step(self, share: float) -> None:
        """Look at this process's batches of a step, average gradients over all, and move the weights."""
        step, config = self.progress.step, self.config
        supervised = streams.is_supervised(config, step)
        for batch in self.mine:
            with self.meter.during("loading"):
                part, pixels = self.loader.read(step, batch)
                later = batch + self.processes.count
                self.loader.expect(*((step, later) if later < config.accumulate else (step + 1, self.processes.rank)))
                pixels = pixels.to(self.device)
            generator = streams.generator_of(config, step, batch, "pictures", str(self.device))
            with self.meter.during("synthesis"):
                if supervised:
                    seen = streams.supervised(part, pixels, config, share, self.harmonize, generator)
                    photographs_themselves = seen.truths
                else:
                    seen, made = streams.unsupervised(part, pixels, config, generator)
                    photographs_themselves = made.photographs
            with self.meter.during("step"):
                noted = self._look(seen, photographs_themselves, supervised, share)
            self.meter.note(noted, len(pixels))
        with self.meter.during("step"):
            self._move(share)
        self.progress.step += 1

    def _look(self, seen: Scenes, photographs_themselves: Tensor, supervised: bool, share: float) -> dict[str, Tensor]:
        """Add the gradients of one batch; tells its losses."""
        config, adversary = self.config, self.adversary
        noted: dict[str, Tensor] = {}  # no truth is known of real composites: there only the adversary speaks
        with self._bfloat16():
            composites = seen.composites.contiguous(memory_format=torch.channels_last)
            curves, gain, logits, trust = self.network.attempt(composites, seen.masks, seen.backgrounds, seen.reference)
        attempt = Attempt(curves.float(), gain.float(), logits.float(), trust)
        total = torch.zeros((), device=self.device)
        if supervised:
            weights = Weights(
                config.harm, config.relative, config.squared, config.light, config.whole_picture, share < config.trust_from
            )
            total, noted = loss.objective(seen.composites, seen.masks, seen.truths, attempt, weights)
        if adversary is not None and (not supervised or config.adversary_sees_all):
            results = attempt.results(seen.composites, seen.masks)
            with self._bfloat16():
                opinion = adversary.opinion(results)
                mistakes, told = adversary.mistakes(results, seen.masks, photographs_themselves)
            total = total + config.adversarial * opinion
            noted |= {"opinion": opinion.detach(), **(told if not supervised else {})}
            (mistakes / len(self.mine)).backward()
        (total / len(self.mine)).backward()
        return noted

    def _move(self, share: float) -> None:
        """Average gradients over all processes, clip them, step both optimisers and the EMA weights."""
        config, progress = self.config, self.progress
        epochs = progress.step * config.batch * config.accumulate / self.loader.photographs
        factor = rate_at(progress.step, share, epochs, config)
        movers: list[tuple[nn.Module, torch.optim.Optimizer, float]] = [
            (self.network, self.optimiser, config.learning_rate)
        ]
        if self.adversary is not None:
            movers.append((self.adversary.network, self.adversary.optimiser, config.discriminator_rate))
        for network, optimiser, rate in movers:
            for group in optimiser.param_groups:
                group["lr"] = rate * factor * group.get("share", 1.0)
            self.processes.average_gradients(network)
            norm = nn.utils.clip_grad_norm_(network.parameters(), config.clip)
            if torch.isfinite(norm):
                optimiser.step()
            optimiser.zero_grad(set_to_none=True)
        average(self.kept, self.network, config.average, progress.step)

    @torch.no_grad()
    def harmonize(self, composites: Tensor, masks: Tensor) -> Tensor:
        """Give the averaged network's results."""
        with self._bfloat16():
            curves, gain, _ = self.kept(composites, masks, composites, 1 - masks)
        return render(composites, masks, curves.float(), gain.float())

    def _bfloat16(self) -> torch.autocast:
        return precision.bfloat16(self.device, self.config.bfloat16)

    def state(self) -> dict[str, Any]:
        """All that a checkpoint holds."""
        state: dict[str, Any] = {
            "network": self.network.state_dict(),
            "average": self.kept.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "progress": asdict(self.progress),
            **configuration.describe(self.config),
        }
        if self.adversary is not None:
            state["discriminator"] = self.adversary.network.state_dict()
            state["discriminator_optimiser"] = self.adversary.optimiser.state_dict()
        return state

    def restore(self, state: dict[str, Any]) -> None:
        """Go on where a checkpoint stands."""
        self.network.load_state_dict(state["network"])
        self.kept.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.progress = Progress(**state["progress"])
        if self.adversary is not None:
            self.adversary.network.load_state_dict(state["discriminator"])
            self.adversary.optimiser.load_state_dict(state["discriminator_optimiser"])

    def begin_with(self, path: Path) -> None:
        """Begin with another run's averaged weights, or an exported model's; what does not fit this network is new."""
        exported = path.suffix == ".onnx"
        weights = shipped.read(path, self.kept) if exported else checkpoint.load(path)["average"]
        fresh = self.network.state_dict()
        fitting = {n: v for n, v in weights.items() if n in fresh and fresh[n].shape == v.shape}
        self.kept.load_state_dict({**fresh, **fitting})
        if exported:
            shipped.unfold(self.kept, (self._composites(step) for step in range(8)))
        self.network.load_state_dict(self.kept.state_dict())

    def _composites(self, step: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """What the network is given in a supervised step."""
        part, pixels = self.loader.read(step, 0)
        generator = streams.generator_of(self.config, step, 0, "pictures", str(self.device))
        plain = replace(self.config, replayed=0.0)
        seen = streams.supervised(part, pixels.to(self.device), plain, 1.0, self.harmonize, generator)
        return seen.composites, seen.masks, seen.backgrounds, seen.reference


def average(kept: Network, network: Network, decay: float, step: int) -> None:
    """Move the EMA weights towards the network's; the average is short at first."""
    decay = min(decay, (1 + step) / (10 + step))
    with torch.no_grad():
        for old, new in zip(kept.state_dict().values(), network.state_dict().values(), strict=True):
            old.lerp_(new, 1 - decay) if old.dtype.is_floating_point else old.copy_(new)


def _channels_last(network: Network) -> Network:
    """Lay convolutions out with the channels last: they run faster so."""
    for parameter in network.parameters():
        if parameter.ndim == 4:
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
    return network


def _groups(network: Network, config: TrainingConfig) -> list[dict[str, Any]]:
    """Sort the weights: matrices decay; what stages have learned before is changed more slowly than what is new."""
    ready = set(network.stages.parameters()) if isinstance(network, Parametric) and network.config.backbone else set()
    groups: list[dict[str, Any]] = []
    for share, part in ((1.0, set(network.parameters()) - ready), (config.backbone_rate, ready)):
        learning = [p for p in network.parameters() if p in part and p.requires_grad]
        for decay, rows in ((config.weight_decay, True), (0.0, False)):
            weights = [p for p in learning if (p.ndim > 1) == rows]
            if weights:
                groups.append({"params": weights, "weight_decay": decay, "share": share})
    return groups
