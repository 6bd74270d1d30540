"""Fixed settings of the demo, of evaluation and of tuning: seeds and species never shared.

Figures of quality are made with ``evaluation`` and each of `EVALUATION_SEEDS` (and the demo's are
the demo's own). Methods, thresholds and networks are tuned and trained with ``tuning`` only, with
seeds from `TUNING_SEEDS`. Neither may change once a method was measured with it.
"""

from typing import Any

DEMO_SEED = 2024
EVALUATION_SEEDS = (7001, 7002, 7003)
TUNING_SEEDS = (11, 12, 13)
PRETRAINING_SEEDS = range(100_000, 200_000)
"""Of bodies and scenes that networks are pretrained with; no other seed lies there."""
MEMBRANE_SEEDS = (6001, 6002, 6003)
"""Of ``membrane``, the tutorial on directional picking: it has nothing to tune."""

# A target of a ribosome's mass, a long body and a small flat one
_DEMO_SPECIES = (
    {"name": "target", "mass": 4000, "seed": 101, "count": 110},
    {"name": "rod", "mass": 1600, "seed": 102, "elongation": 3.0, "count": 25},
    {"name": "plate", "mass": 900, "seed": 103, "elongation": 0.4, "count": 25},
)
_EVALUATION_SPECIES = (
    {"name": "target", "mass": 4200, "seed": 9101, "count": 110},
    {"name": "rod", "mass": 1500, "seed": 9102, "elongation": 3.0, "count": 25},
    {"name": "plate", "mass": 1000, "seed": 9103, "elongation": 0.4, "count": 25},
)
_TUNING_SPECIES = (
    {"name": "target", "mass": 3800, "seed": 501, "count": 110},
    {"name": "rod", "mass": 1700, "seed": 502, "elongation": 2.5, "count": 25},
    {"name": "plate", "mass": 1100, "seed": 503, "elongation": 0.5, "count": 25},
)
_SERIES = {
    "tilt_series": 2,
    "pixel_size": 10.0,
    "tomogram_size": (360, 360, 100),
    "ice_thickness": 800.0,
    "noise": "medium",
    "noise_reference": "target",
    "image_shift": 20.0,
    # 61 tilts, and a defocus whose first zero of the CTF lies beyond 25 Å
    "tilt_step": 2.0,
    "dose_per_tilt": 2.0,
    "defocus": (26000.0, 32000.0),
    "amplitude_contrast": 0.1,
}

# Half a minute's work, to see that the chain holds: no figure of quality is made with it
_SMALL = {
    **_SERIES,
    "seed": TUNING_SEEDS[0],
    "tomogram_size": (120, 120, 56),
    "ice_thickness": 500.0,
    "noise": "easy",
    "tilt_step": 4.0,
    "species": (
        {"name": "target", "mass": 2000, "seed": 501, "count": 8},
        {"name": "rod", "mass": 600, "seed": 502, "elongation": 2.5, "count": 2},
    ),
}

# Crowns on the outer membrane of a mitochondrion, a part of which lies in the ice;
# benchmarks/directional_picking.py takes other radii and MEMBRANE_SEEDS
_MEMBRANE = {
    **_SERIES,
    "tilt_series": 1,
    "seed": MEMBRANE_SEEDS[0],
    "tomogram_size": (200, 200, 90),
    "noise": "easy",
    "noise_reference": "crown",
    "tilt_step": 3.0,
    "dose_per_tilt": 3.0,
    "species": (
        {
            "name": "crown",
            "mass": 900,
            "seed": 401,
            "elongation": 1.4,
            "copies": 6,
            "ring_radius": 60.0,
            "count": 12,
            "in_membrane": True,
            "height": 75.0,
        },
    ),
    "membranes": ({"kind": "sphere", "radius": 1000.0, "whole": False},),
}

# A crowd to pick from: small proteins everywhere, vesicles, gold; 512 x 512 x 200 as a user's
_CROWDED = {
    **_SERIES,
    "tilt_series": 1,
    "tomogram_size": (512, 512, 200),
    "ice_thickness": 1600.0,
    "gold_beads": 8,
    "membranes": ({"kind": "sphere", "count": 3, "radius": (300.0, 500.0)},),
}
_FIRST_SEEDS = {"evaluation": EVALUATION_SEEDS[0], "tuning": TUNING_SEEDS[0]}
_CROWD_SEEDS = {"evaluation": 9200, "tuning": 600}


def _crowded(which: str) -> dict[str, Any]:
    """Give the crowd around one kind of target; evaluation and tuning share no body."""
    seed = _CROWD_SEEDS[which]
    return {
        **_CROWDED,
        "seed": _FIRST_SEEDS[which],
        "species": (
            {"name": "target", "mass": 2600, "seed": seed + 1, "count": 200},
            {"name": "large", "mass": 4500, "seed": seed + 2, "elongation": 0.6, "count": 80},
            {"name": "rod", "mass": 1500, "seed": seed + 3, "elongation": 3.0, "count": 120},
            {"name": "plate", "mass": 900, "seed": seed + 4, "elongation": 0.4, "count": 150},
            {"name": "small", "mass": 300, "seed": seed + 5, "fill": 0.02},
        ),
    }


def _classes(which: str) -> dict[str, Any]:
    """Give four species of different mass, all to be found."""
    seed = _CROWD_SEEDS[which] + 10
    return {
        **_CROWDED,
        "seed": _FIRST_SEEDS[which],
        "noise_reference": "first",
        "species": (
            {"name": "first", "mass": 4000, "seed": seed + 1, "count": 120},
            {"name": "second", "mass": 2000, "seed": seed + 2, "elongation": 2.5, "count": 120},
            {"name": "third", "mass": 1000, "seed": seed + 3, "count": 120},
            {"name": "fourth", "mass": 500, "seed": seed + 4, "elongation": 0.5, "count": 120},
        ),
    }


def _defocused(which: str) -> dict[str, Any]:
    """Give fine pixels and strong defocus: many zeros of the CTF within the band."""
    seed = _CROWD_SEEDS[which] + 20
    return {
        **_SERIES,
        "tilt_series": 1,
        "seed": _FIRST_SEEDS[which],
        "pixel_size": 6.0,
        "tomogram_size": (480, 480, 160),
        "ice_thickness": 800.0,
        "defocus": (40000.0, 60000.0),
        "gold_beads": 10,
        "membranes": ({"kind": "sphere", "count": 2, "radius": (250.0, 330.0)},),
        "species": (
            {"name": "target", "mass": 2800, "seed": seed + 1, "count": 130},
            {"name": "rod", "mass": 1200, "seed": seed + 2, "elongation": 3.0, "count": 40},
        ),
    }


def _sparse(which: str) -> dict[str, Any]:
    """Give particles far apart, from which an initial model is made."""
    seed = _CROWD_SEEDS[which] + 30
    return {
        **_SERIES,
        "tilt_series": 1,
        "seed": _FIRST_SEEDS[which],
        "tomogram_size": (300, 300, 90),
        "species": ({"name": "target", "mass": 3600, "seed": seed + 1, "count": 60},),
    }


def _dihedral(which: str) -> dict[str, Any]:
    """Give particles of symmetry D2 far apart: of a body of four copies in two rings."""
    seed = _CROWD_SEEDS[which] + 40
    target = {
        "evaluation": {"mass": 2000, "ring_radius": 52.0, "ring_height": 45.0},
        "tuning": {"mass": 2300, "ring_radius": 60.0, "ring_height": 40.0},
    }
    symmetry = {"copies": 2, "dihedral": True}
    return {
        **_sparse(which),
        "species": (
            {"name": "target", "seed": seed + 1, "count": 60, **symmetry, **target[which]},
        ),
    }


PRESETS: dict[str, dict[str, Any]] = {
    "classes": _classes("evaluation"),
    "classes-tuning": _classes("tuning"),
    "crowded": _crowded("evaluation"),
    "crowded-tuning": _crowded("tuning"),
    "defocused": _defocused("evaluation"),
    "defocused-tuning": _defocused("tuning"),
    "demo": {**_SERIES, "seed": DEMO_SEED, "species": _DEMO_SPECIES},
    "dihedral": _dihedral("evaluation"),
    "dihedral-tuning": _dihedral("tuning"),
    "evaluation": {**_SERIES, "seed": EVALUATION_SEEDS[0], "species": _EVALUATION_SPECIES},
    "membrane": _MEMBRANE,
    "small": _SMALL,
    "sparse": _sparse("evaluation"),
    "sparse-tuning": _sparse("tuning"),
    "tuning": {**_SERIES, "seed": TUNING_SEEDS[0], "species": _TUNING_SPECIES},
}


def preset_values(name: str) -> dict[str, Any]:
    """Give the settings of a preset.

    Raises
    ------
    ValueError
        If there is no such preset.
    """
    if name not in PRESETS:
        raise ValueError(f"preset is {name!r}; expected one of {', '.join(PRESETS)}")
    return dict(PRESETS[name])
