"""OME-Zarr images: the portal's, ours, and ones that are wrong."""

import json
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
import zarr

from subtomo.errors import DataError, MissingFileError, ShapeError, SubtomoWarning, ZarrError
from subtomo.formats.lazy_array import LazyArray
from subtomo.formats.ome_zarr import read_ome_zarr_metadata
from subtomo.formats.ome_zarr_writer import (
    chunk_regions,
    create_ome_zarr,
    write_ome_zarr,
    write_pyramid,
    write_region,
)
from subtomo.formats.volumes import read_stack, read_volume, write_stack, write_volume
from subtomo.model import Volume

PORTAL = "portal_sample/bucket/sample-portal/19001/TS_01/TiltSeries/100/TS_01.zarr"
VALUES = np.random.default_rng(1).normal(0, 1, (40, 50, 300)).astype(np.float32)
VERSIONS = ["0.4", "0.5"]


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_the_portals_tilt_series(shared_data: Path) -> None:
    for level, pixel_size in enumerate((8.0, 16.0, 32.0)):
        images, found = read_stack(shared_data / PORTAL / str(level))
        truth = zarr.open_array(str(shared_data / PORTAL / str(level)), mode="r")
        assert isinstance(images, LazyArray)
        np.testing.assert_array_equal(images, truth[...])
        np.testing.assert_array_equal(images[3, 10:20, ::5], truth[3, 10:20, ::5])
        assert found == pixel_size


def test_the_level_is_chosen_by_pixel_size(shared_data: Path) -> None:
    images, found = read_stack(shared_data / PORTAL, pixel_size=16.0)
    assert (images.shape, found) == ((11, 96, 96), 16.0)
    with pytest.warns(SubtomoWarning, match="header says pixel size 8 Å, but 9 Å was given"):
        images, found = read_stack(shared_data / PORTAL, pixel_size=9.0)
    assert (images.shape, found) == ((11, 192, 192), 9.0)


def test_a_coarse_level_without_translation_is_taken_for_block_means(shared_data: Path) -> None:
    origin = read_ome_zarr_metadata(shared_data / PORTAL)
    assert origin.levels[0].origin(origin.levels[0]) == (0.0, 0.0, 0.0)
    # (b - 1) / 2 · 8 Å along x and y, none along the tilts
    assert origin.levels[2].origin(origin.levels[0]) == (12.0, 12.0, 0.0)


def test_a_missing_translation_counts_from_that_of_the_finest_level(tmp_path: Path) -> None:
    path = tmp_path / "a.zarr"
    write_ome_zarr(path, VALUES, 10.0, origin=(1, 2, 3))
    content = json.loads((path / ".zattrs").read_text())
    del content["multiscales"][0]["datasets"][1]["coordinateTransformations"][1]
    (path / ".zattrs").write_text(json.dumps(content))
    assert read_volume(path / "1").origin == (6.0, 7.0, 8.0)  # + (2 - 1) / 2 · 10 Å


@pytest.mark.parametrize("version", VERSIONS)
def test_what_was_written_comes_back_at_every_level(tmp_path: Path, version: str) -> None:
    path = tmp_path / "a.zarr"
    write_ome_zarr(path, VALUES, 10.0, origin=(1, 2, 3), version=version, chunk=32)  # type: ignore[arg-type]
    volume = read_volume(path)
    np.testing.assert_array_equal(volume.data, VALUES)
    assert (volume.pixel_size, volume.origin) == (10.0, (1.0, 2.0, 3.0))
    half = read_volume(path, pixel_size=20.0)
    assert half.shape == (20, 25, 150)
    assert half.origin == (6.0, 7.0, 8.0)  # + (2 - 1) / 2 · 10 Å
    assert half.data[7, 8, 9] == pytest.approx(VALUES[14:16, 16:18, 18:20].mean(), rel=1e-5)
    quarter = read_volume(path / "2")
    assert (quarter.pixel_size, quarter.origin) == (40.0, (16.0, 17.0, 18.0))
    assert quarter.data[1, 2, 3] == pytest.approx(
        VALUES[4:8, 8:12, 12:16].mean(), rel=1e-4, abs=1e-6
    )
    assert read_ome_zarr_metadata(path).version == version
    assert [p.name for p in tmp_path.iterdir()] == ["a.zarr"]


@pytest.mark.parametrize("version", VERSIONS)
def test_the_files_on_disk_are_of_the_version(tmp_path: Path, version: str) -> None:
    write_ome_zarr(tmp_path / "a.zarr", VALUES, 10.0, version=version, chunk=64)  # type: ignore[arg-type]
    group = zarr.open_group(str(tmp_path / "a.zarr"), mode="r")
    assert group.metadata.zarr_format == (2 if version == "0.4" else 3)
    key = "0/0/0/1" if version == "0.4" else "0/c/0/0/1"
    assert (tmp_path / "a.zarr" / key).is_file()
    content = dict(group.attrs) if version == "0.4" else group.attrs["ome"]
    multiscale = content["multiscales"][0]  # type: ignore[index,call-overload]
    assert [axis["unit"] for axis in multiscale["axes"]] == ["angstrom"] * 3
    assert multiscale["datasets"][1]["coordinateTransformations"] == [
        {"type": "scale", "scale": [20.0, 20.0, 20.0]},
        {"type": "translation", "translation": [5.0, 5.0, 5.0]},
    ]
    assert group["0"].shape == VALUES.shape


def test_labels_are_not_averaged(tmp_path: Path) -> None:
    labels = np.zeros((4, 4, 300), np.int32)
    labels[2:, 2:, 2:] = 7
    labels[::2, ::2, 200] = 100_000
    write_volume(tmp_path / "a.zarr", Volume(labels, 5.0))
    half = read_volume(tmp_path / "a.zarr" / "1")
    np.testing.assert_array_equal(half.data, labels[::2, ::2, ::2])
    assert half.origin == (0.0, 0.0, 0.0)


def test_a_stack_keeps_its_tilts_at_every_level(tmp_path: Path) -> None:
    write_stack(tmp_path / "a.zarr", VALUES, 2.0)
    images, pixel_size = read_stack(tmp_path / "a.zarr", pixel_size=4.0)
    assert (images.shape, pixel_size) == ((40, 25, 150), 4.0)
    assert images[5, 6, 7] == pytest.approx(VALUES[5, 12:14, 14:16].mean(), rel=1e-5)


@pytest.mark.parametrize("shape", [(1, 200, 200), (3, 201, 140), (5, 5, 5), (2, 1, 300)])
def test_awkward_shapes(tmp_path: Path, shape: tuple[int, int, int]) -> None:
    values = np.random.default_rng(0).random(shape, dtype=np.float32)
    write_ome_zarr(tmp_path / "a.zarr", values, 1.0, chunk=64)
    np.testing.assert_array_equal(read_volume(tmp_path / "a.zarr").data, values)
    image = read_ome_zarr_metadata(tmp_path / "a.zarr")
    coarsest = read_volume(image.levels[-1].path)
    assert np.isfinite(coarsest.load()).all()
    assert 0.2 < coarsest.load().mean() < 0.8


@pytest.mark.parametrize("version", VERSIONS)
def test_processes_may_write_one_image(tmp_path: Path, version: str) -> None:
    path, alone = tmp_path / "a.zarr", tmp_path / "b" / "a.zarr"
    create_ome_zarr(path, VALUES.shape, 10.0, version=version, chunk=32)  # type: ignore[arg-type]
    regions = chunk_regions(path)
    assert len(regions) == 2 * 2 * 10
    with ProcessPoolExecutor(2, mp_context=get_context("fork")) as pool:
        for future in [pool.submit(write_region, path, r, VALUES[r]) for r in reversed(regions)]:
            future.result()
    write_pyramid(path)
    write_ome_zarr(alone, VALUES, 10.0, version=version, chunk=32)  # type: ignore[arg-type]
    assert contents(path) == contents(alone)


def test_a_region_that_cuts_a_chunk(tmp_path: Path) -> None:
    create_ome_zarr(tmp_path / "a.zarr", (40, 50, 60), 10.0, chunk=32)
    cut = (slice(0, 32), slice(0, 50), slice(0, 40))
    with pytest.raises(ShapeError, match="0:40 along x does not hold whole chunks of 32 in 60"):
        write_region(tmp_path / "a.zarr", cut, np.zeros((32, 50, 40), np.float32))
    whole = (slice(32, 40), slice(32, 50), slice(0, 60))
    write_region(tmp_path / "a.zarr", whole, np.ones((8, 18, 60), np.float32))
    with pytest.raises(ShapeError, match="values have shape"):
        write_region(tmp_path / "a.zarr", whole, np.ones((8, 18, 1), np.float32))
    with pytest.raises(ZarrError, match="has no level 0"):
        chunk_regions(tmp_path)


def test_zeros_are_written_so_that_a_missing_chunk_is_a_loss(tmp_path: Path) -> None:
    write_ome_zarr(tmp_path / "a.zarr", np.zeros((4, 4, 4), np.float32), 1.0)
    assert (tmp_path / "a.zarr/0/0/0/0").is_file()


def metadata(path: Path, change: object = None) -> None:
    """Write a small image and change its metadata."""
    write_ome_zarr(path, VALUES[:2, :2, :2], 10.0)
    content = json.loads((path / ".zattrs").read_text())
    if callable(change):
        change(content["multiscales"][0])
    (path / ".zattrs").write_text(json.dumps(content))


def set_units(unit: str | None) -> object:
    def change(multiscale: dict) -> None:  # type: ignore[type-arg]
        for axis in multiscale["axes"]:
            axis.pop("unit")
            if unit:
                axis["unit"] = unit

    return change


def test_units(tmp_path: Path) -> None:
    metadata(tmp_path / "a.zarr", set_units("nanometer"))
    volume = read_volume(tmp_path / "a.zarr")
    assert volume.pixel_size == 100.0
    metadata(tmp_path / "b.zarr", set_units(None))
    with pytest.warns(SubtomoWarning, match="no unit; angstrom is assumed"):
        assert read_volume(tmp_path / "b.zarr").pixel_size == 10.0
    metadata(tmp_path / "c.zarr", set_units("parsec"))
    with pytest.raises(ZarrError, match=r"axis z has the unit 'parsec'"):
        read_volume(tmp_path / "c.zarr")


def test_transformations_of_all_levels_come_after_a_levels_own(tmp_path: Path) -> None:
    def change(multiscale: dict) -> None:  # type: ignore[type-arg]
        own = multiscale["datasets"][0]["coordinateTransformations"]
        own[1]["translation"] = [1, 2, 3]
        multiscale["coordinateTransformations"] = [
            {"type": "scale", "scale": [2, 2, 2]},
            {"type": "translation", "translation": [100, 100, 100]},
        ]

    metadata(tmp_path / "a.zarr", change)
    volume = read_volume(tmp_path / "a.zarr")
    assert (volume.pixel_size, volume.origin) == (20.0, (106.0, 104.0, 102.0))


def test_time_and_channel_of_length_one(tmp_path: Path) -> None:
    group = zarr.create_group(str(tmp_path / "a.zarr"), zarr_format=2)
    group.create_array("0", data=VALUES[None, None, :4, :5, :6], chunks=(1, 1, 4, 4, 4))
    group.attrs["multiscales"] = [
        {
            "axes": [{"name": n, "type": "x", "unit": "angstrom"} for n in "tczyx"],
            "datasets": [
                {
                    "path": "0",
                    "coordinateTransformations": [{"type": "scale", "scale": [1, 1, 4, 4, 4]}],
                }
            ],
        }
    ]
    np.testing.assert_array_equal(read_volume(tmp_path / "a.zarr").data, VALUES[:4, :5, :6])


def _remove_scale(multiscale: dict) -> None:  # type: ignore[type-arg]
    multiscale["datasets"][0]["coordinateTransformations"] = []


def _short_scale(multiscale: dict) -> None:  # type: ignore[type-arg]
    multiscale["datasets"][0]["coordinateTransformations"][0]["scale"] = [1, 1]


def _zero_scale(multiscale: dict) -> None:  # type: ignore[type-arg]
    multiscale["datasets"][0]["coordinateTransformations"][0]["scale"] = [0, 1, 1]


def _swap_axes(multiscale: dict) -> None:  # type: ignore[type-arg]
    multiscale["axes"].reverse()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_remove_scale, "expected one scale"),
        (_short_scale, "a scale has 2 numbers, there are 3 axes"),
        (_zero_scale, "scale.*greater than 0"),
        (_swap_axes, r"expected axes that end in z, y, x, found \['x', 'y', 'z'\]"),
    ],
)
def test_metadata_that_are_wrong(tmp_path: Path, change: object, message: str) -> None:
    metadata(tmp_path / "a.zarr", change)
    with pytest.raises(ZarrError, match=rf"a\.zarr.\.zattrs: .*{message}"):
        read_volume(tmp_path / "a.zarr")


def test_folders_that_are_no_image(tmp_path: Path) -> None:
    (tmp_path / "a.zarr").mkdir()
    with pytest.raises(ZarrError, match=r"neither \.zattrs nor zarr\.json"):
        read_volume(tmp_path / "a.zarr")
    (tmp_path / "a.zarr/.zattrs").write_text("{not json")
    with pytest.raises(ZarrError, match="not JSON"):
        read_volume(tmp_path / "a.zarr")
    (tmp_path / "a.zarr/.zattrs").write_text("[]")
    with pytest.raises(ZarrError, match="holds list; expected a JSON object"):
        read_volume(tmp_path / "a.zarr")
    (tmp_path / "a.zarr/.zattrs").write_text("{}")
    with pytest.raises(ZarrError, match="no 'multiscales' metadata"):
        read_volume(tmp_path / "a.zarr")
    with pytest.raises(MissingFileError):
        read_volume(tmp_path / "none.zarr")
    (tmp_path / "file.zarr").write_text("")
    with pytest.raises(ZarrError):
        read_volume(tmp_path / "file.zarr")


def test_an_array_that_is_missing_or_damaged(tmp_path: Path) -> None:
    path = tmp_path / "a.zarr"
    write_ome_zarr(path, VALUES, 10.0, chunk=32)
    chunk = path / "0/0/0/0"
    chunk.write_bytes(chunk.read_bytes()[:50])
    volume = read_volume(path)  # metadata only
    with pytest.raises(
        ZarrError, match=r"a\.zarr.0: a chunk cannot be read \(50 bytes; its header"
    ):
        volume.load()  # C-Blosc would read on behind the 50 bytes
    (path / "0/.zarray").unlink()
    with pytest.raises(ZarrError, match="not a readable Zarr array"):
        read_volume(path)


def test_voxels_that_are_not_cubes(tmp_path: Path) -> None:
    def change(multiscale: dict) -> None:  # type: ignore[type-arg]
        multiscale["datasets"][0]["coordinateTransformations"][0]["scale"] = [5, 10, 10]

    metadata(tmp_path / "a.zarr", change)
    with pytest.raises(DataError, match=r"10 x 5 Å; expected the same along all axes"):
        read_volume(tmp_path / "a.zarr")
    assert read_stack(tmp_path / "a.zarr")[1] == 10.0
