"""What an artist attaches to an issue tells what is wrong, and not who they are."""

import json
import socket
import unicodedata
from pathlib import Path
from urllib.parse import quote

import pytest

from installer import report
from installer.machine import Machine

person = "Françoise d'Aubigné"


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """A computer named after its owner, whose name is in the path of the home, too."""
    monkeypatch.setattr(socket, "gethostname", lambda: "francoises-laptop.castle.example")
    monkeypatch.setattr(report, "_accounts", lambda: iter(["faubigne", "Françoise d'Aubigné (Maintenon)"]))
    home = tmp_path / "home" / person
    (home / ".local/state/harmonize/log").mkdir(parents=True)
    environment = {"USER": "faubigne", "HTTPS_PROXY": "http://faubigne:secret@proxy.castle.example:3128", "LANG": "fr_FR"}
    return Machine("linux", "x86_64", environment, home)


def hidden(machine: Machine, told: str) -> str:
    return report.Mask.of(machine).hide(told)


spellings = {
    "as it is": str,
    "decomposed": lambda text: unicodedata.normalize("NFD", text),
    "in a URL": lambda text: quote(text, safe="/"),
    "in JSON": lambda text: json.dumps(text)[1:-1],
    "in capitals": str.upper,
    "as Python shows it": lambda text: text.encode("unicode_escape").decode(),
    "as Krita's Python shows it": lambda text: (
        text.encode().decode("ascii", "surrogateescape").encode("ascii", "backslashreplace").decode()
    ),
}


@pytest.mark.parametrize("spell", spellings.values(), ids=spellings)
def test_the_home_and_the_name_are_hidden_however_they_are_written(machine: Machine, spell):
    told = hidden(machine, spell(f"{machine.home}/.local/share/harmonize: {person} is not allowed"))
    assert "~/.local/share/harmonize" in told.lower().replace("%2f", "/")
    for part in ("ran", "ubign"):
        assert part not in told.lower().replace("harmonize", "")


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("faubigne may not write", "USER may not write"),
        ("Aubigné may not", "USER may not"),
        ("on francoises-laptop: no", "on COMPUTER: no"),
        ("on francoises-laptop.castle.example: no", "on COMPUTER: no"),
        ("/home/somebody/x", "/home/USER/x"),
        (r"C:\Users\FRANCO~1\AppData\Local", r"C:\Users\USER\AppData\Local"),
        (r"C:\\Users\\Jo\\AppData", r"C:\\Users\\USER\\AppData"),
        ("from https://me:pw@index.castle.example/simple/", "from https://SERVER"),
        ("ask me.too@castle.example", "ask ADDRESS"),
        ("at 192.168.1.17 port 1", "at ADDRESS port 1"),
        ("Bearer " + "aB3_" * 11, "Bearer SECRET"),
    ],
)
def test_who_and_where_somebody_is_is_hidden(machine: Machine, line: str, wanted: str):
    assert hidden(machine, line) == wanted


@pytest.mark.parametrize(
    "line",
    [
        "server 127.0.0.1:4312, cpu: ready in 0.4 s",
        "Krita 5.3.4.1 has Harmonize 0.1.0",
        "weights parametric 1, SHA-256 " + "0123456789abcdef" * 4,
        "http://127.0.0.1:4312/v1/health",
        'File "/usr/lib/python3.13/subprocess.py", line 1010, in __init__',
        "the francophone world",
    ],
)
def test_what_helps_to_mend_it_stays(machine: Machine, line: str):
    assert hidden(machine, line) == line


def test_folders_of_the_users_own_are_hidden(machine: Machine):
    told = hidden(machine, f"wheels from {machine.home}/Wedding of Anna/wheels")
    assert told == "wheels from ~/FOLDER"


def test_lines_that_name_pictures_are_left_out_whole(machine: Machine):
    log = machine.home / ".local/state/harmonize/log/server.log"
    names = ("Anna's cat (2).png", "/media/usb/Wedding, second day/DSC_0001.JPG", "画.kra", 'a "b".tiff')
    log.write_text("".join(f"could not read {name} today\n" for name in names) + "the last line\n", encoding="utf-8")
    told = report.text("0.1.0", machine, ["ok       server"], report.logs(machine))
    assert told.count(report.left_out) == len(names)
    assert "the last line" in told
    for private in ("Anna", "Wedding", "DSC", "画", "today"):
        assert private not in told


def test_a_report_has_the_table_the_variables_and_the_ends_of_the_logs(machine: Machine):
    log = machine.home / ".local/state/harmonize/log/server.log"
    log.write_text("".join(f"line {number}\n" for number in range(1000)))
    told = report.text("0.1.0", machine, ["PROBLEM  engine  is gone"], report.logs(machine))
    assert told.startswith("Harmonize 0.1.0 on linux x86_64\n")
    assert "PROBLEM  engine  is gone\n" in told and "LANG=fr_FR\n" in told
    assert "HTTPS_PROXY is set\n" in told and "castle" not in told
    assert "line 999\n" in told and "line 100\n" not in told


def test_a_log_that_cannot_be_read_is_told_of(machine: Machine):
    told = report.text("0.1.0", machine, [], [machine.home / "gone.log"])
    assert "(cannot be read: No such file or directory)" in told
