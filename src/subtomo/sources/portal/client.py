"""Questions to the portal's metadata service, in batches and with patience.

The package cryoet_data_portal asks; it is optional and imported when it is used.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

from subtomo.counts import count_of
from subtomo.errors import MissingDependency, RemoteError
from subtomo.sources.pauses import PASSING, pause

STAGING_URL = "https://graphql.cryoet.staging.si.czi.technology/graphql"
IDS_A_REQUEST = 100  # more at once have overloaded the service
_SECONDS = 60.0  # without an answer
_ATTEMPTS = 5
_NO_ANSWERS = (AssertionError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""What the client raises where an answer is JSON, but not the one that was asked for."""
_PAUSE = 0.5  # seconds, doubled from attempt to attempt


class PortalClient:
    """Finds rows of the portal's tables.

    Parameters
    ----------
    url : of the GraphQL service; the public one if None

    Raises
    ------
    MissingDependency
        If the package cryoet_data_portal is not installed.
    """

    def __init__(self, url: str | None = None) -> None:
        self.models = portal_models()
        self._client = _with_time_limit(self.models.Client)(url)
        self.url: str = self._client.url

    def find(self, model: str, filters: Sequence[Any]) -> list[Any]:
        """Find the rows of a table that fit all filters.

        Parameters
        ----------
        model : name of a class of cryoet_data_portal
        filters : expressions made of its fields

        Raises
        ------
        RemoteError
            If the service does not answer, or refuses the question.
        """
        import requests
        from gql.transport.exceptions import TransportError, TransportQueryError
        from graphql import GraphQLError

        kind = getattr(self.models, model)
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return list(kind.find(self._client, list(filters)))
            except TransportQueryError as error:
                raise RemoteError(f"{self.url}: the question was refused ({error})") from error
            except (GraphQLError, *_NO_ANSWERS) as error:
                raise RemoteError(
                    f"{self.url}: the answer is not what the portal's schema says "
                    f"({type(error).__name__}: {str(error)[:100]}); check --portal-url"
                ) from error
            except (requests.RequestException, TransportError) as error:
                if attempt == _ATTEMPTS or not _may_pass(error):
                    raise RemoteError(
                        f"{self.url}: the portal does not answer ({_in_words(error, self.url)}), "
                        f"{count_of(attempt, 'time')}; try again later or check --portal-url"
                    ) from error
                retry_after = _retry_after(error)
            pause(self.url, _PAUSE * 2 ** (attempt - 1), retry_after)
        raise AssertionError

    def find_by(
        self, model: str, field: str, values: Iterable[int], *, and_also: Sequence[Any] = ()
    ) -> list[Any]:
        """Find the rows whose field is one of many numbers, some numbers a request.

        Parameters
        ----------
        model, field : a class of cryoet_data_portal and a field of it, such as
            ``annotation_shape.annotation_id``
        values : the numbers; each is asked for once
        and_also : further filters
        """
        wanted = sorted(set(values))
        expression = field_of(getattr(self.models, model), field)
        rows = []
        for start in range(0, len(wanted), IDS_A_REQUEST):
            portion = wanted[start : start + IDS_A_REQUEST]
            rows += self.find(model, [expression._in(portion), *and_also])
        return rows


def field_of(model: Any, path: str) -> Any:
    """Give a field of a class of cryoet_data_portal, such as ``run.dataset.id``."""
    expression = model
    for part in path.split("."):
        expression = getattr(expression, part)
    return expression


def portal_models() -> Any:
    """Import cryoet_data_portal.

    Raises
    ------
    MissingDependency
        If it is not installed.
    """
    try:
        import cryoet_data_portal
    except ImportError as error:
        raise MissingDependency(
            "the CryoET Data Portal needs packages that are not installed: "
            "pip install cryoet_data_portal s3fs"
        ) from error
    return cryoet_data_portal


def _with_time_limit(client: Any) -> Any:
    """Make a client that does not wait for ever, nor ask again without a word."""

    class TimedClient(client):  # type: ignore[misc]  # the class is known only at run time
        def get_client(self) -> Any:
            made = super().get_client()
            made.transport.default_timeout, made.transport.retries = _SECONDS, 0
            return made

    return TimedClient


def _in_words(error: Exception, url: str) -> str:
    """Say why there is no answer, by what the error came from."""
    from gql.transport.exceptions import TransportProtocolError, TransportServerError

    if isinstance(error, TransportServerError):
        return f"HTTP {error.code}"
    if isinstance(error, TransportProtocolError):
        return "what comes is not from a GraphQL service"
    chain = list(_chain(error))
    if any(isinstance(each, TimeoutError) for each in chain):
        return f"no answer within {_SECONDS:g} s"
    reasons = [each.strerror for each in chain if isinstance(each, OSError) and each.strerror]
    host = urlsplit(url).hostname
    return f"no connection to {host} ({reasons[-1] if reasons else 'it was closed'})"


def _may_pass(error: Exception) -> bool:
    """Tell whether asking again may help: not where the server refuses."""
    from gql.transport.exceptions import TransportServerError

    return not isinstance(error, TransportServerError) or error.code in PASSING


def _retry_after(error: Exception) -> str | None:
    """Give the header Retry-After of the answer that an error came from."""
    answers = (getattr(each, "response", None) for each in _chain(error))
    return next((one.headers.get("Retry-After") for one in answers if one is not None), None)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Give an error and those that it came from."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
