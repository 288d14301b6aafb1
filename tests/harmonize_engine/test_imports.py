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
    if path.parent.name not in ("models", "training") and path.name != "train.py":  # the verb imports them when it runs
        inner = {
            name for name in imported(path) if name.startswith(("harmonize_engine.models", "harmonize_engine.training"))
        }
        assert not inner


@pytest.mark.parametrize("path", engine, ids=lambda path: str(path.relative_to(root)))
def test_the_engine_imports_no_plug_in_and_only_its_command_line_the_server_and_the_installer(path):
    above = {"plugin_krita", "plugin_gimp"}
    if path.parent.name != "cli":
        above |= {"model_server", "installer"}
    assert not {name.split(".")[0] for name in imported(path)} & above


@pytest.mark.parametrize("module", ["harmonize_engine", "harmonize_engine.cli.main"])
def test_starting_loads_nothing_that_is_slow_to_load(module):
    slow = {"torch", "onnxruntime", "tifffile", "tqdm", "starlette", "uvicorn", "requests", "msgspec"}
    script = f"import sys, {module}; print(sorted({slow} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=root, check=True)
    assert found.stdout.strip() == "[]"


@pytest.mark.parametrize("path", sorted((root / "installer").rglob("*.py")), ids=lambda path: path.name)
def test_the_installer_needs_the_standard_library_only(path):
    """It runs before there is an engine. What it asks of one, it asks in the engine's own process or of its client."""
    tops = {name.split(".")[0] for name in imported(path)}
    assert tops - {"installer", "model_server"} <= sys.stdlib_module_names
    assert not {name for name in imported(path) if name.startswith("model_server.")} - {"model_server.engine_client"}


server = sorted((root / "model_server").rglob("*.py"))


@pytest.mark.parametrize("path", server, ids=lambda path: str(path.relative_to(root)))
def test_the_server_imports_no_training_and_no_plug_in(path):
    names = imported(path)
    assert not {name.split(".")[0] for name in names} & (training_only | {"plugin_krita", "plugin_gimp", "installer"})
    assert not {name for name in names if name.startswith(("harmonize_engine.models", "harmonize_engine.training"))}


def test_the_file_that_plug_ins_carry_needs_the_standard_library_only():
    tops = {name.split(".")[0] for name in imported(root / "model_server" / "engine_client.py")}
    assert tops - {"model_server"} <= sys.stdlib_module_names  # asked for only where this Python has the engine: see below
    alone = "import sys; sys.modules['model_server'] = None; import runpy; runpy.run_path('model_server/engine_client.py')"
    subprocess.run([sys.executable, "-I", "-S", "-c", alone], cwd=root, check=True)
