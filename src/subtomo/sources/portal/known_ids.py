"""Whether the portal has what is asked for by ids: a list is answered without those it lacks."""

from collections.abc import Collection, Mapping

from subtomo.errors import DataError
from subtomo.sources.portal.client import PortalClient


def check_ids(portal: PortalClient, asked: Mapping[str, tuple[str, Collection[int]]]) -> None:
    """Refuse ids that the portal does not have among others; one by itself finds nothing anyway.

    Parameters
    ----------
    portal : where
    asked : class of cryoet_data_portal and ids, by option

    Raises
    ------
    DataError
        If an id is not there. The message names all of them.
    """
    for option, (model, ids) in asked.items():
        if len(ids) < 2:
            continue
        unknown = sorted(set(ids) - {row.id for row in portal.find_by(model, "id", ids)})
        if unknown:
            raise DataError(
                f"{portal.url}: {option}: the portal has no {', '.join(map(str, unknown))}; "
                "correct the list or leave it out"
            )
