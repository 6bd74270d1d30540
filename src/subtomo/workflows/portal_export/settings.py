"""Settings of ``subtomo portal export`` and ``subtomo portal export-copick``."""

from pydantic import Field

from subtomo.jobs.settings import JobSettings
from subtomo.sources.settings import CopickDataPortalSource, DataPortalSource


class ExportSettings(JobSettings):
    """Options of an export, whatever says which particles are meant."""

    stars_only: bool = Field(
        False,
        description=(
            "Write the tables only; they name the addresses of the images (tomoTiltSeriesURI)"
        ),
    )
    ctf: bool = Field(
        True,
        description="Leave out tilt series without CTF; --no-ctf takes them too",
    )


class ExportPortalSettings(ExportSettings, DataPortalSource):
    """Options of ``subtomo portal export``."""


class ExportCopickSettings(ExportSettings, CopickDataPortalSource):
    """Options of ``subtomo portal export-copick``."""
