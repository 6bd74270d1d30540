"""Settings of ``subtomo simulate``: texts, presets and what is refused."""

import pytest
from pydantic import ValidationError

from subtomo.simulation.presets import (
    DEMO_SEED,
    EVALUATION_SEEDS,
    MEMBRANE_SEEDS,
    PRESETS,
    TUNING_SEEDS,
    preset_values,
)
from subtomo.simulation.settings import SimulateSettings
from subtomo.simulation.species_settings import MembraneSettings, SpeciesSettings

ONE = "name=a,mass=200,count=3"


def _settings(**values):
    return SimulateSettings(output_dir="out", **{"species": [ONE], **values})


def test_species_from_text_and_mapping():
    text = SpeciesSettings.model_validate("name=ribosome, map=4v4r.mrc.gz, count=60")
    mapping = SpeciesSettings(name="ribosome", map="4v4r.mrc.gz", count=60)
    assert text == mapping
    filament = SpeciesSettings.model_validate(
        "name=f,mass=40,seed=2,count=3,rise=27.5,twist=-166.6,subunits=50,helix_radius=20"
    )
    assert (filament.rise, filament.twist, filament.subunits) == (27.5, -166.6, 50)


def test_membranes_from_text():
    membrane = MembraneSettings.model_validate("kind=ellipsoid,count=2,radius=200-300")
    assert membrane.radius == (200, 300)
    assert membrane.whole
    assert not MembraneSettings.model_validate("radius=1000,whole=false").whole
    assert MembraneSettings.model_validate("radius=250").radius == (250, 250)
    assert MembraneSettings(radius=(1e3, 2e3)).thickness == 37


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ribosome", "expected name=value"),
        ("name=a,count=3", "expected mass=KDA"),
        ("name=a,mass=3", "either 'count' or 'fill'"),
        ("name=a,mass=3,count=3,fill=0.1", "either 'count' or 'fill'"),
        ("name=a,mass=3,model=x.pdb,count=1", "'model' excludes"),
        ("name=a,map=x.mrc,seed=4,count=1", "made-up bodies only"),
        ("name=a,mass=3,count=1,rise=10", "both 'rise' and 'subunits'"),
        ("name=a,mass=3,count=1,twist=10", "both 'rise' and 'subunits'"),
        ("name=a,mass=3,count=1,rise=10,subunits=3,in_membrane=true", "not in membranes"),
        ("name=a,mass=3,fill=0.1,rise=10,subunits=3", "filaments are counted"),
        ("name=a/b,mass=3,count=1", "pattern"),
        ("name=gold,mass=3,count=1", "taken by gold beads"),
        ("name=a,mass=0,count=1", "greater than 0"),
        ("name=a,mass=3,count=1,colour=red", "Extra inputs"),
        ("name=a,mass=3,count=1,copies=6", "both 'copies' .2 or more. and 'ring_radius'"),
        ("name=a,mass=3,count=1,ring_radius=60", "both 'copies' .2 or more. and 'ring_radius'"),
        ("name=a,map=x.mrc,count=1,copies=6,ring_radius=60", "made-up bodies only"),
        ("name=a,mass=3,count=1,copies=2,ring_radius=9,dihedral=true", "two rings need"),
        ("name=a,mass=3,count=1,copies=2,ring_radius=9,ring_height=9", "two rings need"),
        ("name=a,mass=3,count=1,dihedral=true,ring_height=9", "two rings need"),
        ("name=a,map=x.mrc,count=1,dihedral=true,ring_height=9", "made-up bodies only"),
        ("name=a,mass=3,count=1,height=60", "needs in_membrane=true"),
    ],
)
def test_species_that_make_no_sense(text, message):
    with pytest.raises(ValidationError, match=message):
        SpeciesSettings.model_validate(text)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"species": []}, "no species"),
        ({"species": [ONE, ONE]}, "different names"),
        ({"noise_reference": "b"}, "expected one of a"),
        ({"species": [ONE + ",in_membrane=true"]}, "no membranes"),
        ({"tilt_range": (60, -60)}, "lowest first"),
        ({"tilt_range": (-95, 60)}, "within ±90"),
        ({"defocus": (4e4, 3e4)}, "lowest first"),
        ({"handedness": 2}, "expected 1 or -1"),
        ({"noise": "loud"}, "noise"),
        ({"noise": -0.1}, "a number above 0"),
        ({"preset": "nothing"}, "expected one of classes"),
        ({"tomogram_size": (100, 0, 50)}, "positive"),
        ({"ice_thickness": 1200.0}, "has only 1000 Å"),
        ({"membranes": ["radius=600"]}, "at least 1257 Å high"),
        ({"membranes": ["radius=30"]}, "more than the thickness"),
        ({"membranes": ["kind=sheet,radius=300"]}, "no radius"),
        ({"membranes": ["kind=sheet,whole=false"]}, "for spheres and ellipsoids"),
        ({"detector_noise": 1.0}, "less than 1"),
        ({"pixel_size": float("inf")}, "finite"),
        ({"tilt_axis_angle": float("nan")}, "finite"),
        ({"tilt_step": 1e-7}, "tilt_step is 1e-07 degrees, which gives more than 10000 tilts"),
        ({"dose_per_tilt": 1e30}, "electrons in a pixel of 10 Å"),
        ({"species": ["name=a,mass=1e9,count=1"]}, r"species a would be about .* across"),
        ({"species": [ONE + ",copies=4,ring_radius=5000"]}, "species a would be about 1e"),
        ({"species": ["name=a,mass=1e-6,count=1"]}, r"expected at least a pixel \(10 Å\)"),
        ({"gold_beads": 1, "gold_diameter": 1e5}, r"gold bead would be about 1e\+05 Å across"),
        ({"species": ["name=a,mass=50,count=1,rise=5,subunits=1000000"]}, "5e\\+06 Å .* no room"),
        ({"mystery": 3}, "Extra inputs"),
    ],
)
def test_settings_that_make_no_sense(values, message):
    with pytest.raises(ValidationError, match=message):
        _settings(**values)


def test_control_needs_no_species():
    assert SimulateSettings(output_dir="out", noise_only=True).species == ()


def test_noise_as_a_number():
    assert _settings(noise=0.5).noise == 0.5
    assert _settings(noise="0.5").noise == 0.5
    assert _settings(noise="hard").noise == "hard"


def test_presets_are_a_start():
    settings = SimulateSettings(output_dir="out", preset="demo", noise="hard", tilt_series=1)
    assert settings.seed == DEMO_SEED
    assert [one.name for one in settings.species] == ["target", "rod", "plate"]
    assert settings.noise == "hard"
    assert settings.names == ["TS_01"]
    assert settings.reference == "target"
    # what was resolved says the same again
    again = SimulateSettings.model_validate(settings.model_dump())
    assert again == settings


def test_presets_stay_as_they_were_published():
    # figures refer to these: change none of them
    assert DEMO_SEED == 2024
    assert EVALUATION_SEEDS == (7001, 7002, 7003)
    assert TUNING_SEEDS == (11, 12, 13)
    assert MEMBRANE_SEEDS == (6001, 6002, 6003)
    judged = set(PRESETS) - {"small"}
    seeds = {name: {s["seed"] for s in preset_values(name)["species"]} for name in judged}
    assert seeds == {
        "classes": {9211, 9212, 9213, 9214},
        "classes-tuning": {611, 612, 613, 614},
        "crowded": {9201, 9202, 9203, 9204, 9205},
        "crowded-tuning": {601, 602, 603, 604, 605},
        "defocused": {9221, 9222},
        "defocused-tuning": {621, 622},
        "demo": {101, 102, 103},
        "dihedral": {9241},
        "dihedral-tuning": {641},
        "evaluation": {9101, 9102, 9103},
        "membrane": {401},
        "sparse": {9231},
        "sparse-tuning": {631},
        "tuning": {501, 502, 503},
    }
    noise = {name: preset_values(name)["noise"] for name in judged}
    assert noise.pop("membrane") == "easy"
    assert set(noise.values()) == {"medium"}


def test_presets_share_nothing_with_tuning():
    is_tuning = {name: name.endswith("tuning") or name == "small" for name in PRESETS}
    used = {PRESETS[name]["seed"] for name in PRESETS if not is_tuning[name]}
    assert not (used | set(EVALUATION_SEEDS)) & set(TUNING_SEEDS)
    bodies = [
        {one["seed"] for name in PRESETS if is_tuning[name] == which for one in species_of(name)}
        for which in (True, False)
    ]
    assert not bodies[0] & bodies[1]


def species_of(name):
    return preset_values(name)["species"]


def test_paths_do_not_depend_on_the_folder(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    species = SpeciesSettings.model_validate("name=a,map=x.mrc,count=1").with_absolute_paths()
    assert species.map == tmp_path / "x.mrc"
    assert species.model is None
