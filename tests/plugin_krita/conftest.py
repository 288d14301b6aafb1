"""The plug-in's files that need no Krita, imported without it."""

import sys
import types
from pathlib import Path

folder = Path(__file__).resolve().parents[2] / "plugin_krita"
package = types.ModuleType("harmonize_krita")  # its own __init__ would ask for Krita
package.__path__ = [str(folder / "harmonize_krita")]
sys.modules.setdefault("harmonize_krita", package)
