"""What glibc keeps and gives back; with another C library there is nothing to do."""

import platform

import psutil

from model_server import memory

here = platform.libc_ver()[0] == "glibc"
megabyte = 1 << 20


def rss() -> float:
    return psutil.Process().memory_info().rss / megabyte


def test_what_was_freed_is_given_back() -> None:
    blocks = [bytes(3000) for _ in range(20_000)]
    last = bytes(3000)  # above the others, so that they cannot be given back without being asked for
    del blocks
    before = rss()
    assert memory.give_back() == here
    assert not here or before - rss() > 40
    assert len(last) == 3000


def test_threads_are_made_to_share_wherever_they_can_be() -> None:
    assert memory.share_arenas() == here
