"""The command ``subtomo pick net train``."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from subtomo.counts import count_of
from subtomo.errors import SettingsError
from subtomo.formats.finite import require_finite, require_variation
from subtomo.formats.tomogram_names import file_name_of, require_different_files
from subtomo.picking.net.report import write_training_report
from subtomo.picking.net.saved_net import FILE_NAME, SavedNet
from subtomo.picking.net.settings import NetTrainSettings
from subtomo.picking.net.trainings import (
    CURVE_NAME,
    describe_tomogram,
    open_all,
    require_same_classes,
    train_compatible_net,
    train_default_net,
)
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
        require_same_classes(settings, earlier, references)
    require_different_files(tomogram.name for tomogram in tomograms)
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
        payload: dict[str, Any] = {"settings": settings, "folder": str(job.folder)}
        train = train_compatible_net
        if settings.network == "default":
            train = train_default_net
            payload["paths"] = _describe(settings, job, [t.name for t in tomograms])
        outputs = {"training": [path, job.folder / CURVE_NAME]}
        job.map("train", train, {"training": payload}, outputs=outputs)
        write_training_report(job.folder, SavedNet.load(path), references)
        job.log(f"net: {job.shown(path)}")
    return path


def _describe(settings: NetTrainSettings, job: "Job", names: list[str]) -> list[str]:
    """Describe the tomograms; give the files of that, in their order."""
    paths = {name: job.folder / "described" / f"{file_name_of(name)}.npz" for name in names}
    payloads = {
        name: {"settings": settings, "tomogram": name, "path": str(path)}
        for name, path in paths.items()
    }
    outputs = {name: [path] for name, path in paths.items()}
    job.map("describe", describe_tomogram, payloads, outputs=outputs, need_all=True)
    return [str(path) for path in paths.values()]
