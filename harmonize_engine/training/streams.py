"""The two streams of training pictures: composites whose truth is known, and real composites.

What a batch holds is decided by the run's seed, the step and the batch's number in the step, by nothing before it: a run
that goes on after a kill sees what it would have seen, and processes draw the same batches that one alone would draw.
"""

import hashlib
import math
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from harmonize_engine.training import families
from harmonize_engine.training.collage import Collage, collage
from harmonize_engine.training.config import TrainingConfig
from harmonize_engine.training.photographs import Photographs, unpacked
from harmonize_engine.training.plates import pasted, repasted, shifted
from harmonize_engine.training.retouch import develop
from harmonize_engine.training.views import random_views

Harmonize = Callable[[Tensor, Tensor], Tensor]  # composites and masks to results


def generator_of(config: TrainingConfig, step: int, batch: int, purpose: str, device: str = "cpu") -> Generator:
    """Make the generator of one purpose in one batch of one step."""
    digest = hashlib.sha256(f"{config.seed} {step} {batch} {purpose}".encode()).digest()
    return Generator(device).manual_seed(int.from_bytes(digest[:7], "big"))


def is_supervised(config: TrainingConfig, step: int) -> bool:
    """Toss the coin of a step, the same for all of its batches (PIH: one in two)."""
    tossed = torch.rand((), generator=generator_of(config, step, 0, "stream"), device="cpu")
    return not config.adversarial or float(tossed) < config.supervised


@dataclass(frozen=True, eq=False)
class Scenes:
    """What the network sees of a batch, and the truth: composites, masks, backgrounds and the reference to match."""

    composites: Tensor
    masks: Tensor
    truths: Tensor
    backgrounds: Tensor
    reference: Tensor


class Loader:
    """Reads the pictures of the next batch while the network is busy with this one."""

    def __init__(self, parts: Sequence[Photographs], config: TrainingConfig) -> None:
        self.parts, self.config = parts, config
        self.used = [math.ceil(len(part) * config.photographs) for part in parts]
        self.photographs = sum(self.used)
        self.odds = torch.tensor([float(count) for count in self.used], device="cpu")
        self.threads = ThreadPoolExecutor(1)
        self.coming: dict[tuple[int, int], Future[tuple[Photographs, Tensor]]] = {}

    def read(self, step: int, batch: int) -> tuple[Photographs, Tensor]:
        """Read one batch: where it is from, and its pixels."""
        return (self.coming.pop((step, batch), None) or self._start(step, batch)).result()

    def expect(self, step: int, batch: int) -> None:
        """Start to read a batch that will be asked for."""
        self.coming[step, batch] = self._start(step, batch)

    def close(self) -> None:
        """Stop reading."""
        self.threads.shutdown(cancel_futures=True)

    def _start(self, step: int, batch: int) -> "Future[tuple[Photographs, Tensor]]":
        return self.threads.submit(self._read, step, batch)

    def _read(self, step: int, batch: int) -> tuple[Photographs, Tensor]:
        generator = generator_of(self.config, step, batch, "rows")
        which = int(torch.multinomial(self.odds, 1, generator=generator))
        part = self.parts[which]
        rows = torch.randint(self.used[which], (self.config.batch,), generator=generator, device="cpu")
        return part, part.read(rows)


def supervised(
    part: Photographs, pixels: Tensor, config: TrainingConfig, share: float, harmonize: Harmonize, generator: Generator
) -> Scenes:
    """Make composites of known truth. share: of the run that is done; harmonize: gives results to be met again."""
    planes = random_views(unpacked(pixels), part.size, generator, config.least, config.turn)
    shown = torch.rand(len(planes), generator=generator) < config.clean_plate
    if part.kind == "photograph":
        composites, masks, truths, plates = synthesised(planes, config, share, shown, generator)
    else:
        composites, masks, truths, plates = retouched(planes, config, shown, generator)
    again = int(len(planes) * config.replayed)
    if again:  # the network meets its own results: it learns to score them and to stop
        composites[:again] = harmonize(composites[:again], masks[:again])
    return Scenes(composites, masks, truths, *references(composites, masks, plates, shown, generator))


def unsupervised(part: Photographs, pixels: Tensor, config: TrainingConfig, generator: Generator) -> tuple[Scenes, Collage]:
    """Make real composites; their truths are only the composites themselves, for nobody knows."""
    planes = random_views(unpacked(pixels), part.size, generator, config.least, config.turn)
    images, masks = planes[:, :3], planes[:, 3:4]
    made = collage(images, masks, images.roll(1, 0), masks.roll(1, 0), generator)
    shown = torch.rand(len(planes), generator=generator) < config.clean_plate
    seen = references(made.composites, made.masks, made.plates, shown, generator)
    return Scenes(made.composites, made.masks, made.composites, *seen), made


def synthesised(
    planes: Tensor, config: TrainingConfig, share: float, shown: Tensor, generator: Generator
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Change the foregrounds of photographs: composites, masks, truths, and backgrounds without them where shown."""
    count = len(planes)
    couples = 2 * int(count * config.paired / 2)
    for value in (planes, shown):
        value[count - couples + 1 :: 2] = value[count - couples : count : 2]
    plain, masks, plates = _seamed(planes[:, :3], planes[:, 3:4], config.seams, shown, generator)
    if couples:  # the two of a couple stay the same but for their light
        for value in (plain, masks, plates):
            value[count - couples + 1 :: 2] = value[count - couples : count : 2]
    # some scenes get a light of their own, so that the network learns to follow it and not only what is usual
    lit = torch.rand(count, generator=generator) < config.lit
    lit[count - couples :] = True
    strength = torch.rand(count, generator=generator)
    state = generator.get_state()
    truths = develop(plain, strength * lit, generator)
    generator.set_state(state)
    plates = develop(plates, strength * lit, generator)  # by the same light
    family = torch.randint(len(families.names), (count,), generator=generator)
    magnitude = torch.rand(count, generator=generator) ** _now(config.magnitude, share)
    untouched = torch.rand(count, generator=generator) < _now(config.untouched, share)
    magnitude = torch.where(untouched, torch.zeros(()), magnitude)
    others = (torch.arange(count) + 1) % count
    made = families.composite(truths, masks, family, magnitude, truths[others], masks[others], generator)
    foreign = lit & ~untouched & (torch.rand(count, generator=generator) < 0.5)
    foreign[count - couples :] = False
    made = torch.where(foreign.view(-1, 1, 1, 1), pasted(plain, masks, truths), made)  # as it was, under another light
    for first in range(count - couples, count, 2):  # each of a couple wears the other's light
        pair = slice(first, first + 2)
        made[pair] = pasted(truths[pair].flip(0), masks[pair], truths[pair])
    return made, masks, truths, plates


def _now(ends: tuple[float, float], share: float) -> float:
    """Where a number that moves over the run stands; it has arrived at half of it."""
    return ends[0] + (ends[1] - ends[0]) * min(1.0, 2 * share)


def _seamed(
    images: Tensor, masks: Tensor, share: float, shown: Tensor, generator: Generator
) -> tuple[Tensor, Tensor, Tensor]:
    """Cut a share of the foregrounds out and paste them back; backgrounds are filled for those and where shown."""
    seamed = torch.rand(len(images), generator=generator) < share
    images, masks, plates = images.clone(), masks.clone(), images.clone()
    rows = (seamed | shown).nonzero().flatten()
    if len(rows):
        again, moved, plates[rows] = repasted(images[rows], masks[rows], generator)
        pasted_back = seamed[rows].view(-1, 1, 1, 1)
        images[rows] = torch.where(pasted_back, again, images[rows])
        masks[rows] = torch.where(pasted_back, moved, masks[rows])
    return images, masks, plates


def retouched(
    planes: Tensor, config: TrainingConfig, shown: Tensor, generator: Generator
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Use pairs as they are: the foreground before goes into the picture after, or onto its plate where there is one."""
    masks = planes[:, 3:4]
    if planes.shape[1] == 10:  # PIH: both are pasted over the same background, so that both have a seam
        moved = shifted(planes[:, :7], generator)
        after, masks, before, plates = moved[:, :3], moved[:, 3:4], moved[:, 4:7], planes[:, 7:]
        truths = pasted(after, masks, plates)
    else:
        before, (truths, masks, plates) = planes[:, 4:7], _seamed(planes[:, :3], masks, 0.0, shown, generator)
    if config.jittered:
        before = _jittered(before, masks, generator)
    return pasted(before, masks, truths), masks, truths, plates


def _jittered(images: Tensor, masks: Tensor, generator: Generator) -> Tensor:
    """Brightness by 0.65 to 1.35 and contrast about the foreground's mean grey by 0.8 to 1.2 (PIH's colour jitter)."""
    bright, slope = (1 + reach * (2 * torch.rand((len(images), 1, 1, 1), generator=generator) - 1) for reach in (0.35, 0.2))
    images = (images * bright).clamp(0, 1)
    weight = masks / masks.sum((2, 3), keepdim=True).clamp_min(1e-6)
    grey = (images * weight).sum((2, 3), keepdim=True).mean(1, keepdim=True)
    return (grey + (images - grey) * slope).clamp(0, 1)


def references(
    composites: Tensor, masks: Tensor, plates: Tensor, shown: Tensor, generator: Generator
) -> tuple[Tensor, Tensor]:
    """What to match: the plate where it is shown; elsewhere all that is visible, in one of four only one side of that."""
    count, _, height, width = composites.shape
    shown = shown.view(-1, 1, 1, 1)
    backgrounds = torch.where(shown, plates, composites)
    reference = torch.where(shown, torch.ones(()), 1 - masks)
    angle = torch.rand((count, 1, 1, 1), generator=generator) * 2 * torch.pi
    y = torch.linspace(-1, 1, height).view(1, 1, -1, 1)
    x = torch.linspace(-1, 1, width).view(1, 1, 1, -1)
    side = ((x * angle.cos() + y * angle.sin()) > -0.1).float() * reference
    chosen = torch.rand((count, 1, 1, 1), generator=generator) < 0.25
    enough = (side.mean((1, 2, 3), keepdim=True) > 0.08) & chosen
    return backgrounds, torch.where(enough, side, reference)
