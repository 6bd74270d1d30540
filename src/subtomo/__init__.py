"""Cryo-electron tomography from tilt series and tomograms to particles and their structures."""

from importlib.metadata import version

__version__ = version("subtomo")
