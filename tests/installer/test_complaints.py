"""What pip says, and the sentence that an artist reads."""

from pathlib import Path

import pytest

from installer.complaints import understood
from tests.installer.made_up import linux


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device", "disk_full"),
        ("OSError: [WinError 32] The process cannot access the file because it is being used", "file_locked"),
        ("PermissionError: [WinError 5] Access is denied: 'numpy.pyd'", "file_locked"),
        ("WARNING: Retrying after connection broken by 'ProxyError('Cannot connect to proxy.')'", "proxy"),
        ("OSError('Tunnel connection failed: 407 Proxy Authentication Required')", "proxy"),
        ("SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED]'))", "certificate"),
        ("WARNING: The repository located at an.example is not a trusted or secure host", "certificate"),
        ("NewConnectionError: [Errno -3] Temporary failure in name resolution\nERROR: No matching", "no_network"),
        ("ReadTimeoutError: Read timed out.", "no_network"),
        ("ERROR: No matching distribution found for onnxruntime==1.31.1", "wheel_missing"),
        ("ERROR: something new\n", "packages"),
        ("", "packages"),
    ],
)
def test_every_complaint_has_its_sentence(said: str, code: str, tmp_path: Path) -> None:
    error = understood(said, None, linux(tmp_path))
    assert error.code == code
    assert error.message.endswith((".", "something new", "nothing")) and error.hint.endswith(".")


@pytest.mark.parametrize("proxy", ["http://anna:secret@proxy.example:8080", "proxy.example:8080"])
def test_a_host_out_of_reach_that_is_the_proxy_is_known_as_that(proxy: str, tmp_path: Path) -> None:
    said = "after connection broken by NewConnectionError(host='{}', port=8080): Connection refused"
    machine = linux(tmp_path, https_proxy=proxy)
    assert understood(said.format("proxy.example"), None, machine).code == "proxy"
    assert understood(said.format("index.example"), None, machine).code == "no_network"


def test_no_password_of_an_index_is_shown(tmp_path: Path) -> None:
    said = "ERROR: Strange answer of https://anna:secret@index.example/simple/"
    error = understood(said, None, linux(tmp_path))
    assert "secret" not in str(error) and "index.example" in str(error)
