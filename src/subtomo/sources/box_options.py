"""What boxes and binning must fulfil, whatever is made of the boxes."""

MOST_BOX_SIZE = 1024
"""Voxels along the edge of the largest box that is cut."""


def window_size(box_size: int, binning: float) -> int:
    """Edge of the windows cut out of the tilt images, in their pixels; RELION's rounding."""
    return int(binning * box_size + 0.5)


def require_even(option: str, size: int) -> None:
    """Refuse an odd size.

    Raises
    ------
    ValueError
        Naming the option.
    """
    if size % 2:
        raise ValueError(f"{option} is {size}; expected an even number")


def require_boxes(box_size: int, crop_size: int | None, binning: float) -> None:
    """Refuse boxes, crops and windows that are odd, and crops larger than the box.

    Parameters
    ----------
    box_size, crop_size : after binning; None: not cropped
    binning : pixels of the tilt images in one of the box

    Raises
    ------
    ValueError
        Naming the options.
    """
    require_even("--box-size", box_size)
    if crop_size is not None:
        require_even("--crop-size", crop_size)
        if crop_size > box_size:
            raise ValueError(
                f"--crop-size is {crop_size}, larger than --box-size {box_size}; expected at most "
                "the box size"
            )
    window = window_size(box_size, binning)
    if window % 2:
        raise ValueError(
            f"--bin {binning:g} times --box-size {box_size} gives windows of {window} pixels in "
            "the tilt images; expected an even number: change one of them a little"
        )
