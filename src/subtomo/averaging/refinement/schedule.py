"""What each round searches."""

from subtomo.averaging.angular_search import AngularSearch
from subtomo.averaging.refinement.settings import AlignSettings

_LEAST_STEP = 0.5  # degrees; a finer search is noise at any resolution a box holds
_SOFTEST = 8.0  # temperature of the first rounds over that of the last


def angles_of_round(settings: AlignSettings, number: int) -> AngularSearch:
    """Give the rotations of a round.

    Parameters
    ----------
    settings : of the command
    number : of the round, from 1

    Returns
    -------
    AngularSearch: that asked for in the wide rounds, then around what was found, each round half
    as wide and fine as the one before
    """
    step, kind = settings.step, settings.search
    if kind == "none":
        return AngularSearch("none")
    narrowings = max(0, number - settings.wide_rounds)
    if kind == "local" or narrowings:
        # after a cone or all orientations, whose grids end at a quarter of their step
        first, of = (step, settings.angular_range) if kind == "local" else (step, 2 * step)
        narrower = first * 0.5**narrowings
        fine = max(narrower, min(first, _LEAST_STEP))
        reach = max(of * 0.5**narrowings, fine)
        return AngularSearch("local", fine, reach, n_refined=settings.candidates)
    cone = settings.cone_angle if kind == "cone" else 0.0
    return AngularSearch(kind, step, cone, settings.symmetry, settings.candidates)


def temperature_of_round(settings: AlignSettings, number: int) -> float:
    """Give the softness of classes in a round: of given references less and less.

    Parameters
    ----------
    settings : of the command
    number : of the round, from 1

    Notes
    -----
    Classes that start at random are never softer than asked for: what little tells them apart at
    first would be lost, as they all come to the same average where every particle is in each.
    """
    if not settings.reference:
        return settings.temperature
    factor: float = min(_SOFTEST, 2.0 ** (settings.rounds - number))
    return settings.temperature * factor
