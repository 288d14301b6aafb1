import asyncio
import socket

import pytest

from harmonize_engine.errors import HarmonizeError
from model_server import listening
from model_server.listening import Address


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.0.0.2"])
def test_this_computer_alone_can_reach_it(host):
    assert not listening.address(host, 0, allow_remote=False).remote


def test_a_name_is_turned_into_the_address_that_clients_try_first(monkeypatch):
    stream = (socket.SOCK_STREAM, 6, "")
    both = [(socket.AF_INET6, *stream, ("::1", 7, 0, 0)), (socket.AF_INET, *stream, ("127.0.0.1", 7))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: both)
    assert listening.address("localhost", 7, allow_remote=False) == Address("127.0.0.1", 7)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1"])
def test_others_can_reach_it_only_where_that_is_asked_for(host):
    with pytest.raises(HarmonizeError) as caught:
        listening.address(host, 0, allow_remote=False)
    assert caught.value.code == "remote_refused"
    assert listening.address(host, 0, allow_remote=True).remote


def test_names_of_this_computer_count_only_where_others_can_reach_it():
    assert listening.names(Address("127.0.0.1", 0)) == ()
    assert socket.gethostname().lower() in listening.names(Address("0.0.0.0", 0))


@pytest.mark.parametrize("host", ["no such host", "a.b.invalid", "[::1]", "127.0.0.1:80"])
def test_an_unknown_host_is_told(host, monkeypatch):
    def unknown(*_, **__):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)  # the real one might ask a name server
    with pytest.raises(HarmonizeError) as caught:
        listening.address(host, 0, allow_remote=True)
    assert caught.value.code == "host_unknown"


def test_an_address_of_another_computer_is_told():
    with pytest.raises(HarmonizeError) as caught:
        listening.bound(Address("192.0.2.1", 0))
    assert caught.value.code == "host_unknown"


def test_a_port_in_use_is_told():
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(HarmonizeError) as caught:
        listening.bound(Address("127.0.0.1", taken.getsockname()[1]))
    assert caught.value.code == "port_used"


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_a_free_port_is_found(host):
    with listening.bound(Address(host, 0)) as listener, socket.create_connection(listener.getsockname()[:2]):
        assert listener.getsockname()[0] == host


def test_small_answers_are_sent_at_once():
    async def accepted() -> int:
        met: asyncio.Queue[asyncio.StreamWriter] = asyncio.Queue()
        with listening.bound(Address("127.0.0.1", 0)) as listener:
            async with await asyncio.start_server(lambda _, writer: met.put_nowait(writer), sock=listener):
                with socket.create_connection(listener.getsockname()):
                    writer = await met.get()
                    delay = writer.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
                    writer.close()
                    return delay

    assert asyncio.run(accepted())
