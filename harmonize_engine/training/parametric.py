"""Train the parametric network on composites made on the fly; read from top to bottom.

python -m harmonize_engine.training.parametric PHOTOGRAPHS RUN_FOLDER --minutes 100

The run folder holds `last.pt` (resumed from after any stop), `best.pt` (best EMA weights on the validation set) and
`metrics.jsonl`. Bounded by steps or by minutes of training, whichever comes first; deterministic on one CPU given the seed
and a bound in steps.
"""

import argparse
import copy
import json
import math
import time
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from tqdm import tqdm

from harmonize_engine.models.parametric import Parametric, ParametricConfig
from harmonize_engine.training import families, loss, photographs, validation


@dataclass(frozen=True)
class TrainingConfig:
    """One run; saved in its checkpoints."""

    steps: int = 1_000_000
    minutes: float = 1e9  # of training in all, resumed runs included
    batch: int = 48
    learning_rate: float = 1.2e-3
    warm_up: int = 300  # steps
    weight_decay: float = 0.02
    clip: float = 1.0  # gradient norm
    average: float = 0.999  # EMA of the weights
    untouched: float = 0.16  # share of composites left as they are
    replayed: float = 0.12  # share that is the network's own earlier result
    lit: float = 0.3  # share of scenes under a light of their own; half of them get their foreground without it
    seed: int = 1
    evaluate_every: int = 1500  # steps
    save_every: float = 2.0  # minutes
    validate_on: int = 150  # photographs of each shape, inside the loop


@dataclass
class Progress:
    """Where a run stands; kept in the checkpoint."""

    step: int = 0
    seconds: float = 0.0
    best: float = math.inf

    def share(self, config: TrainingConfig) -> float:
        """How much of the run is done, 0..1."""
        return min(1.0, max(self.step / config.steps, self.seconds / 60 / config.minutes))


def rate_at(progress: Progress, config: TrainingConfig) -> float:
    """Learning rate: linear warm-up, then a cosine down to a hundredth."""
    warm = min(1.0, (progress.step + 1) / config.warm_up)
    return config.learning_rate * warm * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * progress.share(config))))


class Batches:
    """An endless stream of training batches of one shape each: composites, masks, truths, background, reference."""

    def __init__(self, sets: dict[str, photographs.Photographs], config: TrainingConfig) -> None:
        self.sets = list(sets.values())
        self.odds = torch.tensor([float(len(part)) for part in self.sets])
        self.config = config
        self.generator = torch.Generator().manual_seed(config.seed)
        self.replay: dict[str, tuple[Tensor, Tensor, Tensor]] = {}

    def draw(self) -> tuple[str, Tensor, Tensor, Tensor]:
        """Draw one batch: its shape, composites, masks and truths."""
        part = self.sets[int(torch.multinomial(self.odds, 1, generator=self.generator))]
        rows = torch.randint(len(part), (self.config.batch,), generator=self.generator)
        size = photographs.input_shapes[part.shape]
        plain, masks = photographs.random_views(*part.batch(rows), size, self.generator)
        count = len(rows)
        # some scenes get a light of their own, so that the network learns to follow it and not only what is usual
        lit = torch.rand(count, generator=self.generator) < self.config.lit
        truths = families.develop(plain, torch.rand(count, generator=self.generator) * lit, self.generator)
        family = torch.randint(len(families.names), (count,), generator=self.generator)
        magnitude = torch.rand(count, generator=self.generator) ** 0.75
        untouched = torch.rand(count, generator=self.generator) < self.config.untouched
        magnitude = torch.where(untouched, torch.zeros(()), magnitude)
        others = (torch.arange(count) + 1) % count
        made = families.composite(truths, masks, family, magnitude, truths[others], masks[others], self.generator)
        foreign = lit & ~untouched & (torch.rand(count, generator=self.generator) < 0.5)
        made[foreign] = (truths + (plain - truths) * masks)[foreign]  # pasted in as it was, under another light
        earlier = self.replay.get(part.shape)
        if earlier is not None:  # the network meets its own results: it learns to score them and to stop
            kept = int(count * self.config.replayed)
            for new, old in zip((made, masks, truths), earlier, strict=True):
                new[:kept] = old[len(old) - kept :]
        return part.shape, made, masks, truths

    def references(self, composites: Tensor, masks: Tensor) -> tuple[Tensor, Tensor]:
        """What to match: mostly all that is visible, sometimes one side of it, sometimes a clean plate."""
        count, _, height, width = composites.shape
        backgrounds, reference = composites.clone(), 1 - masks
        kind = torch.rand(count, generator=self.generator)
        plate = kind < 0.2  # no clean plates here: the hole is filled from the mirrored picture
        filled = composites + (composites.flip(3) - composites) * masks
        backgrounds[plate] = filled[plate]
        reference[plate] = 1 - (masks * masks.flip(3))[plate]
        angle = torch.rand((count, 1, 1, 1), generator=self.generator) * 2 * torch.pi
        y = torch.linspace(-1, 1, height).view(1, 1, -1, 1)
        x = torch.linspace(-1, 1, width).view(1, 1, 1, -1)
        side = ((x * angle.cos() + y * angle.sin()) > -0.1).float() * reference
        enough = (side.mean((1, 2, 3)) > 0.08) & (kind > 0.75)
        reference[enough] = side[enough]
        return backgrounds, reference

    def keep(self, shape: str, results: Tensor, masks: Tensor, truths: Tensor) -> None:
        """Remember results for a later batch."""
        self.replay[shape] = (results.detach(), masks, truths)


def average(kept: Parametric, network: Parametric, config: TrainingConfig, step: int) -> None:
    """Move the EMA weights towards the network's; the average is short at first."""
    decay = min(config.average, (1 + step) / (10 + step))
    with torch.no_grad():
        for old, new in zip(kept.state_dict().values(), network.state_dict().values(), strict=True):
            old.lerp_(new, 1 - decay) if old.dtype.is_floating_point else old.copy_(new)


def train(folder: Path, run: Path, config: TrainingConfig, cache: Path, sizes: ParametricConfig | None = None) -> Path:
    """Train until the bound is reached and return the path of the best checkpoint."""
    run.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(config.seed)
    network = Parametric(sizes)
    for parameter in network.parameters():
        if parameter.ndim == 4:  # convolutions run faster with the channels last
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
    kept = copy.deepcopy(network).requires_grad_(False)
    decayed = [p for p in network.parameters() if p.ndim > 1]
    plain = [p for p in network.parameters() if p.ndim <= 1]
    optimiser = torch.optim.AdamW(
        [{"params": decayed, "weight_decay": config.weight_decay}, {"params": plain, "weight_decay": 0.0}]
    )
    batches = Batches(photographs.load(folder, "train", cache), config)
    held_out = photographs.load(folder, "val", cache).values()
    full = [validation.validation_set(part, "full", config.validate_on) for part in held_out]
    every = [validation.validation_set(part, "all", config.validate_on) for part in held_out]

    progress = Progress()
    last = run / "last.pt"
    if last.exists():
        state = torch.load(last, weights_only=True)
        network.load_state_dict(state["network"])
        kept.load_state_dict(state["average"])
        optimiser.load_state_dict(state["optimiser"])
        batches.generator.set_state(state["generator"])
        batches.replay = state["replay"]
        progress = Progress(**state["progress"])

    def save(path: Path) -> None:
        state: dict[str, Any] = {
            "network": network.state_dict(),
            "average": kept.state_dict(),
            "optimiser": optimiser.state_dict(),
            "generator": batches.generator.get_state(),
            "replay": batches.replay,
            "progress": asdict(progress),
            "config": asdict(config),
            "sizes": asdict(network.config),
        }
        partial = path.with_suffix(".partial")
        torch.save(state, partial)
        partial.replace(path)  # a kill never leaves half a checkpoint

    bar = tqdm(total=100, unit="%", mininterval=5, bar_format="{l_bar}{bar}| {elapsed}<{remaining}{postfix}")
    started, before, saved = time.monotonic(), progress.seconds, time.monotonic()
    recent: dict[str, float] = {}
    network.train()
    while progress.share(config) < 1.0:
        for group in optimiser.param_groups:
            group["lr"] = rate_at(progress, config)
        shape, composites, masks, truths = batches.draw()
        backgrounds, reference = batches.references(composites, masks)
        with torch.autocast("cpu", torch.bfloat16):
            curves, gain, logits = network(
                composites.contiguous(memory_format=torch.channels_last), masks, backgrounds, reference
            )
        total, parts, results = loss.objective(composites, masks, truths, curves.float(), gain.float(), logits)
        optimiser.zero_grad(set_to_none=True)
        total.backward()
        norm = torch.nn.utils.clip_grad_norm_(network.parameters(), config.clip)
        if torch.isfinite(norm):
            optimiser.step()
        average(kept, network, config, progress.step)
        batches.keep(shape, results, masks, truths)

        progress.step += 1
        progress.seconds = before + time.monotonic() - started
        for name, value in parts.items():
            recent[name] = recent.get(name, float(value)) * 0.99 + float(value) * 0.01
        bar.update(progress.share(config) * 100 - bar.n)
        bar.set_postfix(step=progress.step, error=recent["error"], refresh=False)
        if progress.step % config.evaluate_every == 0 or progress.share(config) >= 1.0:
            summary = validation.measure(kept, full, every)
            if summary["score"] < progress.best:
                progress.best = summary["score"]
                save(run / "best.pt")
            images = progress.step * config.batch
            line = {
                "step": progress.step,
                "images": images,
                "minutes": progress.seconds / 60,
                **recent,
                **summary,
            }
            with (run / "metrics.jsonl").open("a") as log:
                log.write(json.dumps(line) + "\n")
        if time.monotonic() - saved > 60 * config.save_every or progress.share(config) >= 1.0:
            save(last)
            saved = time.monotonic()
    bar.close()
    return run / "best.pt"


def main() -> None:
    """Read the command line and train."""
    parser = argparse.ArgumentParser(description="Train the parametric network.")
    parser.add_argument("photographs", type=Path, help="folder with images/ and masks/, or zips of them")
    parser.add_argument("run", type=Path, help="folder for checkpoints and the metrics log")
    parser.add_argument("--cache", type=Path, default=None, help="where decoded photographs are kept (default: the run)")
    for field in fields(TrainingConfig):
        parser.add_argument("--" + field.name.replace("_", "-"), type=type(field.default), default=field.default)
    chosen = vars(parser.parse_args())
    folder, run, cache = chosen.pop("photographs"), chosen.pop("run"), chosen.pop("cache")
    print(f"Best checkpoint: {train(folder, run, TrainingConfig(**chosen), cache or run)}")


if __name__ == "__main__":
    main()
