"""The state of a descent between two items, in a file."""

from pathlib import Path

import numpy as np
import torch

from subtomo.averaging.box import Box
from subtomo.averaging.initial_model.descent import Models
from subtomo.averaging.initial_model.shares import Shares
from subtomo.averaging.sums import ParticleSums
from subtomo.formats.atomic import replacing


def write_models(path: Path, models: Models) -> None:
    """Write models and their shares, whole or not at all.

    Parameters
    ----------
    path : the file, .npz
    models : to be written
    """
    columns = {"volumes": models.volumes.numpy(), "axes": models.axes}
    for k, shares in enumerate(models.shares):
        rows = list(shares.of_rows)
        columns[f"rows{k}"] = np.array(rows, dtype=np.int64)
        for name in ("data", "weight"):
            kept = [getattr(shares.of_rows[row], name).numpy() for row in rows]
            columns[f"{name}{k}"] = np.stack(kept) if kept else np.zeros(0)
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez(file, **columns)  # type: ignore[arg-type]  # numpy's stubs take no arrays by name


def read_models(path: Path, box: Box) -> Models:
    """Read what `write_models` wrote.

    Parameters
    ----------
    path : the file
    box : of the models
    """
    nothing = ParticleSums.empty(box).power
    with np.load(path, allow_pickle=False) as file:
        volumes, axes = torch.from_numpy(file["volumes"]), file["axes"]
        shares = []
        for k in range(len(volumes)):
            columns = zip(file[f"rows{k}"], file[f"data{k}"], file[f"weight{k}"], strict=True)
            of_rows = {
                int(row): ParticleSums(torch.from_numpy(data), torch.from_numpy(weight), nothing, 1)
                for row, data, weight in columns
            }
            shares.append(Shares(box, of_rows))
    return Models(shares, volumes, axes)
