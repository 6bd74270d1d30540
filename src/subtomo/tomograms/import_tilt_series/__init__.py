"""Import of tilt series aligned by other programs, as a RELION 5 project."""
