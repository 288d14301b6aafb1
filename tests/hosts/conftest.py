"""Real GIMP and real Krita for tests; see roots.py.

In CI a root that cannot be made is a failure, not a skip.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from install_kit import before_version, built
from recipe import RootUnavailable
from roots import Root, opened


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker("hosts")


@pytest.fixture(scope="session")
def roots() -> Iterator[object]:
    """Opens the root of a suite at its first use; both editors of a suite share it."""
    with ExitStack() as stack:

        @cache
        def root(suite: str) -> Root:
            try:
                return stack.enter_context(opened(suite))
            except RootUnavailable as unavailable:
                reason = str(unavailable)
            if os.environ.get("CI", "").lower() in ("true", "1"):
                pytest.fail(f"in CI the editors are needed: {reason}", pytrace=False)
            pytest.skip(reason)

        yield root


@pytest.fixture(scope="session", params=["forky", "trixie"], ids=["gimp-3.2", "gimp-3.0"])
def gimp_root(request: pytest.FixtureRequest, roots) -> Root:
    return roots(request.param)


@pytest.fixture(scope="session", params=["forky", "trixie"], ids=["krita-5.3", "krita-5.2"])
def krita_root(request: pytest.FixtureRequest, roots) -> Root:
    return roots(request.param)


@pytest.fixture(scope="session")
def archives(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The folders of the archives, of this version and of one before."""
    folder = tmp_path_factory.mktemp("archives")
    return {"this": built(folder / "this"), "before": built(folder / "before", before_version)}
