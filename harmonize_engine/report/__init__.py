"""A report on one harmonized picture, for an artist and an engineer: an HTML page or a PNG sheet in one file."""

from pathlib import Path

from harmonize_engine.errors import HarmonizeError
from harmonize_engine.report.report import Report

kinds = (".html", ".png")

__all__ = ["Report", "check_kind", "kinds", "write"]


def check_kind(path: Path) -> None:
    """Refuse a name no report can be written to. Raises HarmonizeError `report_kind`."""
    if path.suffix.lower() not in kinds:
        raise HarmonizeError("report_kind", f"A report cannot be written as {path.name}.", "Name it .html or .png.")


def write(report: Report, path: Path) -> None:
    """Write a report, .html or .png by the suffix. Raises HarmonizeError `report_kind` and what `atomic` raises."""
    check_kind(path)
    if path.suffix.lower() == ".html":
        from harmonize_engine.report import page

        page.write(report, path)
    else:
        from harmonize_engine.report import sheet

        sheet.write(report, path)
