import numpy as np
import pytest
import torch

from subtomo.errors import DataError, ShapeError
from subtomo.formats.volumes import read_volume
from subtomo.signal.tilt_range import measure_tilt_range
from subtomo.signal.wedge import missing_wedge


@pytest.mark.parametrize("tilts", [(-60, 60), (-67, 52), (-48, 70)])
def test_the_range_of_a_made_up_wedge_is_found(tilts) -> None:
    shape = (48, 40, 72)
    noise = torch.from_numpy(np.random.default_rng(1).normal(size=shape))
    spectrum = torch.fft.rfftn(noise) * missing_wedge(shape, tilts, soft_edge_px=0)
    found = measure_tilt_range(torch.fft.irfftn(spectrum, s=shape))
    # the taper blurs by two voxels: 2 / 0.25 / 48 rad = 5° across, its middle is known better
    assert found == pytest.approx(tilts, abs=2)


def test_a_volume_without_a_wedge_has_the_whole_range() -> None:
    noise = torch.from_numpy(np.random.default_rng(2).normal(size=(40, 32, 40)))
    assert measure_tilt_range(noise) == (-90, 90)


@pytest.mark.parametrize("name", ["13pf_MT", "14pf_MT"])
def test_two_tomograms_of_one_session_have_the_same_range(shared_data, name) -> None:
    # no header tells the range; half-power angles read off a plot: -67° and 56° in both
    volume = read_volume(shared_data / "cylindra_microtubules" / f"{name}.tif")
    lowest, highest = measure_tilt_range(torch.from_numpy(volume.load()))
    assert lowest == pytest.approx(-67, abs=2)
    assert highest == pytest.approx(56, abs=2)


def test_a_thin_volume_is_refused() -> None:
    with pytest.raises(ShapeError, match="each 16 or more"):
        measure_tilt_range(torch.zeros(8, 32, 32))


@pytest.mark.parametrize("edge", [16, 40])
def test_a_flat_volume_is_refused(edge) -> None:
    with pytest.raises(DataError, match="flat, or too small"):
        measure_tilt_range(torch.ones(edge, edge, edge))
