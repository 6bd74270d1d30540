"""Reconstruction of maps from the tilt images of particles."""
