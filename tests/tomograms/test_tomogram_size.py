import pytest

from subtomo.errors import SettingsError
from subtomo.tomograms.tomogram_size import depth_from_thickness, size_from_images


@pytest.mark.parametrize(
    ("axis", "size"),
    [(0, (60, 40, 9)), (-44, (60, 40, 9)), (85.3, (40, 60, 9)), (-95, (40, 60, 9))],
)
def test_sides_follow_the_tilt_axis(axis: float, size: tuple[int, int, int]) -> None:
    assert size_from_images((60, 40), axis, 9) == size


def test_a_tomogram_of_hardly_any_pixel_is_no_thickness() -> None:
    assert depth_from_thickness(20.0, 13.3) == 2
    with pytest.raises(SettingsError, match=r"--thickness 20: 1\.5 pixels of 13\.4 Å; .* in Å"):
        depth_from_thickness(20.0, 13.4)
