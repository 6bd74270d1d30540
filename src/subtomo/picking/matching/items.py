"""The items of a matching job: a tile, the noise beside a tomogram, the merging of tiles.

Each takes a small payload, opens what it needs and writes its files into the job's folder.
"""

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from subtomo.formats.atomic import replacing
from subtomo.formats.particles import read_particles, write_particles
from subtomo.formats.volumes import write_volume
from subtomo.model import Particles, Volume
from subtomo.picking.matching.background import correct_background
from subtomo.picking.matching.coarse_search import search_coarse_to_fine
from subtomo.picking.matching.inputs import Search
from subtomo.picking.matching.noise import scramble_phases
from subtomo.picking.matching.peaks import find_peaks
from subtomo.picking.matching.search import SearchResult, search_block
from subtomo.picking.matching.settings import MatchSettings
from subtomo.picking.matching.template import Template
from subtomo.picking.matching.threshold import fit_noise_tail, gaussian_height
from subtomo.picking.matching.tiling import Tile, fast_size
from subtomo.picking.matching.tophat import tophat, tophat_deviation
from subtomo.picking.matching.variants import compare_contrasts, compare_hands
from subtomo.signal.device import compute_device

_NOISE_EDGE = 48  # positions along an edge of the noise: some hundred peaks, little work
_NOISE_LEAST = 200_000  # positions in all; smaller blocks are repeated with other noise
_REPEATS = 4
_NOISE_DISTANCE = 0.3  # of the diameter: every peak of its own counts
_MOST_NOISE_PEAKS = 1000
_DRAWN_PEAKS = 300  # of the noise, in the report
_CHECKED_PEAKS = 12
SIGMA = "subtomoSigma"
"""Column with the score in σ: (score - mean) / standard deviation of all scores of the search."""
TOPHAT = "subtomoTophat"
"""Column with the white top-hat of the score, over the deviation of all top-hats."""
ORIENTATION = "subtomoOrientationIndex"
"""Column with the row of the orientation in the table beside the score volume."""


def column(table: Particles, name: str = SIGMA) -> NDArray[np.float64]:
    """Numbers of a column of peaks, none of an empty table."""
    return np.asarray(table.extra.get(name, np.empty(0)), dtype=np.float64)


def payload_of(settings: MatchSettings, tomogram: str, which: int, **more: Any) -> dict[str, Any]:
    """Pack what an item needs."""
    return {"settings": settings, "tomogram": tomogram, "template": which, **more}


def tile_path(folder: Path, stem: str, number: int) -> Path:
    """Name the file of a tile's scores."""
    return folder / "tiles" / f"{stem}_{number}.npz"


def score_path(folder: Path, search: Search, what: str = "score") -> Path:
    """Name the map of a search's scores or orientations."""
    return folder / "scores" / f"{search.stem}_{what}.{search.settings.score_format}"


def peaks_path(folder: Path, search: Search) -> Path:
    """Name the table of a search's peaks."""
    return folder / "scores" / f"{search.stem}_peaks.csv"


def match_tile(payload: dict[str, Any]) -> dict[str, float]:
    """Search one tile and leave its scores in the job's folder."""
    search = _search(payload)
    tile = Tile(*(tuple(t) for t in payload["tile"]))
    if search.settings.surface:
        found, other = _search_patches(search, tile)
    else:
        block, searched = search.block(tile), search.searched(tile)
        found, other = _run_both(search, block, searched, tile, search.matrices)
    cut = tuple(slice(0, n) for n in tile.count)
    parts: dict[str, NDArray[Any]] = {
        "score": found.score[cut],
        "index": found.index[cut],
        "exact": found.exact[cut],
    }
    if other is not None:
        parts["background"] = other[cut]
    with replacing(payload["path"]) as temporary, temporary.open("wb") as file:
        np.savez(file, **parts)  # type: ignore[arg-type]  # its stub takes the arrays for a flag
    return _sums(found)


def match_noise(payload: dict[str, Any]) -> dict[str, Any]:
    """Search noise with the tomogram's spectrum; give the tail of its peaks."""
    search = _search(payload)
    block = search.block(_noise_tile(search))
    repeats = int(np.clip(np.ceil(_NOISE_LEAST / _n_positions(block.shape, search)), 1, _REPEATS))
    parts = []
    heights = []
    matrices = search.usual_matrices
    for repeat in range(repeats):
        noise = scramble_phases(block, search.settings.seed + repeat)
        found, other = _run_both(search, noise, None, None, matrices)
        parts.append(_sums(found))
        score = found.score
        if other is not None:
            score = correct_background(score, other, found.index >= 0)
        peaks = find_peaks(
            score,
            found.exact,
            min_distance_px=_NOISE_DISTANCE * search.template.diameter / search.volume.pixel_size,
            at_most=_MOST_NOISE_PEAKS,
        )
        heights.append(peaks.height)
    sums = add_sums(parts)
    mean, deviation = score_statistics(sums)
    n_positions = round(sums["n_scores"] / len(matrices))
    tail = fit_noise_tail(gaussian_height(np.concatenate(heights) - mean, deviation), n_positions)
    drawn = np.sort(np.concatenate(heights) - mean)[::-1][:_DRAWN_PEAKS] / deviation
    return {
        "tail": None if tail is None else asdict(tail),
        "n_positions": n_positions,
        "peaks": [round(float(height), 4) for height in drawn],
    }


def _noise_tile(search: Search) -> Tile:
    """Place a block of moderate size in the middle of what is searched."""
    tiles = search.tiles()
    middle, box = tiles[len(tiles) // 2], search.template.box
    edges = [fast_size(min(n, _NOISE_EDGE) + box - 1) for n in middle.count]
    z, y, x = (a + (n - e) // 2 for a, n, e in zip(middle.first, middle.block, edges, strict=True))
    return Tile((z, y, x), (1, 1, 1), (edges[0], edges[1], edges[2]))


def _n_positions(shape: tuple[int, ...], search: Search) -> int:
    """Count the positions of a block."""
    return int(np.prod([n - search.template.box + 1 for n in shape]))


def merge_tiles(payload: dict[str, Any]) -> dict[str, float]:
    """Put a search's tiles together; write score and orientation volume and the peaks."""
    search, folder = _search(payload), Path(payload["folder"])
    score = np.zeros(search.volume.shape, dtype=np.float32)
    index = np.full(search.volume.shape, -1, dtype=np.float32)
    exact = np.zeros(search.volume.shape, dtype=bool)
    background = np.zeros_like(score) if search.settings.background_correction else score
    for number, tile in enumerate(search.tiles()):
        cut = tuple(slice(a, a + n) for a, n in zip(tile.first, tile.count, strict=True))
        with np.load(tile_path(folder, search.stem, number), allow_pickle=False) as part:
            score[cut] = part["score"]
            index[cut] = part["index"]
            exact[cut] = part["exact"]
            if "background" in part:
                background[cut] = part["background"]
    if search.settings.background_correction:
        score = correct_background(score, background, index >= 0)
    mean, deviation = score_statistics(payload["sums"])
    peaks = _peaks(search, score, index, exact, mean, deviation)
    where = folder / "scores"
    grid = Volume(score, search.volume.pixel_size, search.volume.origin)
    write_volume(score_path(folder, search), grid)
    write_volume(score_path(folder, search, "orientation"), grid.with_data(index))
    _write_orientations(where / f"{search.stem}_orientations.csv", search.orientations)
    write_particles(peaks_path(folder, search), peaks)
    return {
        "mean": mean,
        "deviation": deviation,
        "n_positions": int((index >= 0).sum()),
        "n_scores": payload["sums"]["n_scores"],
        "min_distance": search.min_distance,
    }


def check_template(payload: dict[str, Any]) -> dict[str, Any]:
    """Compare a template with its mirror image and its negative on a sample of a tomogram."""
    search = _search(payload)
    contrast = compare_contrasts(*search.coarse_sample())
    peaks = read_particles(peaks_path(payload["folder"], search))
    if not len(peaks):
        return {"contrast": asdict(contrast), "hand": None}
    # the surest particles only: noise has no hand, and the template chose its peaks
    high = peaks.select(np.argsort(-peaks.score, kind="stable")[:_CHECKED_PEAKS])
    high = high.select(high.score > 0.5 * high.score[0])
    box = search.template.box
    blocks = []
    for x, y, z in np.rint(search.volume.position_to_index(high.position)).astype(int).tolist():
        about = Tile((z - 1, y - 1, x - 1), (3, 3, 3), (box + 2, box + 2, box + 2))
        blocks.append(search.block(about))
    hand = compare_hands(blocks, search.template, search.transfer())
    return {"contrast": asdict(contrast), "hand": asdict(hand)}


def score_statistics(sums: dict[str, float]) -> tuple[float, float]:
    """Mean and standard deviation of all scores of a search; (0, 1) where there is none."""
    n = sums["n_scores"]
    if not n:
        return 0.0, 1.0
    mean = sums["total"] / n
    return mean, float(np.sqrt(max(1e-30, sums["total_squares"] / n - mean**2)))


def add_sums(parts: list[dict[str, float]]) -> dict[str, float]:
    """Add the tiles' sums, in their order."""
    return {name: sum(part[name] for part in parts) for name in parts[0]}


def _search(payload: dict[str, Any]) -> Search:
    return Search.open(payload["settings"], payload["tomogram"], payload["template"])


def _run_both(
    search: Search,
    block: NDArray[np.float32],
    searched: NDArray[np.bool_] | None,
    tile: Tile | None,
    matrices: NDArray[np.float64],
) -> tuple[SearchResult, NDArray[np.float32] | None]:
    """Search a block with the template and, where asked, with the one without structure."""
    found = _run(search, search.template, block, searched, tile, matrices)
    if not search.settings.background_correction:
        return found, None
    template = search.background_template
    other = _run(search, template, block, searched, tile, matrices, also=found.exact)
    return found, other.score


def _search_patches(search: Search, tile: Tile) -> tuple[SearchResult, NDArray[np.float32] | None]:
    """Search what is near a surface, patch by patch, each in the orientations of its cone."""
    score = np.zeros(tile.count, np.float32)
    whole = SearchResult(
        score, np.full(tile.count, -1, np.int32), 0, 0.0, 0.0, np.zeros(tile.count, bool)
    )
    background = np.zeros_like(score) if search.settings.background_correction else None
    parts = [_sums(whole)]
    for patch in search.patches(tile):
        box = search.template.box
        searched = np.zeros([n - box + 1 for n in patch.tile.block], dtype=bool)
        own = tuple(slice(0, n) for n in patch.tile.count)
        searched[own] = patch.counts
        found, other = _run_both(
            search,
            search.block(patch.tile),
            searched,
            patch.tile,
            search.matrices[patch.rotations],
        )
        low = [a - b for a, b in zip(patch.tile.first, tile.first, strict=True)]
        here = tuple(slice(a, a + n) for a, n in zip(low, patch.tile.count, strict=True))
        hit = found.index[own] >= 0
        score[here][hit] = found.score[own][hit]
        whole.index[here][hit] = patch.rotations[found.index[own][hit]]
        whole.exact[here][hit] = found.exact[own][hit]
        if background is not None and other is not None:
            background[here][hit] = other[own][hit]
        parts.append(_sums(found))
    sums = add_sums(parts)
    n_scores = round(sums["n_scores"])
    return (
        replace(whole, n_scores=n_scores, total=sums["total"], total_squares=sums["total_squares"]),
        background,
    )


def _run(
    search: Search,
    template: Template,
    block: NDArray[np.float32],
    searched: NDArray[np.bool_] | None,
    tile: Tile | None,
    matrices: NDArray[np.float64],
    *,
    also: NDArray[np.bool_] | None = None,
) -> SearchResult:
    """Search a block in all orientations; the defocus is that of the tile, or the mean."""
    transfer, device = search.transfer(tile), compute_device(search.settings.device)
    if search.settings.exhaustive:
        return search_block(
            block,
            template,
            matrices,
            transfer=transfer,
            searched=searched,
            device=device,
        )
    return search_coarse_to_fine(
        block,
        template,
        matrices,
        transfer=transfer,
        searched=searched,
        also=also,
        device=device,
    )


def _sums(found: SearchResult) -> dict[str, float]:
    return {
        "n_scores": found.n_scores,
        "total": found.total,
        "total_squares": found.total_squares,
    }


def _peaks(
    search: Search,
    score: NDArray[np.float32],
    index: NDArray[np.float32],
    exact: NDArray[np.bool_],
    mean: float,
    deviation: float,
) -> Particles:
    """Turn the highest peaks of exact scores into particles, whatever their height."""
    px = search.volume.pixel_size
    peaks = find_peaks(
        score,
        exact,
        min_distance_px=search.min_distance / px,
        at_most=search.settings.max_particles,
    )
    n = len(peaks)
    which = index[tuple(peaks.voxel.T)].astype(np.int64)
    size = search.settings.box_size or 2 * int(np.ceil(0.75 * search.template.diameter / px))
    return Particles(
        tomogram=np.full(n, search.tomogram.name),
        position=search.volume.index_to_position((peaks.voxel + peaks.offset)[:, ::-1]),
        orientation=search.orientations[which],
        class_name=np.full(n, search.name),
        source=np.full(n, search.settings.pick_group),
        score=peaks.height,
        box_size=np.full(n, size),
        extra={
            SIGMA: (peaks.height - mean) / deviation,
            ORIENTATION: which,
            **_sharpness(search.settings.tophat, score, index >= 0, peaks.voxel),
        },
    )


def _sharpness(
    connectivity: int | None,
    score: NDArray[np.float32],
    searched: NDArray[np.bool_],
    voxel: NDArray[np.int64],
) -> dict[str, NDArray[np.float64]]:
    """Give the column of top-hats, where it is asked for."""
    if connectivity is None:
        return {}
    stands_out = tophat(score, searched, connectivity)
    deviation = tophat_deviation(stands_out[searched]) or 1.0
    return {TOPHAT: stands_out[tuple(voxel.T)].astype(np.float64) / deviation}


def _write_orientations(path: Path, orientations: NDArray[np.float64]) -> None:
    """Write the quaternions that the orientation volume's values number."""
    rows = [f"{i},{x:.9f},{y:.9f},{z:.9f},{w:.9f}" for i, (x, y, z, w) in enumerate(orientations)]
    with replacing(path) as temporary:
        temporary.write_text("\n".join(["index,qx,qy,qz,qw", *rows]) + "\n")
