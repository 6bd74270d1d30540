"""One tilt series, complete."""

from dataclasses import dataclass

from subtomo.model import TiltSeries
from subtomo.tomograms.import_tilt_series.files import SeriesFiles


@dataclass(frozen=True, eq=False)
class SeriesImport:
    """One tilt series, ready to be written.

    Parameters
    ----------
    tilt_series : complete
    files : it was read from
    assumed : what no file and no option says, in words
    uses_mdoc : whether its mdoc said anything of it
    """

    tilt_series: TiltSeries
    files: SeriesFiles
    assumed: tuple[str, ...]
    uses_mdoc: bool = False
