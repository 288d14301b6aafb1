"""Each editor starts in its root, says which version it is, and cannot fail unseen."""

from pathlib import Path

import pytest
from roots import HostFailed, gimp_version, krita_version


def version_of(request: pytest.FixtureRequest) -> str:
    """The version in the test's own name: [gimp-3.2] expects 3.2."""
    return request.node.callspec.id.partition("-")[2] + "."


def test_gimp_reports_its_version(gimp_root, request):
    version = gimp_root.gimp(gimp_version)
    assert version.startswith(version_of(request))


def test_krita_reports_its_version(krita_root, request):
    version = krita_root.krita(krita_version)
    assert version.startswith(version_of(request))


def test_arguments_and_files_reach_the_script(gimp_root):
    picture = gimp_root.share / "words.txt"
    picture.write_text("from outside")
    script = "from bench import arguments, result\nresult(open(arguments[0]).read() + arguments[1])"
    assert gimp_root.gimp(script, picture, " and in") == "from outside and in"


@pytest.mark.parametrize("script", ["raise ValueError('broken')", "print('no result')"])
def test_a_failed_script_is_a_failure_in_gimp(gimp_root, script):
    with pytest.raises(HostFailed, match=r"broken|no result"):
        gimp_root.gimp(script)


@pytest.mark.parametrize("script", ["raise ValueError('broken')", "print('no result')"])
def test_a_failed_script_is_a_failure_in_krita(krita_root, script):
    with pytest.raises(HostFailed, match=r"broken|no result"):
        krita_root.krita(script)


def test_nothing_is_left_running_or_mounted(krita_root):
    with pytest.raises(HostFailed, match="did not end"):
        krita_root.run("sh", "-c", "sleep 4321 & sleep 4322", timeout=2)
    assert str(krita_root.tree) not in Path("/proc/self/mounts").read_text()
