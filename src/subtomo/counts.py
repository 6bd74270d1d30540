"""Numbers of things, and sizes, in words."""

from collections.abc import Iterable

_PLURALS = {"": "", "is": " are", "has": " have"}


def count_of(number: int, noun: str, verb: str = "") -> str:
    """Write a number of things.

    Parameters
    ----------
    number : of them
    noun : one of them; its plural ends in s, or in es after an x
    verb : that follows, of one of them: is or has

    Examples
    --------
    >>> count_of(1, "tomogram"), count_of(0, "tomogram")
    ('1 tomogram', '0 tomograms')
    >>> count_of(2, "box", "has")
    '2 boxes have'
    """
    if number == 1:
        return f"1 {noun} {verb}".rstrip()
    return f"{number} {noun}{'es' if noun.endswith('x') else 's'}{_PLURALS[verb]}"


def some_of(names: Iterable[object], most: int = 5) -> str:
    """List the first few of some things, and say how many more there are.

    Examples
    --------
    >>> some_of([1, 2]), some_of([1, 2, 3, 4], 3), some_of([])
    ('1, 2', '1, 2, 3 and 1 more', 'none')
    """
    listed = list(names)
    more = f" and {len(listed) - most} more" if len(listed) > most else ""
    return (", ".join(map(str, listed[:most])) or "none") + more


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
