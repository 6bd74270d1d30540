"""20,000 particles from 20 tilt series: memory, and the same bytes on every executor.

    python benchmarks/stacks_scale.py [OUT] [--commands extract reconstruct] [--particles 20000]

Extracts and reconstructs, boxes of 32 pixels, in each of the ways of ``same_bytes.py``, and
measures the memory of the processes of a run in two workers, as ``matching_memory.py`` does.
"""

import argparse
import sys
from pathlib import Path

from matching_memory import watch
from same_bytes import differs
from tilt_project import make_project

IMAGE_PX = 512
COMMANDS = {"extract": ["extract", "stacks", "local"], "reconstruct": ["reconstruct", "local"]}


def main() -> None:
    """Run, print memory and what differs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path, nargs="?", default=Path("benchmarks/out/stacks_scale"))
    parser.add_argument("--commands", nargs="+", choices=COMMANDS, default=list(COMMANDS))
    parser.add_argument("--particles", type=int, default=20_000)
    parser.add_argument("--series", type=int, default=20)
    parser.add_argument("--kills", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    project = make_project(
        arguments.out.absolute() / "project",
        arguments.particles,
        image_px=IMAGE_PX,
        n_series=arguments.series,
    )
    files = ["--particles-starfile", str(project / "particles.star"), "--tomograms-starfile"]
    files += [str(project / "tomograms.star"), "--tiltseries-relative-dir", str(project)]
    any_differs = False
    for command in arguments.commands:
        line = [sys.executable, "-m", "subtomo", *COMMANDS[command], *files, "--box-size", "32"]
        folder = arguments.out / command
        memory = [*line, "--output-dir", str(folder / "memory"), "--workers", "2", "--quiet"]
        together, largest = watch(memory)
        print(
            f"{command}: two workers, all processes {together / 1e9:.2f} GB, the largest "
            f"{largest / 1e9:.2f} GB",
            flush=True,
        )
        any_differs |= differs(line, folder, kills=arguments.kills, seed=arguments.seed)
    sys.exit(any_differs)


if __name__ == "__main__":
    main()
