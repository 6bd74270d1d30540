import numpy as np
import pytest
import torch

from subtomo.averaging.reconstruction.maps import MapOptions, finish_maps
from subtomo.signal.fourier_sums import FourierSums
from subtomo.signal.fourier_symmetry import symmetry_operations
from subtomo.signal.gridding import back_projected_map, crop_centre, taper_to_mean

SIZE = 12


def random_sums(seed):
    rng = np.random.default_rng(seed)
    volume = torch.from_numpy(rng.normal(size=(SIZE,) * 3))
    data = torch.fft.rfftn(torch.fft.ifftshift(volume))
    weight = torch.from_numpy(rng.random(data.shape)) + 1
    return FourierSums(torch.stack([data.real, data.imag, weight], dim=-1))


def finished(sums, symmetry="C1", **options):
    found = finish_maps(sums, symmetry_operations(symmetry), MapOptions(**options))
    return {each.name: each for each in found}


def test_halves_and_their_sum_are_made():
    sums = {2: random_sums(2), 1: random_sums(1)}
    maps = finished(sums, taper_px=2.0)
    assert list(maps) == ["half1", "half2", "merged"]
    merged = finished({0: sums[1] + sums[2]}, taper_px=2.0)
    assert list(merged) == ["merged"]
    torch.testing.assert_close(maps["merged"].map, merged["merged"].map)
    torch.testing.assert_close(
        maps["half2"].map, finished({0: sums[2]}, taper_px=2.0)["merged"].map
    )
    for each in maps.values():
        assert each.uncropped is None
        assert each.map.dtype == torch.float32


def test_what_a_map_was_made_of_comes_with_it():
    sums = random_sums(0)
    found = finished({0: sums}, snr=1e12, taper_px=0.0, crop_size=8)["merged"]
    torch.testing.assert_close(found.data, back_projected_map(sums.data).float())
    assert found.weight[SIZE // 2, SIZE // 2, SIZE // 2] == pytest.approx(
        float(sums.weight[0, 0, 0])
    )
    divided = torch.fft.irfftn(
        torch.fft.rfftn(back_projected_map(sums.data)) / sums.weight, s=(SIZE,) * 3, dim=(0, 1, 2)
    )
    torch.testing.assert_close(found.uncropped, divided.float(), rtol=1e-5, atol=1e-6)
    expected = taper_to_mean(crop_centre(divided, 8), 0.0).float()
    torch.testing.assert_close(found.map, expected, rtol=1e-5, atol=1e-6)


def test_the_weight_of_the_first_half_can_stand_for_both():
    sums = {1: random_sums(1), 2: random_sums(2)}
    relions = finished(sums, first_half_weight=True)
    ours = finished(sums)
    torch.testing.assert_close(relions["merged"].weight, ours["half1"].weight)
    torch.testing.assert_close(relions["merged"].map, ours["merged"].map)
    total = ours["half1"].weight + ours["half2"].weight
    torch.testing.assert_close(ours["merged"].weight, total)


def test_symmetry_is_imposed_on_every_map():
    maps = finished({1: random_sums(1), 2: random_sums(2)}, "C2", taper_px=2.0)
    inner = slice(1, SIZE)
    for each in maps.values():
        cube = each.map[inner, inner, inner]
        torch.testing.assert_close(cube, cube.flip((1, 2)), rtol=1e-4, atol=1e-5)
