"""A real tilt series over half a turn, and what is lost with ±60 degrees: figures and numbers.

Usage::

    python benchmarks/missing_wedge.py [FOLDER_OF_DATA]

The series is the HAADF needle of ETSpy's tests (91 images, ±90 degrees). The tilt axis and the
shifts are found in the images (``tests/support/haadf.py``); the reconstructions are those of
``subtomo tomogram reconstruct``. Writes ``docs/assets/missing_wedge.png``.
"""

import sys
import tempfile
from pathlib import Path

import matplotlib as mpl
import numpy as np
from numpy.typing import NDArray

from subtomo.cli.main import run
from subtomo.formats.volumes import read_volume, write_stack
from subtomo.signal.wedge import missing_wedge

ROOT = Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT / "tests" / "support"))

from haadf import Needle, read_needle  # noqa: E402  # lies in a folder of the tests

DATA = ROOT.parent / "shared" / "data" / "etspy_haadf_tilt_series"
FIGURE = ROOT / "docs" / "assets" / "missing_wedge.png"
SIZE = 64
NM = 0.1  # of an Å


def main() -> None:
    """Reconstruct twice, print the numbers, draw the figure."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else DATA
    if not folder.is_dir():
        print(f"{folder} is absent; give the folder of HAADF_91x64x64.mrc")
        return
    needle = read_needle(folder)
    print(
        f"tilt axis {needle.axis_angle:.1f} degrees; images at ±90 degrees mirror each other about "
        f"it with a correlation of {needle.mirror_correlation:.3f}"
    )
    volumes = {limit: reconstruct(needle, limit) for limit in (90, 60)}
    for limit, volume in volumes.items():
        ratio = power_in_wedge(volume)
        print(f"±{limit} degrees: power in the wedge of ±60 over that outside it: {ratio:.4f}")
    draw(volumes, needle.pixel_size * NM)
    print(f"figure: {FIGURE}")


def reconstruct(needle: Needle, limit: float) -> NDArray[np.float32]:
    """Run the command on the images up to a tilt angle."""
    kept = np.abs(needle.tilt_angles) <= limit
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_stack(folder / "needle.mrcs", needle.images[kept], needle.pixel_size)
        np.savetxt(folder / "needle.tlt", needle.tilt_angles[kept], "%.2f")
        np.savetxt(folder / "needle.xf", needle.transforms()[kept], "%.8f")
        options = ["--binning", "1", "--thickness", str(SIZE * needle.pixel_size)]
        options += ["--no-invert", "--no-normalise", "--executor", "inline", "--quiet"]
        arguments = ["tomogram", "reconstruct", str(folder / "needle.mrcs")]
        if run([*arguments, "-o", str(folder / "out"), *options]) != 0:
            raise SystemExit("the reconstruction failed")
        return read_volume(folder / "out" / "tomograms" / "needle.mrc").load()


def spectrum(volume: NDArray[np.float32]) -> NDArray[np.float64]:
    """Power (z, y, x) of a volume under a Hann window, zero frequency in the middle."""
    window = np.hanning(SIZE + 2)[1:-1]
    windowed = volume * window[:, None, None] * window[:, None] * window
    return np.asarray(np.abs(np.fft.fftshift(np.fft.fftn(windowed))) ** 2)


def power_in_wedge(volume: NDArray[np.float32]) -> float:
    """Mean power inside the missing wedge over that outside, at 0.05 to 0.5 cycles a voxel."""
    power = np.fft.ifftshift(spectrum(volume))[..., : SIZE // 2 + 1]
    wedge = missing_wedge((SIZE,) * 3, np.arange(-60, 61, 2.0)).numpy()
    k = np.fft.fftfreq(SIZE)
    squared = k[:, None, None] ** 2 + k[:, None] ** 2 + np.fft.rfftfreq(SIZE)[None, None] ** 2
    shell = (squared > 0.05**2) & (squared < 0.5**2)
    return float(power[shell & (wedge == 0)].mean() / power[shell & (wedge == 1)].mean())


def draw(volumes: dict[int, NDArray[np.float32]], pixel_nm: float) -> None:
    """Draw central slices and the power spectrum, a row for each range of tilts."""
    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(2, 4, figsize=(11.5, 5.6), layout="constrained")
    half = SIZE / 2 * pixel_nm / 1000  # µm
    highest = 0.5 / pixel_nm
    for row, (limit, volume) in zip(axes, volumes.items(), strict=True):
        views = [
            (volume[SIZE // 2], "x", "y", "slice across the beam"),
            (volume[:, SIZE // 2], "x", "z", "slice across the tilt axis"),
            (volume[:, :, SIZE // 2], "y", "z", "slice along both"),
        ]
        high = float(np.percentile(volumes[90], 99.8))
        low = -high / 6  # the shadows that the wedge leaves are below zero
        for axis, (view, across, up, title) in zip(row, views, strict=False):
            extent = (-half, half, -half, half)
            axis.imshow(view, cmap="gray", origin="lower", vmin=low, vmax=high, extent=extent)
            axis.set(xlabel=f"{across} (µm)", ylabel=f"{up} (µm)", title=title)
        power = np.log10(spectrum(volume).mean(axis=1))
        top = float(np.log10(spectrum(volumes[90]).mean(axis=1)).max())
        image = row[3].imshow(
            power,
            origin="lower",
            vmin=top - 6,
            vmax=top,
            extent=(-highest, highest, -highest, highest),
        )
        row[3].set(xlabel="x (1/nm)", ylabel="z (1/nm)", title="power, mean over y")
        figure.colorbar(image, ax=row[3], label="log₁₀ power", shrink=0.72)
        row[0].annotate(
            f"tilts ±{limit}°",
            (-0.52, 0.5),
            xycoords="axes fraction",
            rotation=90,
            va="center",
            fontsize=12,
            ha="center",
            fontweight="bold",
        )
    FIGURE.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(FIGURE, dpi=110)


if __name__ == "__main__":
    main()
