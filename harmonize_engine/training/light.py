"""Second stage: the layers of the light map alone, on composites of which most are lit unevenly.

python -m harmonize_engine.training.light PHOTOGRAPHS RUN/best.pt RUN/light.pt --minutes 6

In the first stage two thirds of the composites need no light map, and what curves leave undone hides the rest: it
hardly learns there. Here everything else stays as it is, so that the same minutes hold several times the steps.
"""

import argparse
import copy
import math
import time
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor
from tqdm import tqdm

from harmonize_engine.training import export, families, loss, photographs
from harmonize_engine.training.parametric import Batches, TrainingConfig, average

lit_share = 0.6  # of a batch is dodged and burnt, the rest as in the first stage
learning_rate = 2e-3


class LitBatches(Batches):
    """Batches of the first stage, most of them replaced by dodge and burn."""

    def draw(self) -> tuple[str, Tensor, Tensor, Tensor]:
        """Draw one batch: its shape, composites, masks and truths."""
        shape, made, masks, truths = super().draw()
        count = int(lit_share * len(made))
        magnitude = torch.rand(count, generator=self.generator) ** 0.5
        lit = families.relight(truths[:count], magnitude, self.generator).clamp(0, 1)
        made[:count] = truths[:count] + (lit - truths[:count]) * masks[:count]
        return shape, made, masks, truths


def train(folder: Path, checkpoint: Path, out: Path, minutes: float, cache: Path, seed: int = 2) -> float:
    """Train the light map's layers of a checkpoint's averaged weights, write the checkpoint anew.

    Returns the share of the unevenness that is left, over the last batches.
    """
    network, state = export.load(checkpoint)
    kept = copy.deepcopy(network)
    config = replace(TrainingConfig(**state["config"]), seed=seed, replayed=0.0, average=0.995)
    batches = LitBatches(photographs.load(folder, "train", cache), config)
    for name, parameter in network.named_parameters():
        parameter.requires_grad_(name.startswith("light_"))
    trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
    optimiser = torch.optim.AdamW(trained, lr=learning_rate, weight_decay=0.01)
    network.light_norm.train()
    network.light_mid.train()
    started, step, share, left = time.monotonic(), 0, 0.0, 1.0
    bar = tqdm(total=100, unit="%", mininterval=5, bar_format="{l_bar}{bar}| {elapsed}<{remaining}{postfix}")
    while share < 1:
        share = min(1.0, (time.monotonic() - started) / 60 / minutes)
        for group in optimiser.param_groups:
            group["lr"] = learning_rate * min(1.0, (step + 1) / 50) * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * share)))
        _, composites, masks, truths = batches.draw()
        with torch.autocast("cpu", torch.bfloat16):
            curves, gain, logits = network(composites, masks, composites, 1 - masks)
        curves, gain = curves.float(), gain.float()
        total, _, _ = loss.objective(composites, masks, truths, curves, gain, logits)
        optimiser.zero_grad(set_to_none=True)
        total.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimiser.step()
        average(kept, network, config, step)
        step += 1
        remaining, before = loss.light_errors(composites, masks, truths, curves, gain.detach())
        left = 0.98 * left + 0.02 * float(remaining / before)
        bar.update(share * 100 - bar.n)
        bar.set_postfix(step=step, left=f"{left:.3f}", refresh=False)
    bar.close()
    state["average"] = kept.state_dict()
    state["progress"]["light_steps"] = step
    torch.save(state, out)
    return left


def main() -> None:
    """Read the command line and train."""
    parser = argparse.ArgumentParser(description="Train the light map's layers alone.")
    parser.add_argument("photographs", type=Path)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--minutes", type=float, default=6)
    parser.add_argument("--cache", type=Path, default=None)
    chosen = parser.parse_args()
    cache = chosen.cache or chosen.out.parent
    left = train(chosen.photographs, chosen.checkpoint, chosen.out, chosen.minutes, cache)
    print(f"Wrote {chosen.out}; {left:.1%} of the unevenness is left.")


if __name__ == "__main__":
    main()
