"""The size of a tomogram that has not been given one."""

import math

from subtomo.errors import SettingsError

_LEAST_DEPTH_PX = 2


def depth_from_thickness(thickness: float, pixel_size: float) -> int:
    """Give the pixels along z of a tomogram so thick (Å), of pixels of that size (Å).

    Raises
    ------
    SettingsError
        If they are too few for anything to be seen in it.
    """
    depth_px = round(thickness / pixel_size)
    if depth_px < _LEAST_DEPTH_PX:
        raise SettingsError(
            f"--thickness {thickness:g}: {thickness / pixel_size:.1f} pixels of {pixel_size:g} Å; "
            f"expected at least {_LEAST_DEPTH_PX}: give the thickness in Å, usually 1000 to 5000"
        )
    return depth_px


def size_from_images(
    image_size_px: tuple[int, int], tilt_axis_angle: float, depth_px: int
) -> tuple[int, int, int]:
    """Give the size of the tomogram that shows what the untilted image shows.

    Parameters
    ----------
    image_size_px : (x, y)
    tilt_axis_angle : degrees, of an image near the middle of the series
    depth_px : along z

    Returns
    -------
    (x, y, z) in pixels of the images

    Notes
    -----
    The tomogram's y is the tilt axis: where that lies along the images' x, the sides change place.
    """
    x, y = image_size_px
    if abs(math.sin(math.radians(tilt_axis_angle))) > math.sqrt(0.5):
        x, y = y, x
    return x, y, depth_px
