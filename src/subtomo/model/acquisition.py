"""The microscope's settings."""

from dataclasses import dataclass

from subtomo.errors import DataError


@dataclass(frozen=True)
class Acquisition:
    """The microscope's settings, the same for all tilts of a series.

    Parameters
    ----------
    voltage : kV
    spherical_aberration : mm
    amplitude_contrast : fraction, 0 to 1

    Raises
    ------
    DataError
        If a value is outside its physical range.
    """

    voltage: float = 300.0
    spherical_aberration: float = 2.7
    amplitude_contrast: float = 0.07

    def __post_init__(self) -> None:
        if not self.voltage > 0:
            raise DataError(f"voltage is {self.voltage} kV; expected a positive number")
        if not self.spherical_aberration >= 0:
            raise DataError(
                f"spherical_aberration is {self.spherical_aberration} mm; expected 0 or more"
            )
        if not 0 <= self.amplitude_contrast < 1:
            raise DataError(
                f"amplitude_contrast is {self.amplitude_contrast}; expected a fraction, 0 to 1"
            )
