"""Numbers of things, and sizes, in words."""


def count_of(number: int, noun: str) -> str:
    """Write a number of things.

    Parameters
    ----------
    number : of them
    noun : one of them; its plural ends in s

    Examples
    --------
    >>> count_of(1, "tomogram"), count_of(0, "tomogram")
    ('1 tomogram', '0 tomograms')
    """
    return f"{number} {noun}{'' if number == 1 else 's'}"


def size_of(n_bytes: float) -> str:
    """Write a number of bytes.

    Examples
    --------
    >>> size_of(3244032)
    '3.24 MB'
    """
    for unit in ("B", "kB", "MB", "GB"):
        if n_bytes < 1000:
            return f"{n_bytes:.3g} {unit}"
        n_bytes /= 1000
    return f"{n_bytes:.3g} TB"
