"""Settings of ``subtomo pick match``."""

from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from subtomo.counts import count_of
from subtomo.jobs.settings import JobSettings

_OF_SPHERE: Any = {"needs": {"mask": ()}}
_UNTHRESHOLDED: Any = {"threshold": None, "threshold_score": None}


class MatchSettings(JobSettings):
    """Options of template matching."""

    tomograms: tuple[Path, ...] = Field(
        min_length=1,
        description="Tomograms: volume files, folders of them, or a tomograms.star",
        json_schema_extra={"argument": True},
    )
    template: tuple[Path, ...] = Field(
        min_length=1,
        description="Density to look for, centred in its box; several compete for every place",
    )
    pixel_size: float | None = Field(
        None, gt=0, description="Pixel size of the tomograms (Å); default: their headers'"
    )
    template_pixel_size: float | None = Field(
        None, gt=0, description="Pixel size of the templates (Å); default: their headers'"
    )
    invert_tomograms: bool = Field(False, description="The tomograms show protein dark")
    invert_template: bool = Field(False, description="The templates show protein dark")
    symmetry: tuple[str, ...] = Field(
        ("C1",), description="Symmetry of the templates, such as C7, D2, O: one for all or one each"
    )
    diameter: tuple[float, ...] = Field(
        (),
        description=(
            "Diameter of the particles and their masks (Å), one for all or one each; "
            "default: a tenth more than the sphere that holds 99 % of the density squared"
        ),
    )
    mask: tuple[Path, ...] = Field(
        (),
        description=(
            "Mask on the template's grid, one each; it turns with the template, "
            "which takes about three times as long; default: a sphere of the diameter"
        ),
    )
    mask_edge: float | None = Field(
        None,
        ge=0,
        description="Soft edge of the spherical mask (Å); default: two pixels",
        json_schema_extra=_OF_SPHERE,
    )
    low_pass: float | None = Field(
        None, gt=0, description="Removes finer detail from tomogram and template (Å)"
    )
    high_pass: float | None = Field(
        None, gt=0, description="Removes coarser features from tomogram and template (Å)"
    )
    whiten: bool = Field(
        False,
        description=(
            "Give tomogram and template the power that makes the tomogram's equal at all "
            "frequencies: against coloured noise"
        ),
    )
    background_correction: bool = Field(
        False,
        description=(
            "Search the template with random phases too and take what it scores off the scores, "
            "against gold, membranes and edges; takes twice as long"
        ),
    )
    angular_step: float | None = Field(
        None,
        ge=1,
        le=90,
        description=(
            "Spacing of the orientations (degrees); default: Crowther's, 180° · resolution / "
            "(π · diameter), the resolution being the low-pass or two pixels"
        ),
    )
    exhaustive: bool = Field(
        True,
        description=(
            "Score every position in every orientation; --no-exhaustive: on a coarse grid first, "
            "its peaks exactly, a tenth of the time, in which some peaks are lost"
        ),
    )
    axis_range: tuple[float, float] | None = Field(
        None,
        description=(
            "Least and greatest angle of the template's own z axis to the tomogram's (degrees, 0 "
            "to 180): other orientations are not searched"
        ),
    )
    tilt_range: tuple[float, float] | None = Field(
        None,
        description=(
            "Lowest and highest tilt angle (degrees), for tomograms without a tilt series: "
            "the template loses its missing wedge"
        ),
    )
    weighting: Literal["auto", "none", "wedge", "tilts"] = Field(
        "auto",
        description=(
            "How the template is weighted: by the missing wedge or tilt by tilt with dose and CTF; "
            "auto: tilts where the tilt series is known, wedge where a tilt range is given"
        ),
    )
    ctf: Literal["none", "signed", "flipped"] = Field(
        "none",
        description=(
            "CTF in the tilt-by-tilt weighting: signed for tomograms whose CTF is not corrected, "
            "flipped for those whose phases are"
        ),
    )
    defocus_handedness: int | None = Field(
        None,
        ge=-1,
        le=1,
        description=(
            "Sign with which the defocus follows the height of a block along the beam (1, -1; 0: "
            "one defocus everywhere); default: the tilt series'"
        ),
    )
    dose: bool = Field(True, description="Dose damage in the tilt-by-tilt weighting")
    roi: Path | None = Field(
        None,
        description=(
            "Mask of the region to search (above 0.5): a volume on the tomogram's grid, "
            "or a folder with one volume a tomogram, of its name"
        ),
    )
    surface: tuple[Path, ...] = Field(
        (),
        description=(
            "Files of models, or segmentations called as their tomograms: only near their surfaces "
            "is searched, in orientations about their normals"
        ),
    )
    cone: float | None = Field(
        None,
        gt=0,
        le=180,
        description=(
            "Greatest angle of the template's own z axis to the surface's outward normal, which is "
            "rounded to a quarter of it or 4°, whichever is more (degrees)"
        ),
    )
    surface_distance: float | None = Field(
        None,
        gt=0,
        description="Greatest distance from the surface, on either side (Å); default: the diameter",
    )
    pad_edges: bool = Field(
        False,
        description=(
            "Search up to the faces, as if the tomogram went on flat outside; "
            "otherwise only where the whole template fits"
        ),
    )
    tile_size: int | None = Field(
        None,
        ge=16,
        description="Greatest edge of a block (voxels); default: as suits speed, at most 8 million "
        "voxels a block, some 400 MB a worker",
    )
    false_positives: float = Field(
        1.0,
        gt=0,
        description=(
            "Picks that noise alone may give, by template and tomogram; sets the threshold"
        ),
        json_schema_extra={"needs": _UNTHRESHOLDED},
    )
    calibration: Literal["noise", "gaussian"] = Field(
        "noise",
        description=(
            "How the threshold follows: from a search in noise with the tomogram's spectrum, or "
            "from as many independent Gaussian scores as positions times rotations (stricter)"
        ),
        json_schema_extra={"needs": _UNTHRESHOLDED},
    )
    threshold: float | None = Field(
        None, description="Least score (σ of all scores); in place of the false positives"
    )
    threshold_score: float | None = Field(
        None,
        ge=-1,
        le=1,
        description="Least score (correlation coefficient); in place of the false positives",
    )
    min_distance: float | None = Field(
        None, ge=0, description="Least distance of two picks (Å); default: 0.6 · diameter"
    )
    max_particles: int = Field(
        5000, ge=1, description="Greatest number of picks, by template and tomogram"
    )
    tophat: int | None = Field(
        None,
        ge=1,
        le=3,
        description=(
            "Keep sharp peaks only, whose white top-hat noise would hardly reach; the number is "
            "the connectivity of its element (1: 6, 2: 18, 3: 26 neighbours)"
        ),
    )
    min_peak_volume: float | None = Field(
        None,
        ge=0,
        description="Least volume above the threshold, connected, that a pick lies in (Å³)",
    )
    max_peak_volume: float | None = Field(
        None,
        gt=0,
        description="Greatest volume above the threshold, connected, that a pick lies in (Å³)",
    )
    box_size: int | None = Field(
        None,
        ge=2,
        description=(
            "Box size stored with the picks (voxels), which extraction takes; default: 1.5 · "
            "diameter"
        ),
    )
    pick_group: str = Field(
        "match", min_length=1, description="Label stored with the picks as who picked them"
    )
    check_template: bool = Field(
        True,
        description=(
            "Try the template's mirror image and its negative on a sample of the first tomogram "
            "and warn where one fits better"
        ),
    )
    score_format: Literal["mrc", "zarr"] = Field(
        "mrc", description="Format of the maps of scores and orientations: MRC or OME-Zarr"
    )
    seed: int = Field(
        0, ge=0, description="Seed of the calibration's noise and of the background's template"
    )
    device: str = Field(
        "auto", description="auto, cpu, cuda, cuda:N or mps; auto: cuda where there is one"
    )

    @model_validator(mode="after")
    def _check_match_options(self) -> Self:
        for name in ("symmetry", "diameter", "mask"):
            n = len(getattr(self, name))
            if n > 1 and n != len(self.template):
                raise ValueError(
                    f"--{name} is given {count_of(n, 'time')}, --template "
                    f"{count_of(len(self.template), 'time')}; give one for all or one each"
                )
        if len(self.mask) == 1 and len(self.template) > 1:
            raise ValueError(
                f"--mask is given once, --template {count_of(len(self.template), 'time')}; give "
                "one each"
            )
        if any(not value > 0 for value in self.diameter):
            raise ValueError(f"--diameter is {self.diameter}; expected numbers above 0")
        names = [template_name(path) for path in self.template]
        if len(set(names)) != len(names):
            raise ValueError(
                f"--template: two files are called {max(names, key=names.count)}; "
                "rename one: the name becomes the class of its picks"
            )
        self._check_band()
        if self.tilt_range is not None and not -90 <= self.tilt_range[0] < self.tilt_range[1] <= 90:
            raise ValueError(
                f"--tilt-range is {self.tilt_range}; expected two increasing angles, -90 to 90"
            )
        if self.axis_range is not None and not 0 <= self.axis_range[0] < self.axis_range[1] <= 180:
            raise ValueError(
                f"--axis-range is {self.axis_range}; expected two increasing angles, 0 to 180"
            )
        if self.tilt_range is not None and self.weighting in ("none", "tilts"):
            raise ValueError(f"--tilt-range has no effect with --weighting {self.weighting}")
        if self.weighting == "wedge" and self.ctf != "none":
            raise ValueError("--ctf needs --weighting tilts, found --weighting wedge")
        if self.seed and not (self._is_calibrated_by_noise or self.background_correction):
            raise ValueError(
                f"--seed {self.seed} has no effect: a given threshold or --calibration gaussian "
                "makes no noise, and there is no --background-correction"
            )
        if bool(self.surface) != (self.cone is not None):
            raise ValueError("--surface and --cone need each other; give both or none")
        if self.surface_distance is not None and not self.surface:
            raise ValueError(f"--surface-distance {self.surface_distance:g} needs --surface")
        least, most = self.min_peak_volume, self.max_peak_volume
        if least is not None and most is not None and least > most:
            raise ValueError(
                f"--min-peak-volume ({least:g} Å³) is above --max-peak-volume ({most:g} Å³): no "
                "peak has such a volume"
            )
        if self.ctf == "none" and self.defocus_handedness is not None:
            raise ValueError(
                f"--defocus-handedness {self.defocus_handedness} needs --ctf signed or flipped"
            )
        if self.threshold is not None and self.threshold_score is not None:
            raise ValueError("--threshold and --threshold-score exclude each other; give one")
        return self

    @property
    def _is_calibrated_by_noise(self) -> bool:
        given = self.threshold is not None or self.threshold_score is not None
        return self.calibration == "noise" and not given

    def _check_band(self) -> None:
        if self.low_pass and self.high_pass and self.low_pass >= self.high_pass:
            raise ValueError(
                f"--low-pass ({self.low_pass} Å) is not below --high-pass ({self.high_pass} Å): "
                "nothing passes"
            )


def template_name(path: Path) -> str:
    """Give the class of a template's picks: the file's name without its suffixes."""
    name = path.name
    for suffix in (".gz", ".mrc", ".map", ".rec", ".tif", ".tiff", ".zarr", ".ome"):
        name = name[: -len(suffix)] if name.lower().endswith(suffix) else name
    return name
