"""The microscope's settings."""

from dataclasses import dataclass

from subtomo.errors import DataError

VOLTAGES = (10.0, 3000.0)  # kV, of electron microscopes
MOST_SPHERICAL_ABERRATION = 100.0  # mm


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
        If a value is outside its physical range, such as a voltage in volts.
    """

    voltage: float = 300.0
    spherical_aberration: float = 2.7
    amplitude_contrast: float = 0.07

    def __post_init__(self) -> None:
        least, most = VOLTAGES
        if not least <= self.voltage <= most:
            raise DataError(f"voltage is {self.voltage:g} kV; expected {least:g} to {most:g} kV")
        if not 0 <= self.spherical_aberration <= MOST_SPHERICAL_ABERRATION:
            raise DataError(
                f"spherical_aberration is {self.spherical_aberration:g} mm; expected 0 to "
                f"{MOST_SPHERICAL_ABERRATION:g} mm"
            )
        if not 0 <= self.amplitude_contrast < 1:
            raise DataError(
                f"amplitude_contrast is {self.amplitude_contrast:g}; expected a fraction, 0 to 1"
            )
