"""The images of one tilt session and their geometry."""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from subtomo.errors import DataError, ShapeError
from subtomo.model.acquisition import Acquisition
from subtomo.model.deformation import Deformation

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class TiltCtf:
    """Contrast transfer of each tilt image.

    Parameters
    ----------
    defocus_u, defocus_v : (tilt,) Å, positive = underfocus
    defocus_angle : (tilt,) degrees, of defocus_u from the x axis
    phase_shift : (tilt,) degrees
    bfactor : (tilt,) Å²
    scale : (tilt,)

    Raises
    ------
    ShapeError
        If the columns differ in length.
    DataError
        If a defocus is not a finite number.
    """

    defocus_u: FloatArray
    defocus_v: FloatArray
    defocus_angle: FloatArray
    phase_shift: FloatArray
    bfactor: FloatArray
    scale: FloatArray

    def __post_init__(self) -> None:
        lengths = {name: len(column) for name, column in vars(self).items()}
        if len(set(lengths.values())) != 1:
            raise ShapeError(f"CTF columns differ in length: {lengths}; expected one value a tilt")
        for name in ("defocus_u", "defocus_v"):
            if not np.all(np.isfinite(getattr(self, name))):
                raise DataError(f"{name} holds a value that is not finite; expected Å")

    def __len__(self) -> int:
        return len(self.defocus_u)

    def select(self, index: Any) -> "TiltCtf":
        """Keep the tilts of an index array, slice or mask."""
        return TiltCtf(**{name: column[index] for name, column in vars(self).items()})


@dataclass(frozen=True, eq=False)
class TiltSeries:
    """The images of one tilt session and their geometry, one entry a tilt.

    Parameters
    ----------
    name : identifier, the tomogram's too
    pixel_size : Å
    tilt_angles : (tilt,) degrees, about y after the tilt axis is turned to y (RELION's YTilt)
    tilt_axis_angles : (tilt,) degrees (RELION's ZRot)
    shifts : (tilt, 2) Å, columns x, y (RELION's XShiftAngst, YShiftAngst)
    dose : (tilt,) e⁻/Å² received before the exposure
    x_tilts : (tilt,) degrees; zero where not given
    ctf : per tilt, or None where unknown
    acquisition : the microscope
    handedness : +1 or -1, defocus rises or falls with height along the beam
    defocus_slope : factor on the depth in the defocus (RELION's rlnTomoDefocusSlope)
    dose_bfactor : Å² for each e⁻/Å² before the exposure; 0: dose weights by critical exposure
        (RELION's rlnCtfBfactorPerElectronDose)
    tomogram_size_px : (x, y, z) of the full-resolution tomogram, in pixels of the images
    projections : (tilt, 4, 4) or None
        Explicit matrices from tomogram pixels to image pixels; they win over the angles.
    deformation : of the images, or None
    image_size_px : (x, y) or None where the images are unknown
    images : (tilt, y, x) array, memory-mapped or lazy, or None
    image_names : (tilt,) as in the table, e.g. ``3@stack.mrcs``
    extra : columns that the package does not interpret, by name, one value a tilt

    Raises
    ------
    ShapeError
        If a column has another length than ``tilt_angles``, or the images do.
    DataError
        If a value is not finite, the pixel size is not positive or a dose is negative.
    """

    name: str
    pixel_size: float
    tilt_angles: FloatArray
    tilt_axis_angles: FloatArray
    shifts: FloatArray
    dose: FloatArray
    x_tilts: FloatArray | None = None
    ctf: TiltCtf | None = None
    acquisition: Acquisition = field(default_factory=Acquisition)
    handedness: int = 1
    defocus_slope: float = 1.0
    dose_bfactor: float = 0.0
    tomogram_size_px: tuple[int, int, int] | None = None
    projections: FloatArray | None = None
    deformation: Deformation | None = None
    image_size_px: tuple[int, int] | None = None
    images: Any = None
    image_names: tuple[str, ...] = ()
    extra: dict[str, NDArray[Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        n = len(self.tilt_angles)
        if n == 0:
            raise ShapeError(f"tilt series {self.name} has no tilts")
        if not (np.isfinite(self.pixel_size) and self.pixel_size > 0):
            raise DataError(
                f"tilt series {self.name} has pixel_size {self.pixel_size} Å; "
                "expected a positive number"
            )
        if self.handedness not in (1, -1):
            raise DataError(
                f"tilt series {self.name} has handedness {self.handedness}; expected 1 or -1"
            )
        if self.x_tilts is None:
            object.__setattr__(self, "x_tilts", np.zeros(n))
        if self.images is not None and self.image_size_px is None:
            object.__setattr__(self, "image_size_px", (self.images.shape[2], self.images.shape[1]))
        expected: dict[str, tuple[int, ...]] = {
            "tilt_angles": (n,),
            "tilt_axis_angles": (n,),
            "x_tilts": (n,),
            "shifts": (n, 2),
            "dose": (n,),
        }
        if self.projections is not None:
            expected["projections"] = (n, 4, 4)
        for column, shape in expected.items():
            value = getattr(self, column)
            if value.shape != shape:
                raise ShapeError(
                    f"tilt series {self.name}: {column} has shape {value.shape}; expected {shape}"
                )
            if not np.all(np.isfinite(value)):
                raise DataError(
                    f"tilt series {self.name}: {column} holds a value that is not finite"
                )
        if np.any(self.dose < 0):
            tilt = int(np.argmin(self.dose))
            raise DataError(
                f"tilt series {self.name}: the dose of tilt {tilt + 1} is {self.dose[tilt]:g}; "
                "expected 0 e⁻/Å² or more"
            )
        for column, length in (
            ("ctf", None if self.ctf is None else len(self.ctf)),
            (
                "deformation",
                None if self.deformation is None else len(self.deformation.coefficients),
            ),
            ("images", None if self.images is None else self.images.shape[0]),
            ("image_names", len(self.image_names) or None),
        ):
            if length not in (None, n):
                raise ShapeError(
                    f"tilt series {self.name}: {column} has {length} tilts; expected {n}"
                )

    def __len__(self) -> int:
        return len(self.tilt_angles)

    def select(self, index: NDArray[Any]) -> "TiltSeries":
        """Keep the tilts of an integer index array or boolean mask, in that order."""
        index = np.arange(len(self))[index]
        assert self.x_tilts is not None
        return replace(
            self,
            tilt_angles=self.tilt_angles[index],
            tilt_axis_angles=self.tilt_axis_angles[index],
            x_tilts=self.x_tilts[index],
            shifts=self.shifts[index],
            dose=self.dose[index],
            ctf=None if self.ctf is None else self.ctf.select(index),
            projections=None if self.projections is None else self.projections[index],
            deformation=None if self.deformation is None else self.deformation.select(index),
            images=None if self.images is None else self.images[index],
            image_names=tuple(self.image_names[i] for i in index) if self.image_names else (),
            extra={name: column[index] for name, column in self.extra.items()},
        )
