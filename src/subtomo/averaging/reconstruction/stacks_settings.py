"""Settings of ``subtomo reconstruct stacks``."""

from pydantic import Field

from subtomo.averaging.reconstruction.settings import MapSettings
from subtomo.sources.settings import StackSource


class ReconstructStacksSettings(MapSettings, StackSource):
    """Options of reconstruction from stacks of 2D images that were extracted."""

    ctf: bool = Field(
        True,
        description=(
            "Divide the map by the squares of CTF and dose weight, by which the images are "
            "multiplied first unless their table says that they are already"
        ),
    )
    circle_crop: bool = Field(
        True,
        description=(
            "Subtract the mean outside a circle in each image and fade out what is there, unless "
            "that was done when the images were extracted (their corners are 0)"
        ),
    )
    invert_contrast: bool = Field(
        False,
        description=(
            "Turn the contrast, for images that show protein dark although they should be "
            "multiplied by their CTF, or bright although they should not"
        ),
    )
    cutoff_fraction: float = Field(
        0.01,
        ge=0,
        lt=1,
        description="Least dose weight, a fraction, of the frequencies that are used",
        json_schema_extra={"aliases": ["--cutoff-fract"]},
    )
