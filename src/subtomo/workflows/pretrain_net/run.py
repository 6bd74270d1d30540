"""The command ``subtomo pick net pretrain``."""

from pathlib import Path
from typing import TYPE_CHECKING

from subtomo.workflows.pretrain_net.items import (
    CHECKPOINT_NAME,
    COURSE_NAME,
    WEIGHTS_NAME,
    make_some_bodies,
    train,
)
from subtomo.workflows.pretrain_net.settings import PretrainNetSettings

if TYPE_CHECKING:
    from subtomo.jobs.job import Job

_BODIES_AN_ITEM = 10


def run(settings: PretrainNetSettings, job: "Job") -> Path:
    """Make up bodies and train the network that describes places on scenes of them.

    Returns
    -------
    Path of the weights, as they lie in the package
    """
    starts = range(0, settings.bodies, _BODIES_AN_ITEM)
    paths = {f"bodies from {start}": job.folder / "bodies" / f"{start:04d}.npz" for start in starts}
    payloads = {
        name: {
            "numbers": list(range(start, min(start + _BODIES_AN_ITEM, settings.bodies))),
            "seed": settings.seed,
            "path": str(paths[name]),
        }
        for name, start in zip(paths, starts, strict=True)
    }
    path = job.folder / WEIGHTS_NAME
    with job.start([*payloads, "training"]):
        if not settings.resume:
            (job.folder / CHECKPOINT_NAME).unlink(missing_ok=True)
        outputs = {name: [file] for name, file in paths.items()}
        job.map("bodies", make_some_bodies, payloads, need_all=True, outputs=outputs)
        training = {
            "settings": settings,
            "folder": str(job.folder),
            "bodies": [str(file) for file in paths.values()],
        }
        results = job.map(
            "train",
            train,
            {"training": training},
            outputs={"training": [path, job.folder / COURSE_NAME]},
        )
        job.log(
            f"weights: {job.shown(path)} (kinds told right at the end: "
            f"{results['training']['accuracy']:.0%})"
        )
    return path
