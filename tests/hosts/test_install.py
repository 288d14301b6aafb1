"""From nothing to layers and back: the built archives in fresh roots, as a normal user without a network.

Nothing of the repository is in the roots. In forky, Zoë's home is empty; in trixie, the editors were used before, other
plug-ins are there, and once our plug-ins come from their zips and Krita's docker sets up the engine.
"""

import json
import re
import shutil
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import pytest
from install_kit import Artist, before_version, contents, python_of, this_version, wheelhouse, working
from recipe import RootUnavailable
from roots import HostFailed, screen

here = Path(__file__).resolve().parent
width, height = 200, 150
names = {"forky": "Zoë Müller 画", "trixie": ""}
desktop = "[Desktop Entry]\nType=Service\nServiceTypes=Krita/PythonPlugin\nX-KDE-Library=krita_steps\nName=Steps\n"
krita_click = """
def steps():
    made, layer = picture("scene", *arguments)
    yield 1
    made.setActiveNode(layer)
    panel = docker()
    yield 1
    before = shown(made)
    panel.start.click()
    yield from answered(panel)
    if panel.setup.isVisible():
        said["missing"] = panel.status.text()
        panel.setup.start.click()
        while panel.setup.setup.running is not None:
            yield 0.1
        yield 0.5
        said["ready"] = panel.status.text()
        panel.start.click()
        yield from answered(panel)
    said["names"] = [one.name() for one in made.topLevelNodes()]
    said["told"] = [panel.status.text(), panel.engine.text()]
    said["changed"] = shown(made) != before
"""
gimp_click = """
import json
import struct
from bench import result
from kit import *
def flat(*colour):
    return struct.pack("<4f", *colour)
image = image_of(96, 64)
layer_of(image, "Evening", flat(0.1, 0.2, 0.5, 1.0) * (96 * 64), 96, 64)
pasted = layer_of(image, "Pasted", flat(0.9, 0.6, 0.3, 1.0) * (40 * 30), 40, 30, 20, 20)
before = shown(image)
procedure = Gimp.get_pdb().lookup_procedure("plug-in-harmonize")
complaint = harmonize(image, pasted)
result(json.dumps({
    "menu": [procedure.get_menu_label(), procedure.get_menu_paths()],
    "complaint": complaint,
    "names": [layer.get_name() for layer in image.get_layers()],
    "changed": shown(image) != before,
}))
"""


@dataclass
class Story:
    """What happened to an artist; homes: their home at some moments."""

    artist: Artist
    from_zips: bool
    homes: dict[str, dict[str, str]] = field(default_factory=dict)
    ran: dict[str, CompletedProcess[str]] = field(default_factory=dict)
    said: dict[str, dict] = field(default_factory=dict)

    def do(self, moment: str, *command: str) -> None:
        """Run a command that must end well."""
        ended = self.ran[moment] = self.artist.run(*command, timeout=300)
        assert ended.returncode == 0, f"{moment}: {ended.stdout}"

    def install(self, moment: str, archive: str, *options: str) -> None:
        program = ("python3", f"/session/files/{archive}", "install", "--yes")
        self.do(moment, *program, "--wheelhouse", "/session/files/wheels", *options)

    def harmonize(self, moment: str, *words: str) -> None:
        """Run the command that the installer has put on the artist's PATH."""
        self.do(moment, "sh", "-c", '"$HOME/.local/bin/harmonize" "$@"', "sh", *words)

    def keep(self, moment: str) -> None:
        self.homes[moment] = contents(self.artist.home)

    def click(self) -> None:
        """Harmonize a picture in Krita and in GIMP, each of which starts the engine by itself."""
        artist = self.artist
        random = np.random.default_rng(5)
        for name, low, high in (("background", 0, 120), ("cutout", 120, 255)):
            pixels = random.integers(low, high, (height, width, 4)).astype(np.uint8)
            pixels[..., 3] = 255 if name == "background" else 0
            pixels[40:110, 60:140, 3] = 255
            (artist.share / name).write_bytes(pixels.tobytes())
        self.put_steps()
        (artist.bench / "script.py").write_text(krita_click, encoding="utf-8")
        (artist.bench / "arguments.json").write_text(json.dumps([width, height]))
        artist.give(artist.home, artist.bench, artist.share)
        variables = ("env", "QT_LOGGING_RULES=*=false", "PIP_NO_INDEX=1", "PIP_FIND_LINKS=/session/files/wheels")
        shell = ("sh", "-c", "openbox & exec krita --nosplash")
        krita = artist.run(*variables, *screen, *shell, timeout=400)
        if not (artist.bench / "result").exists():
            trouble = artist.bench / "trouble"
            raise HostFailed(trouble.read_text(encoding="utf-8") if trouble.exists() else krita.stdout)
        self.said["krita"] = json.loads((artist.bench / "result").read_text(encoding="utf-8"))
        shutil.copy(here / "gimp_kit.py", artist.bench / "kit.py")
        self.said["gimp"] = json.loads(artist.gimp(gimp_click, timeout=300))

    def unzip(self, folder: Path) -> None:
        """Put the plug-ins there by their zips, as Krita and a file manager do."""
        version, home = this_version(), self.artist.home
        places = {"krita": home / ".local/share/krita/pykrita", "gimp": home / ".config/GIMP/3.0/plug-ins"}
        for kind, place in places.items():
            with zipfile.ZipFile(folder / f"harmonize-{kind}-{version}.zip") as archive:
                for member in archive.infolist():
                    beside = place.parent / "actions" if member.filename.endswith(".action") else place
                    extracted = Path(archive.extract(member, beside))
                    extracted.chmod(0o755 if member.is_dir() else member.external_attr >> 16 & 0o777 or 0o644)
        settings = home / ".config/kritarc"
        told = settings.read_text(encoding="utf-8")
        settings.write_text(told.replace("[python]\n", "[python]\nenable_harmonize_krita=true\n"))
        self.artist.give(home)

    def put_steps(self) -> None:
        """Put another plug-in into Krita, which plays the artist."""
        plugins, settings = self.artist.home / ".local/share/krita/pykrita", self.artist.home / ".config/kritarc"
        (plugins / "krita_steps").mkdir(parents=True, exist_ok=True)
        shutil.copy(here / "krita_steps.py", plugins / "krita_steps/__init__.py")
        (plugins / "krita_steps.desktop").write_text(desktop)
        told = settings.read_text(encoding="utf-8") if settings.exists() else ""
        line = "[python]\nenable_krita_steps=true\n"
        if "enable_krita_steps" not in told:
            settings.write_text(told.replace("[python]\n", line) if "[python]\n" in told else f"{told}\n{line}")


@pytest.fixture(scope="module", params=["forky", "trixie"], ids=["krita-5.3-gimp-3.2", "krita-5.2-gimp-3.0"])
def story(request: pytest.FixtureRequest, roots, archives: dict[str, Path]) -> Iterator[Story]:
    """Installed, used, and removed: what came of it is for the tests to look at."""
    suite = request.param
    tree = roots(suite).tree
    try:
        wheels = wheelhouse(python_of(tree))
    except RootUnavailable as unavailable:
        pytest.fail(str(unavailable), pytrace=False)
    with working(suite, names[suite]) as artist:
        shutil.copytree(wheels, artist.files / "wheels")
        for name, folder in archives.items():
            shutil.copy(folder / "harmonize-install.pyz", artist.files / f"{name}.pyz")
        story = Story(artist, from_zips=not names[suite])
        if story.from_zips:
            story.put_steps()
            other = artist.home / ".config/GIMP/3.0/plug-ins/other/other.py"
            other.parent.mkdir(parents=True)
            other.write_text("#!/usr/bin/env python3\n")
            artist.give(artist.home)
        story.keep("at first")
        play(story, archives["this"])
        yield story


def play(story: Story, archives: Path) -> None:
    story.install("dry run", "before.pyz", "--dry-run")
    story.keep("after the dry run")
    story.install("install", "before.pyz")
    story.harmonize("version before", "--version")
    story.install("upgrade", "this.pyz")
    story.harmonize("version", "--version")
    story.harmonize("doctor before the first start", "doctor", "--json")
    story.harmonize("uninstall", "uninstall", "--yes")
    story.keep("after uninstall")
    if story.from_zips:
        story.unzip(archives)
    else:
        story.install("install again", "this.pyz")
    story.click()
    story.harmonize("doctor", "doctor", "--json")
    story.harmonize("report", "doctor", "--report", "/session/share/report.txt")
    story.harmonize("final uninstall", "uninstall", "--yes")
    story.keep("at last")


def test_a_dry_run_changes_nothing_and_tells_what_would_be_done(story: Story):
    assert story.homes["after the dry run"] == story.homes["at first"]
    told = story.ran["dry run"].stdout
    for word in (before_version, "harmonize_krita", "plug-ins/harmonize", "Nothing was changed."):
        assert word in told


def test_an_upgrade_takes_the_place_of_the_version_before(story: Story):
    assert story.ran["version before"].stdout.strip() == f"harmonize {before_version}"
    assert story.ran["version"].stdout.strip() == f"harmonize {this_version()}"


def test_krita_has_the_docker_and_harmonizes_with_the_installed_engine(story: Story):
    said = story.said["krita"]
    assert said["names"][-1] == "Harmonize: Pasted" and said["changed"], said
    assert said["told"][0] == "Harmonized “Pasted”." and "Engine: server, cpu" in said["told"][1], said


def test_a_plug_in_from_its_zip_sets_up_the_engine(story: Story):
    said = story.said["krita"]
    assert ("missing" in said) is story.from_zips
    if story.from_zips:
        assert "The Harmonize engine is not installed." in said["missing"]
        assert said["ready"] == "The engine is ready. Press Harmonize."


def test_gimp_has_the_menu_entry_and_harmonizes_with_the_installed_engine(story: Story):
    said = story.said["gimp"]
    assert said["complaint"] == ""
    assert said["menu"] == ["_Harmonize...", ["<Image>/Filters/Light and Shadow"]]
    assert said["names"][0] == "Harmonize: Pasted" and said["changed"], said


@pytest.mark.parametrize("moment", ["doctor before the first start", "doctor"])
def test_the_doctor_finds_everything_well(story: Story, moment: str):
    told = json.loads(story.ran[moment].stdout)
    assert told["ok"] and told["version"] == this_version()
    rows = {row["what"]: row["found"] for row in told["checks"]}
    assert rows["installed engine"].startswith(f"{this_version()} for cpu")
    for what in ("weights", "device", "one picture", "a click", "server", "token file"):
        assert what in rows
    assert {name.split()[0] for name in rows if name.startswith(("Krita", "GIMP"))} == {"Krita", "GIMP"}


def test_the_report_does_not_tell_who_the_artist_is(story: Story):
    report = (story.artist.share / "report.txt").read_text(encoding="utf-8")
    assert "a click" in report and "~/.local/share/harmonize" in report
    for private in ("Zoë", "Müller", "画", "/session/home"):
        assert private not in report


def test_uninstall_leaves_the_home_as_it_was(story: Story):
    assert story.homes["after uninstall"] == story.homes["at first"]


def test_nothing_of_ours_is_left_after_the_editors_were_used(story: Story):
    """What the editors write of their own accord is theirs; GIMP and Krita note down which plug-ins they have met."""
    first, last = story.homes["at first"], story.homes["at last"]
    assert not [path for path in last if "harmonize" in path.lower()]
    mentioning = [path for path in last if re.search(rb"harmonize", _content(story.artist.home / path), re.IGNORECASE)]
    theirs = ("pluginrc", "krita-sysinfo.log", "krita.log", "krita_steps/__init__.py")
    theirs += (".config/kritarc",) if story.from_zips else ()  # the artist has ticked the plug-in there
    assert not [path for path in mentioning if not path.endswith(theirs) and "__pycache__" not in path]
    others = [path for path in first if "krita_steps" in path or "plug-ins/other" in path]
    assert all(last[path] == first[path] for path in others if "__pycache__" not in path)


def _content(path: Path) -> bytes:
    return path.read_bytes() if path.is_file() and not path.is_symlink() else b""
