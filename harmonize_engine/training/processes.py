"""The processes that train one network together, started by torchrun; alone without it.

Every process holds the whole network and looks at its own part of a step's batches; gradients are averaged before each
step, so all stay the same. This is what DistributedDataParallel does, without its hooks: our networks are small, so
nothing is won by averaging during the backward pass, and two networks with gradients that come and go are simpler so.
"""

import os
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import torch
import torch.distributed as dist
from torch import nn

from harmonize_engine.errors import HarmonizeError


@dataclass(frozen=True)
class Processes:
    """This process among its fellows: which it is, how many there are, and the device it computes on."""

    rank: int
    count: int
    device: torch.device

    @property
    def leads(self) -> bool:
        """Whether this one validates, saves and talks."""
        return self.rank == 0

    def share_of(self, batches: int) -> range:
        """Which of a step's batches are this process's. Raises HarmonizeError `uneven_processes`."""
        if batches % self.count:
            raise HarmonizeError(
                "uneven_processes",
                f"{batches} batches to a step cannot be shared evenly by {self.count} processes.",
                f"Add: --set accumulate={self.count}",
            )
        return range(self.rank, batches, self.count)

    def average_gradients(self, network: nn.Module) -> None:
        """Give every process the mean of all processes' gradients."""
        gradients = [p.grad for p in network.parameters() if p.grad is not None]
        if self.count == 1 or not gradients:
            return
        together = torch.cat([gradient.flatten() for gradient in gradients])
        dist.all_reduce(together)
        together /= self.count
        for gradient, mean in zip(gradients, together.split([g.numel() for g in gradients]), strict=True):
            gradient.copy_(mean.view_as(gradient))

    def agree(self, value: float) -> float:
        """Take the leader's word, for what each could see differently, such as the time."""
        if self.count == 1:
            return value
        told = torch.tensor(value, dtype=torch.float64, device=self.device)
        dist.broadcast(told, 0)
        return float(told)

    def copy_leader(self, network: nn.Module) -> None:
        """Give every process the leader's weights and running statistics."""
        if self.count > 1:
            for value in network.state_dict().values():
                dist.broadcast(value, 0)

    def wait(self) -> None:
        """Wait until all have come here."""
        if self.count > 1:
            dist.barrier()


@contextmanager
def joined() -> Generator[Processes]:
    """Join the processes that torchrun started, on CUDA where it is there."""
    count, rank = int(os.environ.get("WORLD_SIZE", "1")), int(os.environ.get("RANK", "0"))
    cuda = torch.cuda.is_available()
    device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0"))) if cuda else torch.device("cpu")
    if cuda:
        torch.cuda.set_device(device)
    if count == 1:
        yield Processes(0, 1, device)
        return
    dist.init_process_group("nccl" if cuda else "gloo", timeout=timedelta(hours=2))  # the leader decodes all photographs
    try:
        yield Processes(rank, count, device)
    finally:
        dist.destroy_process_group()
