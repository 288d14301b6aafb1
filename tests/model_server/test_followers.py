import os
import subprocess
import sys

import psutil
import pytest

from harmonize_engine.errors import HarmonizeError
from model_server.followers import Followed
from tests.model_server.processes import wait_until


@pytest.fixture
def programs():
    script = [sys.executable, "-c", "input()"]
    started = [subprocess.Popen(script, stdin=subprocess.PIPE) for _ in range(2)]
    yield started
    for program in started:
        program.kill()
        program.communicate()


def test_it_ends_with_the_last_of_them(programs):
    followed = Followed(binding=True)
    assert not followed.all_gone  # nobody was ever followed
    for program in programs:
        followed.add(program.pid)
    assert followed.pids == sorted(program.pid for program in programs)
    programs[0].kill()
    programs[0].wait()
    assert followed.pids == [programs[1].pid] and not followed.all_gone
    programs[1].kill()
    programs[1].wait()
    assert followed.pids == [] and followed.all_gone


def test_a_program_that_is_dead_but_not_buried_is_gone(programs):
    followed = Followed(binding=True)
    followed.add(programs[0].pid)
    programs[0].kill()  # without waiting for it: a zombie, whose number is still taken
    wait_until(lambda: followed.all_gone)


def test_a_program_with_the_number_of_a_dead_one_is_not_taken_for_it(programs):
    followed = Followed(binding=True)
    followed.add(programs[0].pid)
    process = followed._processes[programs[0].pid]
    process._ident = (process.pid, 1.0)  # as if it had begun in 1970
    assert followed.all_gone


def test_a_server_started_by_hand_is_not_ended_by_programs_that_come_and_go(programs):
    followed = Followed(binding=False)
    followed.add(programs[0].pid)
    programs[0].kill()
    programs[0].wait()
    assert followed.pids == [] and not followed.all_gone


@pytest.mark.parametrize("pid", [-1, 1 << 40, os.getpid()])
def test_only_another_process_can_be_followed(pid):
    with pytest.raises(HarmonizeError) as caught:
        Followed(binding=True).add(pid)
    assert caught.value.code == "process_unknown"


def test_a_dead_process_cannot_be_followed(programs):
    programs[0].kill()
    programs[0].wait()
    assert not psutil.pid_exists(programs[0].pid)
    with pytest.raises(HarmonizeError) as caught:
        Followed(binding=True).add(programs[0].pid)
    assert caught.value.code == "process_unknown"
