import numpy as np

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
