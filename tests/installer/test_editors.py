"""Every way in which a Krita or a GIMP gets onto a machine, as a tree of files."""

import plistlib
import struct
from pathlib import Path

import pytest

from installer.editors import Editor, find
from installer.machine import Machine


def put(path: Path, content: bytes | str = b"") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def released(path: Path, *versions: str) -> None:
    put(path, "<releases>" + "".join(f'<release date="2026-01-01" version="{v}"/>' for v in versions) + "</releases>")


class Tree:
    """A whole system below a folder, with a home that has a space and an accent."""

    def __init__(self, root: Path) -> None:
        self.root, self.home = root, root / "home/Anna Müller"
        self.home.mkdir(parents=True)

    def linux(self, **environment: str) -> list[Editor]:
        environment = {"PATH": f"{self.root}/usr/bin", **environment}
        return find(Machine("linux", "x86_64", environment, self.home), self.root)

    def windows(self) -> list[Editor]:
        places = {"APPDATA": "AppData/Roaming", "LOCALAPPDATA": "AppData/Local"}
        environment = {name: str(self.home / place) for name, place in places.items()}
        environment["ProgramFiles"] = environment["ProgramW6432"] = str(self.root / "Program Files")
        return find(Machine("win32", "amd64", environment, self.home), self.root)

    def macos(self) -> list[Editor]:
        return find(Machine("darwin", "arm64", {}, self.home), self.root)


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


def test_a_machine_without_editors(tree):
    assert tree.linux() == tree.windows() == tree.macos() == []


def test_krita_from_a_package(tree):
    put(tree.root / "usr/bin/krita")
    released(tree.root / "usr/share/metainfo/org.kde.krita.appdata.xml", "5.3.4.1", "5.3.4")
    (krita,) = tree.linux()
    assert (krita.name, krita.version, krita.packaging) == ("Krita 5.3.4.1", "5.3.4.1", "system")
    assert krita.plugins == tree.home / ".local/share/krita/pykrita"
    assert krita.settings == tree.home / ".config/kritarc"
    assert (krita.blocked, krita.notes, krita.sandboxed) == ("", (), None)


def test_a_program_is_found_once(tree):
    put(tree.root / "usr/bin/krita")
    released(tree.root / "usr/share/metainfo/org.kde.krita.appdata.xml", "5.3.4")
    (tree.root / "bin").symlink_to("usr/bin")
    put(tree.home / "bin/krita", "#!/bin/sh\nexec /usr/bin/krita\n")
    found = tree.linux(PATH=f"{tree.home}/bin:{tree.root}/bin:{tree.root}/usr/bin::")
    assert [krita.name for krita in found] == ["Krita 5.3.4"]


def test_the_users_own_choice_of_folders(tree):
    put(tree.root / "usr/bin/krita")
    put(tree.root / "usr/bin/gimp-3.2")
    krita, gimp = tree.linux(XDG_CONFIG_HOME=f"{tree.root}/c", XDG_DATA_HOME=f"{tree.root}/d")
    assert (krita.plugins, krita.settings) == (tree.root / "d/krita/pykrita", tree.root / "c/kritarc")
    assert (gimp.plugins, gimp.settings) == (tree.root / "c/GIMP/3.2/plug-ins", tree.root / "c/GIMP/3.2/gimprc")
    (_, gimp) = tree.linux(GIMP3_DIRECTORY="my gimp")
    assert gimp.plugins == tree.home / "my gimp/plug-ins"


@pytest.mark.parametrize(
    ("line", "folder"),
    [
        ("ResourceDirectory=/art/My Ressourcen é", "/art/My Ressourcen é"),
        ("ResourceDirectory[$e]=$HOME/krita things", "{home}/krita things"),
        (r"ResourceDirectory=/art/two\sspaces\\", "/art/two spaces\\"),
        ("[General]\nResourceDirectory=/of/another/section", "{home}/.local/share/krita"),
        ("ResourceDirectory=\n", "{home}/.local/share/krita"),
    ],
)
def test_a_resource_folder_chosen_in_krita_counts(tree, line, folder):
    put(tree.root / "usr/bin/krita")
    put(tree.home / ".config/kritarc", f"{line}\n[python]\n")
    (krita,) = tree.linux()
    assert krita.plugins == Path(folder.format(home=tree.home), "pykrita")


def test_a_resource_folder_on_a_disk_that_is_not_mounted(tree):
    put(tree.root / "usr/bin/krita")
    put(tree.home / ".config/kritarc", "ResourceDirectory=/media/no such disk\n")
    (krita,) = tree.linux()
    assert krita.blocked == (
        "Krita's resource folder /media/no such disk is not there: mount its disk or choose another one in Krita."
    )


def test_two_gimps_side_by_side_have_a_folder_each(tree):
    for name in ("gimp", "gimp-3", "gimp-3.0", "gimp-3.2", "gimp-console-3.2", "gimp-script-fu-interpreter-3.0"):
        put(tree.root / "usr/bin" / name)
    released(tree.root / "usr/share/metainfo/org.gimp.GIMP.appdata.xml", "3.2.6", "3.0.4")
    assert [(gimp.version, gimp.plugins.parent.name) for gimp in tree.linux()] == [("3.0", "3.0"), ("3.2.6", "3.2")]


def test_versions_that_are_too_old_get_a_sentence(tree):
    put(tree.root / "usr/bin/gimp-2.10")
    put(tree.root / "usr/bin/krita")
    released(tree.root / "usr/share/metainfo/org.kde.krita.appdata.xml", "5.1.5")
    krita, gimp = tree.linux()
    assert krita.blocked == "Krita 5.1.5 is too old for Harmonize, which needs Krita 5.2 or later."
    assert gimp.blocked == "GIMP 2.10 is too old for Harmonize, which needs GIMP 3.0 or later."
    assert krita.is_too_old and gimp.is_too_old


def test_a_gimp_that_has_settings_to_take_over_is_started_first(tree):
    """GIMP takes nothing over where its new folder is there already; so the plug-in must not be what makes it."""
    put(tree.root / "usr/bin/gimp-3.2")
    (gimp,) = tree.linux()
    assert gimp.blocked == ""  # nothing to take over
    put(tree.home / ".config/GIMP/2.10/gimprc")
    put(tree.home / ".config/GIMP/3.0/gimprc")
    (gimp,) = tree.linux()
    assert gimp.blocked.startswith("Start GIMP 3.2 once, so that it takes over your settings from 3.0")
    assert not gimp.is_too_old
    put(tree.home / ".config/GIMP/3.2/gimprc")
    assert [gimp.blocked for gimp in tree.linux()] == [""]


def test_flatpaks(tree):
    apps = tree.root / "var/lib/flatpak/app"
    released(apps / "org.kde.krita/current/active/files/share/metainfo/org.kde.krita.appdata.xml", "5.2.9")
    put(apps / "org.gimp.GIMP/current/active/metadata", "[Context]\nfilesystems=host;xdg-config/GIMP:create;/tmp;\n")
    released(apps / "org.gimp.GIMP/current/active/files/share/metainfo/org.gimp.GIMP.appdata.xml", "3.0.4")
    krita, gimp = tree.linux()
    assert krita.name == "Krita 5.2.9 (Flatpak)"
    assert krita.plugins == tree.home / ".var/app/org.kde.krita/data/krita/pykrita"
    assert krita.settings == tree.home / ".var/app/org.kde.krita/config/kritarc"
    assert krita.sandboxed == (
        tree.home / ".var/app/org.kde.krita/data/harmonize/engine.json",
        tree.home / ".local/share/harmonize/engine.json",
    )
    assert gimp.plugins == tree.home / ".config/GIMP/3.0/plug-ins"  # it may use the folder outside
    put(tree.home / ".local/share/flatpak/overrides/org.gimp.GIMP", "[Context]\nfilesystems=!xdg-config/GIMP;\n")
    assert tree.linux()[1].plugins == tree.home / ".var/app/org.gimp.GIMP/config/GIMP/3.0/plug-ins"


def test_a_flatpak_of_the_user_alone(tree):
    released(
        tree.home / ".local/share/flatpak/app/org.kde.krita/current/active/files/share/metainfo/org.kde.krita.metainfo.xml",
        "5.3.0",
    )
    assert [krita.name for krita in tree.linux()] == ["Krita 5.3.0 (Flatpak)"]


def test_snaps(tree):
    put(tree.root / "snap/bin/krita")
    put(tree.root / "snap/krita/current/meta/snap.yaml", "name: krita\nversion: '5.2.11'\n")
    put(tree.root / "snap/gimp/current/meta/snap.yaml", "name: gimp\nversion: 3.0.4-rc1\n")
    krita, gimp = tree.linux(PATH=f"{tree.root}/snap/bin:{tree.root}/usr/bin")
    assert (krita.name, krita.plugins) == (
        "Krita 5.2.11 (Snap)",
        tree.home / "snap/krita/current/.local/share/krita/pykrita",
    )
    assert (gimp.version, gimp.plugins) == ("3.0.4", tree.home / "snap/gimp/current/.config/GIMP/3.0/plug-ins")
    assert gimp.sandboxed == ()  # no engine can be started from there


def test_appimages_in_the_usual_folders_and_running_ones(tree):
    put(tree.home / "Downloads/krita-5.2.9-x86_64.appimage")
    put(tree.home / "Applications/GIMP-3.2.0-x86_64.AppImage")
    elsewhere = put(tree.root / "mnt/krita-x64-5.3.1.appimage")
    put(tree.root / "proc/77/environ", b"HOME=/x\0APPIMAGE=" + bytes(elsewhere) + b"\0")
    put(tree.home / "Downloads/krita-5.2.9-x86_64.appimage.zsync")
    assert {editor.name for editor in tree.linux()} == {
        "Krita 5.2.9 (AppImage)",
        "Krita 5.3.1 (AppImage)",
        "GIMP 3.2.0 (AppImage)",
    }
    assert {editor.plugins for editor in tree.linux()} == {
        tree.home / ".local/share/krita/pykrita",
        tree.home / ".config/GIMP/3.2/plug-ins",
    }


def program_of(version: tuple[int, int, int]) -> bytes:
    major, minor, patch = version
    return b"MZ" + bytes(400) + struct.pack("<IIII", 0xFEEF04BD, 0x10000, major << 16 | minor, patch << 16) + bytes(60)


def test_windows_installers(tree):
    put(tree.root / "Program Files/Krita (x64)/bin/krita.exe", program_of((5, 2, 9)))
    put(tree.root / "Program Files/GIMP 2/bin/gimp-2.10.exe", "no version inside")
    put(tree.home / "AppData/Local/Programs/GIMP 3/bin/gimp-3.2.exe", program_of((3, 2, 4)))
    krita, old, gimp = tree.windows()
    assert (krita.name, krita.packaging) == ("Krita 5.2.9", "windows")
    assert krita.plugins == tree.home / "AppData/Roaming/krita/pykrita"
    assert krita.settings == tree.home / "AppData/Local/kritarc"
    assert old.is_too_old
    assert (gimp.version, gimp.plugins) == ("3.2.4", tree.home / "AppData/Roaming/GIMP/3.2/plug-ins")


def test_the_microsoft_store_keeps_private_folders(tree):
    packages = tree.home / "AppData/Local/Packages"
    put(packages / "49800Krita_abc123/LocalCache/Local/kritarc", "[python]\n")
    put(packages / "GIMP.GIMP_xyz/LocalCache/Roaming/GIMP/3.0/gimprc")
    put(packages / "Microsoft.Paint_8we/LocalCache/x")
    krita, gimp = tree.windows()
    assert krita.name == "Krita (Microsoft Store)"
    assert krita.plugins == packages / "49800Krita_abc123/LocalCache/Roaming/krita/pykrita"
    assert krita.settings == packages / "49800Krita_abc123/LocalCache/Local/kritarc"
    assert gimp.plugins == packages / "GIMP.GIMP_xyz/LocalCache/Roaming/GIMP/3.0/plug-ins"
    assert (gimp.version, gimp.blocked) == ("3.0", "")


def test_a_store_gimp_that_was_never_started(tree):
    put(tree.home / "AppData/Local/Packages/GIMP.GIMP_xyz/LocalCache/x")
    (gimp,) = tree.windows()
    assert gimp.blocked == "Start this GIMP once, so that it makes its folders, then run this again."


def test_macos_bundles(tree):
    for bundle, version in (("krita.app", "5.2.9"), ("GIMP.app", "3.0.4"), ("GIMP-2.10.app", "2.10.38")):
        content = plistlib.dumps({"CFBundleShortVersionString": version})
        put(tree.root / "Applications" / bundle / "Contents/Info.plist", content)
    krita, old, gimp = tree.macos()
    assert krita.plugins == tree.home / "Library/Application Support/krita/pykrita"
    assert krita.settings == tree.home / "Library/Preferences/kritarc"
    assert old.is_too_old
    assert gimp.plugins == tree.home / "Library/Application Support/GIMP/3.0/plug-ins"


def test_a_program_that_lies_where_nobody_looks_is_known_by_its_settings(tree):
    put(tree.home / ".config/kritarc")
    put(tree.home / ".config/GIMP/3.0/gimprc")
    put(tree.home / ".config/GIMP/3.2/gimprc")
    assert [editor.name for editor in tree.linux()] == ["Krita", "GIMP 3.0", "GIMP 3.2"]


def test_an_editor_by_a_word_of_the_command_line(tree):
    put(tree.root / "usr/bin/gimp-3.2")
    (gimp,) = tree.linux()
    assert all(gimp.answers_to(word) for word in ("gimp", "GIMP-3", "gimp-3.2", "gimp-system", "gimp-3.2-system"))
    assert not any(gimp.answers_to(word) for word in ("krita", "gimp-3.0", "gimp-3.2.6", "gimp-flatpak", "gimp-3.", ""))
