"""The command ``subtomo pick net train``."""

from pathlib import Path
from typing import TYPE_CHECKING

from subtomo.counts import count_of
from subtomo.errors import SettingsError
from subtomo.formats.finite import require_finite, require_variation
from subtomo.picking.net.report import write_training_report
from subtomo.picking.net.saved_net import FILE_NAME, SavedNet
from subtomo.picking.net.settings import NetTrainSettings
from subtomo.picking.net.trainings import CURVE_NAME, open_all, train_compatible_net
from subtomo.signal.device import compute_device
from subtomo.sources.tomograms import tomogram_files

if TYPE_CHECKING:
    from subtomo.jobs.job import Job


def run(settings: NetTrainSettings, job: "Job") -> Path:
    """Train a net from picks; write it, its course and a report.

    Returns
    -------
    Path of ``net.pt``
    """
    compute_device(settings.device)
    tomograms, references = open_all(settings)
    if settings.initial_net is not None:
        earlier = SavedNet.load(settings.initial_net)
        if earlier.network != settings.network:
            raise SettingsError(
                f"--initial-net {settings.initial_net}: a net of the {earlier.network} network, "
                f"but --network is {settings.network}; give --network {earlier.network}"
            )
    for tomogram in tomograms:
        require_finite(tomogram.volume, f"tomogram {tomogram.name}")
        require_variation(tomogram.volume, f"tomogram {tomogram.name}")
    path = job.folder / FILE_NAME
    inputs = [*tomogram_files(settings.tomograms), *settings.positive, *settings.negative]
    inputs += [] if settings.initial_net is None else [settings.initial_net]
    with job.start(["training"], inputs=inputs):
        n_positive = int((references.label > 0).sum())
        job.log(
            f"{count_of(n_positive, 'positive pick')}, "
            f"{count_of(len(references.label) - n_positive, 'negative pick')}, "
            f"{int(references.is_held_out.sum())} of them held out for validation"
        )
        payload = {"settings": settings, "folder": str(job.folder)}
        outputs = {"training": [path, job.folder / CURVE_NAME]}
        job.map("train", train_compatible_net, {"training": payload}, outputs=outputs)
        write_training_report(job.folder, SavedNet.load(path), references)
        job.log(f"net: {job.shown(path)}")
    return path
