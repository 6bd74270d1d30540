"""What the data are: no files, no numerics."""

from subtomo.model.aberrations import Aberrations
from subtomo.model.acquisition import Acquisition
from subtomo.model.deformation import Deformation
from subtomo.model.image_tiles import ImageTiles, TilePool
from subtomo.model.particle_tilts import ParticleTilts
from subtomo.model.particles import Particles
from subtomo.model.tilt_series import TiltCtf, TiltSeries
from subtomo.model.tomogram import Tomogram, TomogramFrame
from subtomo.model.volume import Volume
from subtomo.model.voxel_grid import VoxelGrid

__all__ = [
    "Aberrations",
    "Acquisition",
    "Deformation",
    "ImageTiles",
    "ParticleTilts",
    "Particles",
    "TilePool",
    "TiltCtf",
    "TiltSeries",
    "Tomogram",
    "TomogramFrame",
    "Volume",
    "VoxelGrid",
]
