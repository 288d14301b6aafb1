"""One picture, harmonized, and everything that can be written of it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

from harmonize_engine.cli.inputs import Inputs
from harmonize_engine.cli.outputs import Output
from harmonize_engine.cli.settings import Settings
from harmonize_engine.composite import Pixels
from harmonize_engine.files import kinds
from harmonize_engine.files.layered import LayeredPicture
from harmonize_engine.harmonization import Harmonization
from harmonize_engine.render import render
from harmonize_engine.report import Report

if TYPE_CHECKING:
    from model_server.backends import Backend

curve_files = (".cube", ".gimpcurves", ".acv")  # they have no switch: of a picture left as it is they change nothing


@dataclass(frozen=True, eq=False)
class Outcome:
    """The adjustments and the rendered picture. left: it stays as it was, on the model's advice."""

    inputs: Inputs
    settings: Settings
    harmonization: Harmonization
    result: Pixels
    left: bool = False
    looking_ms: float = 0
    rendering_ms: float = 0

    @classmethod
    def of(cls, inputs: Inputs, settings: Settings, backend: "Backend") -> "Outcome":
        """Ask the model and render, both timed. Raises what the backend raises."""
        assert inputs.seen is not None
        start = perf_counter()
        harmonization = backend.harmonize(inputs.seen, settings.model)
        looked = perf_counter()
        left = harmonization.leave and not settings.always
        result = inputs.before if left else rendered(inputs, harmonization, settings)
        return cls(inputs, settings, harmonization, result, left, 1000 * (looked - start), 1000 * (perf_counter() - looked))

    def layered(self, suffix: str) -> LayeredPicture:
        """What a file of that suffix holds."""
        harmonization = self.harmonization
        if self.left and suffix in curve_files:
            harmonization = replace(harmonization, adjustments=())
        return LayeredPicture(
            pixels=self.inputs.picture.pixels,
            mask=self.inputs.mask,
            harmonization=harmonization,
            result=self.result,
            cutout=self.inputs.cutout,
            color_strength=self.settings.color_strength,
            light_strength=self.settings.light_strength,
            visible=not self.left,
            icc=self.inputs.picture.icc,
            dpi=self.inputs.picture.dpi,
        )

    def outputs(self, paths: Sequence[Path]) -> list[Output]:
        """The files to write, each of the kind of its suffix."""
        return [Output(path, self._write) for path in paths]

    def report(self, name: str, path: Path) -> Output:
        """The report to write."""
        from harmonize_engine import report

        content = Report(
            name,
            self.inputs.before,
            self.result,
            self.inputs.mask,
            self.harmonization,
            self.looking_ms,
            self.rendering_ms,
            self.settings.color_strength,
            self.settings.light_strength,
            self.left,
            self.inputs.picture.icc,
        )
        return Output(path, lambda place: report.write(content, place))

    def _write(self, path: Path) -> None:
        kinds.write(self.layered(path.suffix.lower()), path, self.settings.quality, self.inputs.picture.exif)

    @property
    def parameters(self) -> str:
        """The adjustments at the strengths asked for, as JSON."""
        return self.harmonization.blend(self.settings.color_strength, self.settings.light_strength).to_json(indent=1)


def rendered(inputs: Inputs, harmonization: Harmonization, settings: Settings) -> Pixels:
    """Render at full size and at the strengths asked for."""
    return render(
        inputs.picture.pixels,
        inputs.mask,
        harmonization,
        settings.color_strength,
        settings.light_strength,
        source=inputs.cutout,
    )
