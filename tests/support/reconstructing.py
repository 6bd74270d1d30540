"""``subtomo reconstruct local`` on RELION's own tables, and what it leaves."""

import json

import mrcfile
import numpy as np

from subtomo.cli.main import run
from subtomo.formats.star import StarTable, read_star, write_star

NAMES = ("half1", "half2", "merged")


def reconstruct(folder, *options, particles="particles_few.star", tomograms="tomograms.star"):
    """Run the command without its report; give its status."""
    files = ["--particles-starfile", str(particles), "--tomograms-starfile", str(tomograms)]
    job = ["--output-dir", str(folder), "--quiet", "--no-postprocess"]
    options = ["--box-size", "16", *options]
    return run(["reconstruct", "local", *files, *job, "--executor", "inline", *options])


def files_of(folder):
    """Name what was written."""
    return {path.name for path in folder.iterdir()} - {"job.json", "ledger.jsonl", "log.txt"}


def read(path):
    """Read a map."""
    return mrcfile.read(path).astype(np.float64)


def maps_of(folder):
    """Read the bytes of the maps, by name."""
    return {path.name: path.read_bytes() for path in folder.glob("*.mrc")}


def state_of(folder):
    """Read how a job ended."""
    return json.loads((folder / "job.json").read_text())["state"]


def change_table(path, block, change, target):
    """Write a STAR file with one block changed."""
    blocks = dict(read_star(path))
    columns = {tag: column.copy().astype("U200") for tag, column in blocks[block].columns.items()}
    blocks[block] = StarTable(change(columns) or columns)
    write_star(target, blocks)
    return target
