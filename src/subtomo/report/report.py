"""A report: sections of text, figures and tables in one HTML file without outside parts."""

import base64
import io
import math
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_DPI = 110
_ZERO = 1e-12  # what is less is the error of rounding
_OPTION = re.compile(r"--[a-z][a-z-]*")


@dataclass
class Report:
    """A page that is built part by part and written as one HTML file.

    Parameters
    ----------
    title : shown at the top and in the browser's tab
    summary : a sentence or two under the title

    Examples
    --------
    >>> report = Report("Demo", "What was found.")
    >>> report.add_section("Picks")
    >>> report.add_table([["TS_01", 42]], columns=["tomogram", "picks"])
    """

    title: str
    summary: str = ""
    _sections: list[dict[str, Any]] = field(default_factory=list)

    def add_section(self, title: str, text: str = "") -> None:
        """Begin a section; what is added next belongs to it."""
        anchor = f"section-{len(self._sections) + 1}"
        self._sections.append({"title": title, "anchor": anchor, "text": text, "parts": []})

    def add_text(self, text: str) -> None:
        """Add a paragraph."""
        self._add({"kind": "text", "text": text})

    def add_figure(self, figure: "Figure", caption: str) -> None:
        """Add a matplotlib figure, drawn into the page, and release it."""
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", dpi=_DPI, bbox_inches="tight")
        width_px = int.from_bytes(buffer.getvalue()[16:20], "big")
        image = base64.b64encode(buffer.getvalue()).decode("ascii")
        self._add({"kind": "figure", "image": image, "width": width_px, "caption": caption})

    def add_table(
        self, rows: Sequence[Sequence[Any]], columns: Sequence[str], caption: str = ""
    ) -> None:
        """Add a table; numbers are set flush right, floats with four figures, 0 below 1e-12.

        None and NaN become a dash.
        """
        cells = [[_cell(value) for value in row] for row in rows]
        self._add({"kind": "table", "columns": list(columns), "rows": cells, "caption": caption})

    def add_key_figures(self, figures: Mapping[str, str]) -> None:
        """Add a row of boxes, each one number with what it is."""
        self._add({"kind": "key figures", "figures": dict(figures)})

    def write(self, path: Path) -> Path:
        """Write the page; the file appears whole or not at all."""
        from jinja2 import Environment

        template = (files("subtomo.report") / "report.html.j2").read_text(encoding="utf-8")
        page = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
        page.filters["options_whole"] = _options_whole
        html = page.from_string(template).render(
            title=self.title, summary=self.summary, sections=self._sections
        )
        partial = path.with_name(f".{path.name}.partial")
        try:
            partial.write_text(html, encoding="utf-8")
            os.replace(partial, path)
        finally:
            partial.unlink(missing_ok=True)
        return path

    def _add(self, part: dict[str, Any]) -> None:
        if not self._sections:
            self.add_section("")
        self._sections[-1]["parts"].append(part)


def _options_whole(text: str) -> Any:
    """Keep options such as --box-size on one line, which would break after their dashes."""
    from markupsafe import Markup, escape

    return Markup(_OPTION.sub(r'<span class="option">\g<0></span>', str(escape(text))))


def _cell(value: Any) -> dict[str, Any]:
    """Format one table cell."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return {"text": "–", "is_number": True}
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    text = str(value)
    if isinstance(value, float):
        text = "0" if abs(value) < _ZERO else f"{value:.4g}"
    return {"text": text, "is_number": is_number}
