"""The names of the types of models, for settings; ``model_types`` has the classes."""

from typing import Literal

ModelType = Literal[
    "general",
    "dipole",
    "surface",
    "vesicle",
    "ellipsoidal_vesicle",
    "marked_ellipsoidal_vesicle",
    "filament",
    "filament_with_torsion",
    "subunits_on_helix",
    "filament_rings",
    "cubic_lattice",
    "segmentation",
]
