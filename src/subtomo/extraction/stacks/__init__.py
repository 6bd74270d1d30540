"""Cut the 2D images of particles out of tilt series, as RELION 5 does."""
