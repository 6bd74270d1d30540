"""What of the portal can be used, and why the rest cannot."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from subtomo.errors import DataError, SubtomoError
from subtomo.formats.star import StarTable
from subtomo.model import TiltSeries
from subtomo.sources.image_sizes import with_image_sizes
from subtomo.sources.particle_project import TOMOGRAM, ParticleProject, make_particle_project
from subtomo.sources.portal.checks import check_offset
from subtomo.sources.portal.client import STAGING_URL, PortalClient
from subtomo.sources.portal.points import ObjectPoints
from subtomo.sources.portal.records import SeriesRecords
from subtomo.sources.portal.settings import PortalAccess
from subtomo.sources.portal.tilt_series import portal_tilt_series
from subtomo.sources.portal.tomogram_rows import TomogramRows

TOMOGRAMS_FILE = "tomograms.star"


@dataclass(eq=False)
class Gathered:
    """What of the portal can be used so far, and why the rest cannot.

    Parameters
    ----------
    is_strict : the first failure is an error
    rows, tilt_series : by name of the tomogram
    points : of each file, by name of the tomogram
    skipped : why, by what was left out
    """

    is_strict: bool
    rows: dict[str, TomogramRows] = field(default_factory=dict)
    tilt_series: dict[str, TiltSeries] = field(default_factory=dict)
    points: dict[str, list[ObjectPoints]] = field(default_factory=dict)
    skipped: dict[str, SubtomoError] = field(default_factory=dict)

    def skip(self, what: str, error: SubtomoError) -> None:
        """Leave something out."""
        if self.is_strict:
            raise error
        self.skipped[what] = error
        self.rows.pop(what, None)
        self.tilt_series.pop(what, None)

    def take(self, tomograms: Iterable[TomogramRows]) -> None:
        """Take tomograms in, in the order of their ids.

        Raises
        ------
        DataError
            If there are none.
        """
        ordered = sorted(tomograms, key=lambda rows: rows.ids)
        self.rows = {rows.name: rows for rows in ordered}
        self.check_any()

    def check_any(self) -> None:
        """Stop if nothing is left.

        Raises
        ------
        DataError
            With the first reason.
        """
        if not self.rows:
            raise DataError(f"no tomogram of the portal can be used: {self.reasons()}")

    def reasons(self) -> str:
        """Give the first reason, and how many there are."""
        reasons = [f"{what}: {error}" for what, error in self.skipped.items()]
        more = f" (and {len(reasons) - 1} more)" if len(reasons) > 1 else ""
        return (reasons[0] if reasons else "") + more


def open_portal(access: PortalAccess) -> PortalClient:
    """Reach the portal that the settings mean."""
    return PortalClient(STAGING_URL if access.staging else access.portal_url)


def add_tilt_series(
    gathered: Gathered,
    records: SeriesRecords,
    access: PortalAccess,
    *,
    need_ctf: bool,
    prefer_mrc: bool = False,
) -> None:
    """Make the tilt series of all tomograms, look up their images, leave out those that fail."""
    for name, rows in list(gathered.rows.items()):
        try:
            gathered.tilt_series[name] = portal_tilt_series(
                rows, records, access, need_ctf=need_ctf, prefer_mrc=prefer_mrc
            )
        except SubtomoError as failure:
            gathered.skip(name, failure)
        else:
            check_offset(rows)
    gathered.tilt_series, failures = with_image_sizes(gathered.tilt_series, check_pixel_size=True)
    for name, error in failures.items():
        gathered.skip(name, error)
    gathered.check_any()


def generated_project(gathered: Gathered, particles: StarTable) -> ParticleProject:
    """Put particles on tilt series of the portal.

    Parameters
    ----------
    gathered : the tilt series
    particles : with the names of their tomograms
    """
    used = set(particles.text(TOMOGRAM).tolist())
    project = make_particle_project(
        particles,
        None,
        {name: one for name, one in gathered.tilt_series.items() if name in used},
        tomograms_file=TOMOGRAMS_FILE,
        optics_group_names={name: rows.group_name for name, rows in gathered.rows.items()},
    )
    return replace(project, skipped=gathered.skipped, is_generated=True)
