"""Who may import whom, and what starting costs: see docs/architecture.md."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

root = Path(__file__).parents[2]
engine = sorted((root / "harmonize_engine").rglob("*.py"))
training_only = {"torch", "onnx", "onnxscript"}


def imported(path: Path) -> set[str]:
    """Every module a file imports anywhere, by its full name."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return names


@pytest.mark.parametrize("path", engine, ids=lambda path: str(path.relative_to(root)))
def test_torch_is_imported_under_models_and_training_only(path):
    tops = {name.split(".")[0] for name in imported(path)}
    if path.parent.name not in ("models", "training"):
        assert not tops & training_only
        inner = {
            name for name in imported(path) if name.startswith(("harmonize_engine.models", "harmonize_engine.training"))
        }
        assert not inner


@pytest.mark.parametrize("path", engine, ids=lambda path: str(path.relative_to(root)))
def test_the_engine_imports_neither_plug_ins_nor_the_server(path):
    tops = {name.split(".")[0] for name in imported(path)}
    assert not tops & {"plugin_krita", "plugin_gimp", "model_server", "installer"}


def test_importing_the_engine_loads_neither_torch_nor_the_runtime():
    script = "import sys, harmonize_engine; print(sorted({'torch', 'onnxruntime', 'tifffile', 'tqdm'} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=root, check=True)
    assert found.stdout.strip() == "[]"
