import pytest

from subtomo.tomograms.tomogram_size import size_from_images


@pytest.mark.parametrize(
    ("axis", "size"),
    [(0, (60, 40, 9)), (-44, (60, 40, 9)), (85.3, (40, 60, 9)), (-95, (40, 60, 9))],
)
def test_sides_follow_the_tilt_axis(axis: float, size: tuple[int, int, int]) -> None:
    assert size_from_images((60, 40), axis, 9) == size
