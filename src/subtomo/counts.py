"""Numbers of things in words."""


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
