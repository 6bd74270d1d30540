"""The CryoET Data Portal as a source of particles and tilt series."""
