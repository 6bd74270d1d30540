"""What a copick project has that matches, in words."""

from subtomo.counts import count_of
from subtomo.formats.copick_picks import PickSet
from subtomo.sources.copick.choice import choice_of
from subtomo.sources.copick.config import read_copick_config
from subtomo.sources.copick.local_project import meant_picks
from subtomo.sources.copick.portal_project import portal_picks
from subtomo.sources.copick.project_files import CopickFiles
from subtomo.sources.copick.run_map import read_run_map, tomograms_of_runs
from subtomo.sources.copick.settings import CopickDataPortalSource, CopickLocalSource
from subtomo.sources.local_project import table_tilt_series
from subtomo.sources.portal.gathered import open_portal
from subtomo.sources.portal.listing import in_columns

_HEADINGS = ("run", "object", "user", "session", "picks", "oriented", "tomogram")


def list_copick(source: CopickLocalSource | CopickDataPortalSource) -> str:
    """List the runs and picks that match, with counts.

    Parameters
    ----------
    source : what is meant

    Returns
    -------
    a table in lines, a sum, and files that cannot be read

    Raises
    ------
    SubtomoError
        If nothing matches, or a file is missing or damaged.
    """
    if isinstance(source, CopickDataPortalSource):
        found, failures = portal_picks(open_portal(source), source)
        sets = [each.picks for each in found]
        tomograms = {picks.run: "of the portal" for picks in sets}
    else:
        files = CopickFiles(read_copick_config(source.copick_config), source.copick_config)
        sets, failures = meant_picks(files, choice_of(source))
        tomograms = _tomograms(source, sets)
    rows = [(*_row(picks), tomograms.get(picks.run, "none")) for picks in sets]
    runs = {picks.run for picks in sets}
    n_picks = sum(len(picks) for picks in sets)
    total = f"{count_of(n_picks, 'pick')} in {count_of(len(sets), 'file')} of "
    left_out = [f"left out: {what}: {error}" for what, error in failures.items()]
    lines = [*in_columns([_HEADINGS, *rows]), total + count_of(len(runs), "run"), *left_out]
    return "\n".join(lines)


def _tomograms(source: CopickLocalSource, sets: list[PickSet]) -> dict[str, str]:
    """Say which tomogram each run means."""
    tilt_series, _ = table_tilt_series(
        source.tomograms_starfile, (), source.tiltseries_relative_dir
    )
    runs = dict.fromkeys(picks.run for picks in sets)
    return tomograms_of_runs(runs, tilt_series, read_run_map(source.copick_run_map))[0]


def _row(picks: PickSet) -> tuple[str, ...]:
    """Say one file of picks in a line."""
    is_oriented = "yes" if picks.is_oriented else "no"
    return (picks.run, picks.object_name, picks.user, picks.session, str(len(picks)), is_oriented)
