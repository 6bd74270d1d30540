"""The job of ``subtomo simulate``: a RELION project of made-up tilt series, and its truth."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from subtomo.errors import SettingsError
from subtomo.formats.finite import require_finite, require_variation
from subtomo.formats.particles import write_particles
from subtomo.formats.relion_tomograms import (
    TomogramEntry,
    tomogram_frames,
    write_tomograms_star,
)
from subtomo.formats.volumes import read_volume, write_stack, write_volume
from subtomo.jobs.job import Job
from subtomo.model import Acquisition, Particles, TiltSeries, Volume
from subtomo.simulation.atoms import read_molecule
from subtomo.simulation.densities import (
    Density,
    body_mask,
    density_from_map,
    density_of_molecule,
    gold_bead,
    particle_radius,
)
from subtomo.simulation.filaments import Helix
from subtomo.simulation.molecules import double_ring_of, made_up_molecule, ring_of
from subtomo.simulation.noise import (
    LEVEL_PIXEL_SIZE,
    SIGNAL_TO_NOISE,
    CountModel,
    count_model,
    counted,
    expected_counts,
    signal_variance,
)
from subtomo.simulation.placement import Body, empty_slab
from subtomo.simulation.projection import Transfer
from subtomo.simulation.scene import Inhabitant, MembraneKind, Scene, populate, truth_table
from subtomo.simulation.seeds import child_generator
from subtomo.simulation.series import signal_images
from subtomo.simulation.settings import SimulateSettings
from subtomo.simulation.species_settings import GOLD, SpeciesSettings
from subtomo.simulation.tilt_plan import TiltPlan, make_tilt_series, tilt_angles, transmission

_MOST_MAP = 4  # edges of the tomogram: a map may have much empty space around its particle
_Payload = tuple[SimulateSettings, Path, str]


def run(settings: SimulateSettings, job: Job) -> Path:
    """Simulate tilt series with a known truth.

    Written are ``tomograms.star``, ``tilt_series/NAME.star`` and ``.mrcs``, and in ``truth/``:
    ``particles.star``, ``labels_NAME.mrc`` (each particle's ``subtomoLabel``),
    ``membranes_NAME.mrc`` (membranes' numbers), ``densities/SPECIES.mrc``, ``tomograms.star`` (the
    true geometry) and, if asked for, ``noise_free_NAME.mrcs``.

    Parameters
    ----------
    settings
    job

    Returns
    -------
    The table of tomograms

    Raises
    ------
    MissingFileError, FormatError, DataError, SettingsError
        If the file of a species cannot be used; nothing is written then.
    """
    settings = settings.model_copy(
        update={"species": tuple(one.with_absolute_paths() for one in settings.species)}
    )
    species = [] if settings.noise_only else list(settings.species)
    for one in species:
        _check_source(one, settings)
    classes = [one.name for one in species]
    if settings.gold_beads and not settings.noise_only:
        classes.append(GOLD)
    files = [path for one in species for path in (one.model, one.map) if path is not None]
    with job.start([*classes, *settings.names], inputs=files, bytes_needed=_bytes_needed(settings)):
        folder = job.folder
        measured = job.map(
            "density",
            make_density,
            {name: (settings, folder, name) for name in classes},
            need_all=True,
            outputs={name: [_density_path(folder, name)] for name in classes},
        )
        reference = measured.get(settings.reference or "", {})
        variance = float(reference.get("signal_variance", 0.0))
        truth = job.map(
            "tilt series",
            make_images,
            {name: (settings, folder, name, classes, variance) for name in settings.names},
            outputs={name: _image_paths(settings, folder, name) for name in settings.names},
        )
        _write_tables(settings, folder, truth, variance)
    return folder / "tomograms.star"


def make_density(payload: _Payload) -> dict[str, float]:
    """Write the density of one species; measure what the noise level needs."""
    settings, folder, name = payload
    volume = Volume(_density(settings, name, settings.pixel_size), settings.pixel_size)
    write_volume(_density_path(folder, name), volume)
    if name != settings.reference:
        return {}
    at_level = _density(settings, name, LEVEL_PIXEL_SIZE)
    # projections there are sums of voxels: times the voxel's size they are Da/Å²
    variance = signal_variance(at_level * LEVEL_PIXEL_SIZE, particle_radius(at_level))
    return {"signal_variance": variance}


def make_images(payload: tuple[SimulateSettings, Path, str, list[str], float]) -> dict[str, Any]:
    """Write one tilt series and its truth; return the columns of its particles."""
    settings, folder, name, classes, variance = payload
    densities = {one: read_volume(_density_path(folder, one)).load() for one in classes}
    plan = tilt_plan(settings)
    true, _ = make_tilt_series(name, plan, settings.seed)
    scene = _scene(settings, name, densities)
    signal = signal_images(
        true,
        scene,
        densities,
        transfer=Transfer(ctf=settings.ctf, dose=settings.dose_damage),
    )
    model = _count_model(settings, plan, variance)
    assert true.ctf is not None
    expected = expected_counts(model, signal, true.ctf.scale)
    images = counted(model, expected, child_generator(settings.seed, name, "noise"))
    a = settings.pixel_size
    stack, labels, membranes, *noise_free = _image_paths(settings, folder, name)
    for path in noise_free:
        write_stack(path, expected, a)
    write_volume(labels, Volume(scene.slab.particles, a))
    write_volume(membranes, Volume(scene.slab.membranes, a))
    write_stack(stack, images, a)
    return {
        "positions": scene.positions,
        "orientations": scene.orientations,
        "class_names": scene.class_names,
        "instances": scene.instances,
    }


def tilt_plan(settings: SimulateSettings) -> TiltPlan:
    """Make the plan that the settings describe."""
    x, y, _ = settings.tomogram_size
    return TiltPlan(
        tilt_angles=tilt_angles(*settings.tilt_range, settings.tilt_step),
        pixel_size=settings.pixel_size,
        tomogram_size_px=settings.tomogram_size,
        image_size_px=settings.image_size or (x, y),
        ice_thickness=settings.thickness,
        scheme=settings.tilt_scheme,
        dose_per_tilt=settings.dose_per_tilt,
        tilt_axis_angle=settings.tilt_axis_angle,
        x_tilt=settings.x_tilt,
        image_shift=settings.image_shift,
        shift_error=settings.shift_error,
        angle_error=settings.angle_error,
        defocus_range=settings.defocus,
        astigmatism=settings.astigmatism,
        phase_shift=settings.phase_shift,
        handedness=settings.handedness,
        acquisition=Acquisition(
            settings.voltage, settings.spherical_aberration, settings.amplitude_contrast
        ),
    )


def _check_source(species: SpeciesSettings, settings: SimulateSettings) -> None:
    """Read what a species comes from, or raise."""
    if species.model is not None:
        read_molecule(species.model)
    if species.map is not None:
        volume = read_volume(species.map)
        require_finite(volume, species.map)
        require_variation(volume, species.map)
        extent = max(volume.shape) * volume.pixel_size
        room = _MOST_MAP * max(settings.tomogram_size) * settings.pixel_size
        if extent > room:
            raise SettingsError(
                f"{species.map}: a map of {extent:g} Å is too large for the tomogram; expected at "
                f"most {room:g} Å: check its pixel size ({volume.pixel_size:g} Å)"
            )


def _density(settings: SimulateSettings, name: str, pixel_size: float) -> Density:
    """Make the density of a species, or of a gold bead."""
    if name == GOLD:
        return gold_bead(settings.gold_diameter, pixel_size)
    species = next(one for one in settings.species if one.name == name)
    if species.map is not None:
        return density_from_map(read_volume(species.map), pixel_size, mass=species.mass)
    if species.model is not None:
        return density_of_molecule(read_molecule(species.model), pixel_size)
    assert species.mass is not None  # the settings make sure
    molecule = made_up_molecule(
        species.mass / species.n_bodies, species.seed, elongation=species.elongation
    )
    ring = ring_of(molecule, species.copies, species.ring_radius)
    if species.dihedral:
        ring = double_ring_of(ring, species.copies, species.ring_height)
    return density_of_molecule(ring, pixel_size)


def _scene(settings: SimulateSettings, name: str, densities: dict[str, Density]) -> Scene:
    """Fill the ice of one tilt series."""
    slab = empty_slab(settings.tomogram_size, settings.pixel_size, settings.thickness)
    if settings.noise_only:
        return Scene(slab)
    inhabitants = [_inhabitant(one, densities[one.name]) for one in settings.species]
    if settings.gold_beads:
        body = Body(body_mask(densities[GOLD]))
        inhabitants.append(Inhabitant(GOLD, body, count=settings.gold_beads))
    membranes = [MembraneKind(**dict(one)) for one in settings.membranes]
    return populate(
        slab,
        inhabitants,
        membranes,
        lambda purpose: child_generator(settings.seed, name, "scene", purpose),
    )


def _inhabitant(species: SpeciesSettings, density: Density) -> Inhabitant:
    helix = None
    if species.rise is not None and species.subunits is not None:
        helix = Helix(
            species.rise,
            species.twist,
            species.helix_radius,
            species.subunits,
            species.persistence_length,
        )
    return Inhabitant(
        species.name,
        Body(body_mask(density)),
        count=species.count,
        fill=species.fill or 0.0,
        in_membrane=species.in_membrane,
        height=species.height,
        helix=helix,
    )


def _count_model(settings: SimulateSettings, plan: TiltPlan, variance: float) -> CountModel:
    """Set the noise for the level."""
    noise = settings.noise
    return count_model(
        noise if isinstance(noise, float) else SIGNAL_TO_NOISE[noise],
        variance,
        dose=settings.dose_per_tilt,
        transmission=float(transmission(plan, np.zeros(1))[0]),
        pixel_size=settings.pixel_size,
        detector_share=settings.detector_noise,
    )


def _write_tables(
    settings: SimulateSettings, folder: Path, truth: dict[str, Any], variance: float
) -> None:
    """Write the tables of tomograms, recorded and true, and of particles."""
    plan = tilt_plan(settings)
    model = _count_model(settings, plan, variance)
    extra = {"subtomoMeanCounts": f"{model.mean_counts!r}"}
    extra["subtomoModulation"] = f"{model.modulation!r}"
    recorded, true = [], []
    for name in truth:
        true_series, recorded_series = make_tilt_series(name, plan, settings.seed)
        recorded.append(TomogramEntry(name, _with_images(recorded_series, folder, settings)))
        true.append(TomogramEntry(name, _with_images(true_series, folder, settings), extra=extra))
    particles = Particles.concatenate(
        [truth_table(name, **columns) for name, columns in truth.items()]
    )
    frames = tomogram_frames(recorded)
    write_particles(folder / "truth" / "particles.star", particles, frames)
    write_tomograms_star(folder / "truth" / "tomograms.star", true)
    write_tomograms_star(folder / "tomograms.star", recorded)


def _with_images(tilt_series: TiltSeries, folder: Path, settings: SimulateSettings) -> TiltSeries:
    """Name the images; leave the CTF out where none was applied."""
    names = tuple(
        f"{number:06d}@{_stack_path(folder, tilt_series.name)}"
        for number in range(1, len(tilt_series) + 1)
    )
    ctf = tilt_series.ctf if settings.ctf else None
    return replace(tilt_series, image_names=names, ctf=ctf)


def _density_path(folder: Path, name: str) -> Path:
    return folder / "truth" / "densities" / f"{name}.mrc"


def _stack_path(folder: Path, name: str) -> Path:
    return folder / "tilt_series" / f"{name}.mrcs"


def _image_paths(settings: SimulateSettings, folder: Path, name: str) -> list[Path]:
    """Name the images of a tilt series, its labels and membranes, and images without noise."""
    truth = folder / "truth"
    noise_free = [truth / f"noise_free_{name}.mrcs"] if settings.noise_free else []
    labels, membranes = truth / f"labels_{name}.mrc", truth / f"membranes_{name}.mrc"
    return [_stack_path(folder, name), labels, membranes, *noise_free]


def _bytes_needed(settings: SimulateSettings) -> float:
    """Size of the stacks and truth volumes."""
    plan = tilt_plan(settings)
    stack = 4 * len(plan.tilt_angles) * np.prod(plan.image_size_px)
    stacks = 2 * stack if settings.noise_free else stack
    return float(settings.tilt_series * (stacks + 4 * np.prod(settings.tomogram_size)))
