"""The report of ``subtomo pick consensus``."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from subtomo.model import Particles
from subtomo.picking.consensus.consensus import CONSENSUS, SET, Consensus
from subtomo.picking.consensus.figures import draw_overlap, draw_pairwise_f1, draw_spread
from subtomo.picking.consensus.merging import POSITION_SPREAD
from subtomo.picking.consensus.overlap import count_combinations, pairwise_f1
from subtomo.report import Report

_MOST_TOMOGRAMS = 50


def write_report(
    path: Path,
    sets: Mapping[str, Particles],
    found: Consensus,
    *,
    radius: float,
    per_class: bool,
    rule: str,
) -> None:
    """Write figures and tables of what pickers agree on as one page.

    Parameters
    ----------
    path : of the HTML file
    sets : picks by picker
    found : what they agree on
    radius : Å
    per_class : whether pairs were of one class
    rule : in words, which particles were kept
    """
    report = Report(
        "Consensus of pickers",
        f"Picks closer than {radius:g} Å are the same particle; kept: {rule}.",
    )
    n_groups = int(found.group.max(initial=-1)) + 1
    report.add_section("Agreement")
    report.add_key_figures(
        {
            "pickers": f"{len(found.names)}",
            "picks": f"{len(found.members)}",
            "groups of picks": f"{n_groups}",
            "particles kept": f"{len(found.particles)}",
        }
    )
    kept = found.members.extra[CONSENSUS] > 0
    of_set = {name: found.members.extra[SET] == name for name in found.names}
    voted = found.votes_by_picker
    alone = voted[found.group].sum(axis=1) == 1
    report.add_table(
        [
            [name, int(rows.sum()), int((rows & kept).sum()), int((rows & alone).sum())]
            for name, rows in of_set.items()
        ],
        columns=["picker", "picks", "in particles kept", "seen by no other picker"],
    )
    if n_groups:
        _add_figures(report, sets, found, voted, radius=radius, per_class=per_class)
    _add_tomograms(report, found)
    report.write(path)


def _add_figures(
    report: Report,
    sets: Mapping[str, Particles],
    found: Consensus,
    voted: NDArray[np.bool_],
    *,
    radius: float,
    per_class: bool,
) -> None:
    """Draw the overlap, the pairwise F1 and the spread."""
    counts = count_combinations(voted)
    is_kept = np.zeros(len(voted), dtype=bool)
    is_kept[found.group[found.members.extra[CONSENSUS] > 0]] = True
    kept = count_combinations(voted[is_kept])
    report.add_figure(
        draw_overlap(
            counts,
            found.names,
            [int((found.members.extra[SET] == name).sum()) for name in found.names],
            {each: each in kept for each in counts},
        ),
        "Groups of picks by the pickers that voted for them: the dots under a bar say which. "
        "Bars on the left: all picks of each picker.",
    )
    f1 = pairwise_f1({name: sets[name] for name in found.names}, radius=radius, per_class=per_class)
    report.add_figure(
        draw_pairwise_f1(f1, found.names),
        "F1 between each two pickers, each pick paired with at most one of the other within the "
        "radius; the other pickers play no part.",
    )
    if np.isfinite(found.particles.extra[POSITION_SPREAD]).any():
        report.add_figure(
            draw_spread(found.particles),
            "Particles with several votes: distances of their picks from the mean position (root "
            "mean square), and angles of their orientations from the mean.",
        )


def _add_tomograms(report: Report, found: Consensus) -> None:
    """List the counts by tomogram."""
    report.add_section("Tomograms")
    names = np.unique(found.members.tomogram).tolist()
    rows = []
    for name in names[:_MOST_TOMOGRAMS]:
        of_tomogram = found.members.tomogram == name
        picks = [
            int((of_tomogram & (found.members.extra[SET] == picker)).sum())
            for picker in found.names
        ]
        rows.append([name, *picks, int((found.particles.tomogram == name).sum())])
    more = len(names) - _MOST_TOMOGRAMS
    report.add_table(
        rows,
        columns=["tomogram", *found.names, "particles kept"],
        caption=f"The first {_MOST_TOMOGRAMS} of {len(names)} tomograms." if more > 0 else "",
    )
