"""What must be true of a tilt series before its images are cut, and what is said of bad pixels."""

from collections.abc import Iterator
from contextlib import contextmanager

from subtomo.errors import DataError, PixelError, SettingsError
from subtomo.model import TiltSeries


def require_ctf(series: TiltSeries) -> None:
    """Refuse a tilt series whose CTF is needed and not known.

    Raises
    ------
    DataError
        If it has none.
    """
    if series.ctf is None:
        raise DataError(
            f"tilt series {series.name} has no CTF (rlnDefocusU, rlnDefocusV, rlnDefocusAngle); "
            "estimate it, or give --no-ctf"
        )


def require_window(series: TiltSeries, box_size: int, binning: float, window_size: int) -> None:
    """Refuse windows that are larger than the images; nothing is said of images of unknown size.

    Parameters
    ----------
    series : whose images they are cut out of
    box_size : as it was asked for, with ``binning``
    binning : pixels of the images in one of the box
    window_size : pixels of the images

    Raises
    ------
    SettingsError
        If a window does not fit.
    """
    size = series.image_size_px
    if size is not None and window_size > min(size):
        raise SettingsError(
            f"--box-size {box_size} at --bin {binning:g} takes {window_size} pixels, but the "
            f"images of {series.name} are {size[0]} x {size[1]}; give a smaller box"
        )


@contextmanager
def naming_image(series: TiltSeries) -> Iterator[None]:
    """Say of which tilt and file pixels cannot be computed with.

    Raises
    ------
    DataError
        In place of a `PixelError`.
    """
    try:
        yield
    except PixelError as error:
        raise DataError(
            f"tilt series {series.name}, tilt {error.tilt + 1} "
            f"({series.image_names[error.tilt]}): pixels are NaN, infinite or too large to "
            "compute with; replace them, or leave the image out of the table"
        ) from None
