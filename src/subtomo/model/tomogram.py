"""A reconstructed tomogram and the frame it lives in."""

from dataclasses import dataclass

from subtomo.errors import DataError
from subtomo.model.tilt_series import TiltSeries
from subtomo.model.volume import Volume


@dataclass(frozen=True)
class TomogramFrame:
    """Size and pixel size of the full-resolution tomogram: what centred coordinates refer to.

    Parameters
    ----------
    size_px : (x, y, z)
        In pixels of the tilt series.
    pixel_size : Å
        Of the tilt series.
    """

    size_px: tuple[int, int, int]
    pixel_size: float

    @property
    def centre(self) -> tuple[float, float, float]:
        """(x, y, z) in Å of the point that RELION 5 measures from: size / 2, not rounded."""
        x, y, z = (n / 2 * self.pixel_size for n in self.size_px)
        return x, y, z


@dataclass(frozen=True, eq=False)
class Tomogram:
    """A reconstructed tomogram, with the tilt series it came from where that is known.

    Parameters
    ----------
    name : the identifier that particles refer to
    volume : its voxels
    tilt_series : geometry and CTF of its images, or None
    full_frame : the full-resolution tomogram, where it is known without a tilt series

    Raises
    ------
    DataError
        If the name is empty.
    """

    name: str
    volume: Volume
    tilt_series: TiltSeries | None = None
    full_frame: TomogramFrame | None = None

    def __post_init__(self) -> None:
        if not self.name:
            raise DataError(
                "tomogram has an empty name; expected the identifier particles refer to"
            )

    @property
    def frame(self) -> TomogramFrame:
        """The full-resolution frame: the tilt series' or the given one, else the volume's grid."""
        if self.tilt_series is not None and self.tilt_series.tomogram_size_px is not None:
            return TomogramFrame(self.tilt_series.tomogram_size_px, self.tilt_series.pixel_size)
        if self.full_frame is not None:
            return self.full_frame
        z, y, x = self.volume.shape
        return TomogramFrame((x, y, z), self.volume.pixel_size)
