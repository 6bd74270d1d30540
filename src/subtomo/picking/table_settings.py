"""Options of commands that read tables of picks."""

from pathlib import Path

from pydantic import Field

from subtomo.jobs.settings import JobSettings


class PickTableSettings(JobSettings):
    """What tables of picks do not say themselves; settings of commands inherit from it."""

    tomograms: tuple[Path, ...] = Field(
        (),
        description=(
            "Tomograms of the picks: volume files, folders, or a tomograms.star; they say sizes "
            "and pixel sizes, and the result is then a STAR file"
        ),
    )
    pixel_size: tuple[float, ...] = Field(
        (),
        description=(
            "Pixel size that coordinates in voxels count in (Å), one for all tables or one each "
            "(0: as for those in Å); default: what the table or the tomograms say"
        ),
    )
    tomogram_size: tuple[int, int, int] | None = Field(
        None,
        description=(
            "Size x y z of tomograms that are not given (voxels of --pixel-size), for tables that "
            "count from the centre"
        ),
    )
    tomogram: str | None = Field(
        None,
        description=(
            "Name of the tomogram of tables that name none; default: each table's own file name"
        ),
    )
    input_format: str | None = Field(
        None, description="Format of the tables; default: what suffix and content say"
    )

    def pixel_size_of(self, which: int) -> float | None:
        """Give the pixel size of a table, or None where none was given."""
        if not self.pixel_size:
            return None
        return self.pixel_size[which if len(self.pixel_size) > 1 else 0] or None
