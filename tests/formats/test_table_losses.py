import numpy as np
import pytest

from subtomo.formats.particle_formats import format_of
from subtomo.formats.table_losses import what_is_lost
from subtomo.model import Particles

DYNAMO = format_of("a.tbl", is_output=True)
PARTICLES = Particles(
    np.array(["T", "T"]),
    np.zeros((2, 3)),
    class_name=np.array(["ribosome", "apoferritin"]),
    instance=np.array(["1", "2"]),
    source=np.array(["net", ""]),
)


def test_what_the_group_number_does_not_stand_for_is_lost() -> None:
    classes = "names of classes become numbers: apoferritin = 1, ribosome = 2"
    assert what_is_lost(PARTICLES, DYNAMO) == ["table of Dynamo holds no sources", classes]
    assert what_is_lost(PARTICLES, DYNAMO, "class") == what_is_lost(PARTICLES, DYNAMO)
    assert what_is_lost(PARTICLES, DYNAMO, "source") == [
        "table of Dynamo holds no classes",
        "names of sources become numbers: net = 1",
    ]
    assert what_is_lost(PARTICLES, DYNAMO, "instance") == [
        "table of Dynamo holds no classes",
        "table of Dynamo holds no sources",
    ]


def test_long_lists_are_cut() -> None:
    names = np.array([f"n{i:02d}" for i in range(12)])
    particles = Particles(np.full(12, "T"), np.zeros((12, 3)), instance=names)
    (told,) = what_is_lost(particles, DYNAMO)
    assert told.endswith("n09 = 10 and 2 more")
    columns = {f"c{i}": np.zeros(12) for i in range(11)}
    (told,) = what_is_lost(Particles(np.full(12, "T"), np.zeros((12, 3)), extra=columns), DYNAMO)
    assert told.endswith("c9 and 1 more")


def test_the_pixel_size_that_coordinates_counted_in_is_no_loss() -> None:
    tag = "rlnTomoTiltSeriesPixelSize"
    extra = {tag: np.ones(1), f"optics.{tag}": np.ones(1)}
    assert not what_is_lost(Particles(np.full(1, "T"), np.zeros((1, 3)), extra=extra), DYNAMO)


@pytest.mark.parametrize("suffix", [".tbl", ".em", ".vll", "_info.json"])
def test_scores_that_become_others_are_told(suffix: str) -> None:
    row = format_of(f"a{suffix}", is_output=True)

    def told(*scores: float) -> list[str]:
        points = np.full(len(scores), "T"), np.zeros((len(scores), 3))
        return what_is_lost(Particles(*points, score=np.array(scores)), row)

    assert told(np.nan, np.nan) == told(0.0, 0.5) == []
    assert told(np.nan, 0.5, -0.5) == ["unknown scores become -0.5, the lowest: 1 particle"]
    assert told(0.0, 0.0) == ["scores that are all 0 will be read as unknown"]


@pytest.mark.parametrize("suffix", [".tbl", ".em", ".mod"])
def test_a_number_that_means_none_is_told(suffix: str) -> None:
    particles = Particles(np.full(2, "T"), np.zeros((2, 3)), instance=np.array(["0", "1"]))
    told = what_is_lost(particles, format_of(f"a{suffix}", is_output=True))
    assert told == ["0 is none among numbers of instances: 1 particle will have none"]
