"""The size of a tomogram that has not been given one."""

import math


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
