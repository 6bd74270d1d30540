"""``python -m subtomo``."""

from subtomo.cli.main import main

main()
