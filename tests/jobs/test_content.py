from dataclasses import dataclass
from pathlib import Path

import numpy as np

from subtomo.jobs.content import content_digest


@dataclass
class Thing:
    name: str
    values: np.ndarray


def test_the_same_content_has_the_same_digest():
    first, second = (Thing("a", np.arange(6.0)[::2]) for _ in range(2))
    assert content_digest(first, {"b": 1, "a": Path("x")}) == content_digest(
        second, {"a": Path("x"), "b": 1}
    )


def test_every_difference_shows():
    contents = [
        [],
        [[]],
        ["ab", "c"],
        ["a", "bc"],
        [1],
        [1.0],
        ["1"],
        [None],
        [np.arange(4)],
        [np.arange(4).reshape(2, 2)],
        [np.arange(4, dtype=np.int32)],
        [np.arange(4.0)],
        [Thing("a", np.arange(4))],
        [Thing("b", np.arange(4))],
        [{"a": 1}],
        [{"a": 2}],
    ]
    assert len({content_digest(*one) for one in contents}) == len(contents)
