from pathlib import Path

import pytest

from tests.installer.made_up import Maker, pip_wheel


@pytest.fixture(scope="session")
def pip_archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return pip_wheel(tmp_path_factory.mktemp("pip"))


@pytest.fixture
def maker(tmp_path: Path, pip_archive: Path) -> Maker:
    return Maker(tmp_path / "made up", pip_archive)
