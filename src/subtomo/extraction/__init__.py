"""Cut particles out of tomograms and tilt images."""
