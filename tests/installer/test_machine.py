"""Where things are on each platform: the installer, the plug-ins' client and the server must agree."""

import os
import sys
from pathlib import Path

import platformdirs
import pytest

from installer.machine import Machine, clean_environment
from model_server import engine_client


def machine(platform: str, home: Path, **environment: str) -> Machine:
    return Machine(platform, "x86_64", environment, home)


@pytest.mark.parametrize("platform", ["linux", "darwin", "win32"])
@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"XDG_DATA_HOME": "/elsewhere/data", "XDG_RUNTIME_DIR": "/run/user/7"},
        {"LOCALAPPDATA": "/Users/Zoë/AppData/Local"},
        {"HARMONIZE_RUNTIME_DIR": "/chosen"},
    ],
)
def test_the_plugins_look_first_where_the_installer_writes(
    platform: str, environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    here = machine(platform, tmp_path, **environment)
    assert here.data == engine_client.data_folders(environment, platform)[0]
    assert here.runtime_folders == engine_client.runtime_folders(environment, platform)


def test_the_logs_are_where_the_server_writes_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HARMONIZE_LOG_DIR", raising=False)
    assert platformdirs.user_log_path("harmonize", appauthor=False).is_relative_to(Machine.this().logs)


def test_this_machine() -> None:
    here = Machine.this()
    assert (here.platform, here.home, here.environment) == (sys.platform, Path.home(), dict(os.environ))
    assert here.architecture == here.architecture.lower()
    assert here.architecture not in ("amd64", "aarch64")


def test_the_python_of_an_environment(tmp_path: Path) -> None:
    assert machine("linux", tmp_path).python(Path("env")) == Path("env/bin/python")
    assert machine("win32", tmp_path).python(Path("env")) == Path("env/Scripts/python.exe")


def test_what_leads_to_the_libraries_of_an_editor_is_left_out(tmp_path: Path) -> None:
    leaked = ("PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "LD_PRELOAD", "DYLD_LIBRARY_PATH", "QT_PLUGIN_PATH")
    leaked += ("QTDIR", "GI_TYPELIB_PATH", "VIRTUAL_ENV", "CONDA_PREFIX", "APPDIR", "APPIMAGE", "PIP_TARGET", "PIP_USER")
    kept = {"PATH": "/usr/bin", "HOME": "/home/zoë", "PIP_INDEX_URL": "https://index.example", "HTTPS_PROXY": "proxy:8080"}
    kept |= {"UV_INDEX_URL": "https://index.example", "SSL_CERT_FILE": "/etc/ssl/cert.pem", "PIP_CERT": "/etc/ssl/cert.pem"}
    assert clean_environment(machine("linux", tmp_path, **dict.fromkeys(leaked, "leaked"), **kept)) == kept


def test_what_is_in_an_appimage_or_a_snap_is_left_out(tmp_path: Path) -> None:
    mounted = {"APPDIR": "/tmp/.mount_krita/", "PATH": "/tmp/.mount_krita/usr/bin:/usr/bin"}
    mounted |= {"SSL_CERT_FILE": "/tmp/.mount_krita/etc/cert.pem", "XDG_DATA_HOME": "/tmp/.mount_kritaX"}
    clean = clean_environment(machine("linux", tmp_path, **mounted))
    assert clean == {"PATH": "/usr/bin", "XDG_DATA_HOME": "/tmp/.mount_kritaX"}
    snap = {"SNAP": "/snap/krita/9", "PATH": "/snap/krita/9/bin:/bin", "SNAP_REAL_HOME": "/home/zoë"}
    clean = clean_environment(machine("linux", tmp_path, **snap))
    assert clean == {"SNAP": "/snap/krita/9", "PATH": "/bin", "SNAP_REAL_HOME": "/home/zoë"}


def test_what_is_started_hears_as_little_of_an_editor_as_what_its_plugin_starts(tmp_path: Path) -> None:
    names = {name: "x" for prefix in engine_client.foreign for name in (prefix, f"{prefix}MORE", prefix.lower())}
    assert clean_environment(machine("linux", tmp_path, **names)) == engine_client.clean_environment(names) == {}
