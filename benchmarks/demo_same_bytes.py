"""The demo on every executor, killed and with a killed worker: the same bytes each time.

python benchmarks/demo_same_bytes.py [OUT] [--kills 3] [--seed 1] [--preset demo]
"""

import argparse
import sys
from pathlib import Path

from same_bytes import differs


def main() -> None:
    """Run the demo in each way and compare."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path, nargs="?", default=Path("benchmarks/out/same_bytes"))
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--preset", default="demo")
    arguments = parser.parse_args()
    line = [sys.executable, "-m", "subtomo", "demo", "--preset", arguments.preset]
    sys.exit(differs(line, arguments.out, kills=arguments.kills, seed=arguments.seed))


if __name__ == "__main__":
    main()
