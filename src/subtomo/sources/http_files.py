"""Files at http addresses, fetched with time-outs and repeated attempts."""

import http.client
import socket
import weakref
from collections import deque
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import SplitResult, urljoin, urlsplit
from urllib.request import getproxies, proxy_bypass

from subtomo.errors import MissingFileError, RemoteError
from subtomo.sources.pauses import PASSING, pause

Span = tuple[int, int]
_Server = tuple[str, str]  # scheme, host and port
_REDIRECTS = {301, 302, 303, 307, 308}
_MOST_REDIRECTS = 5
_USER_AGENT = "subtomo"


@dataclass(frozen=True)
class Patience:
    """How long an answer is waited for.

    Parameters
    ----------
    connect : seconds until there is a connection
    read : seconds without a byte
    attempts : number of them; what is refused or not there is not asked for again
    pause : seconds before the second attempt, doubled before each further one
    """

    connect: float = 20.0
    read: float = 60.0
    attempts: int = 5
    pause: float = 0.5


PATIENCE = Patience()


class _Passing(Exception):
    """Something that may go better next time, or when the server says."""

    def __init__(self, reason: str, retry_after: str | None = None) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class _Answer(NamedTuple):
    """What a server said once."""

    status: int
    body: bytes
    location: str
    retry_after: str | None


class HttpFiles:
    """Gets files, from several threads at once; connections stay open for the next file.

    Parameters
    ----------
    patience : how long an answer is waited for; the module's ``PATIENCE`` if None
    """

    def __init__(self, patience: Patience | None = None) -> None:
        self._patience = patience or PATIENCE
        self._idle: deque[tuple[_Server, http.client.HTTPConnection]] = deque()
        weakref.finalize(self, _close, self._idle)

    def read(self, url: str, span: Span | None = None) -> bytes:
        """Get a file or a part of one.

        Parameters
        ----------
        url : http or https
        span : first byte and the one after the last; a negative first byte counts from the end

        Raises
        ------
        MissingFileError
            If it is not there.
        RemoteError
            If it is refused, does not come in time or is cut short; the message says which.
        """
        patience = self._patience
        for attempt in range(1, patience.attempts + 1):
            try:
                return self._follow(url, span)
            except _Passing as failure:
                if attempt == patience.attempts:
                    raise RemoteError(
                        f"{url}: {failure}, {patience.attempts} times; try again later"
                    ) from None
                retry_after = failure.retry_after
            pause(url, patience.pause * 2 ** (attempt - 1), retry_after)
        raise AssertionError

    def _follow(self, url: str, span: Span | None) -> bytes:
        """Get a file where the server says that it is."""
        place = url
        for _ in range(_MOST_REDIRECTS):
            answer = self._exchange(place, span)
            if answer.status not in _REDIRECTS or not answer.location:
                return _content(url, answer, span)
            place = urljoin(place, answer.location)
        raise RemoteError(f"{url}: redirected more than {_MOST_REDIRECTS} times")

    def _exchange(self, url: str, span: Span | None) -> _Answer:
        """Ask once."""
        parts = urlsplit(url)
        server = (parts.scheme, parts.netloc)
        connection = self._taken(server) or self._connection(parts)
        is_used = connection.sock is not None
        is_kept = False
        try:
            answer = self._ask(connection, _target(parts), _headers(span))
            is_kept = True
        except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError) as error:
            if is_used:  # the server closed a connection that was kept open
                return self._exchange(url, span)
            raise _Passing(f"the connection was closed ({error})") from None
        except http.client.IncompleteRead as error:
            expected = len(error.partial) + (error.expected or 0)
            raise _Passing(
                f"the answer was cut short after {len(error.partial)} of {expected} bytes"
            ) from None
        except TimeoutError:
            raise _Passing(self._too_slow(connected=connection.sock is not None)) from None
        except (OSError, http.client.HTTPException) as error:
            raise _Passing(f"no connection to {parts.hostname} ({error})") from None
        finally:
            if is_kept:
                self._idle.append((server, connection))
            else:
                connection.close()
        return answer

    def _ask(
        self, connection: http.client.HTTPConnection, target: str, headers: dict[str, str]
    ) -> _Answer:
        if connection.sock is None:
            connection.connect()
            assert isinstance(connection.sock, socket.socket)
            connection.sock.settimeout(self._patience.read)
        connection.request("GET", target, headers=headers)
        answer = connection.getresponse()
        location, retry_after = answer.getheader("Location", ""), answer.getheader("Retry-After")
        return _Answer(answer.status, answer.read(), location, retry_after)

    def _too_slow(self, *, connected: bool) -> str:
        if connected:
            return f"no answer within {self._patience.read:g} s"
        return f"no connection within {self._patience.connect:g} s"

    def _taken(self, server: _Server) -> http.client.HTTPConnection | None:
        """Take an idle connection to a server, if there is one."""
        for _ in range(len(self._idle)):
            try:
                place, connection = self._idle.popleft()
            except IndexError:  # another thread took the last
                return None
            if place == server:
                return connection
            self._idle.append((place, connection))
        return None

    def _connection(self, parts: SplitResult) -> http.client.HTTPConnection:
        """Prepare a connection to a server, or to its proxy."""
        host, port = parts.hostname or "", parts.port
        proxy = _proxy(parts)
        kind: type[http.client.HTTPConnection] = http.client.HTTPConnection
        if parts.scheme == "https":
            kind = http.client.HTTPSConnection
        if not proxy:
            return kind(host, port, timeout=self._patience.connect)
        via = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
        connection = kind(via.hostname or "", via.port, timeout=self._patience.connect)
        if parts.scheme == "https":
            connection.set_tunnel(host, port)
        return connection


def _proxy(parts: SplitResult) -> str | None:
    """Give the proxy that the environment names for an address."""
    if proxy_bypass(parts.hostname or ""):
        return None
    return getproxies().get(parts.scheme)


def _target(parts: SplitResult) -> str:
    """Write what a server, or a proxy of plain http, is asked for."""
    if parts.scheme == "http" and _proxy(parts):
        return parts.geturl()
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _headers(span: Span | None) -> dict[str, str]:
    headers = {"User-Agent": _USER_AGENT, "Accept-Encoding": "identity"}
    if span is not None:
        first, end = span
        headers["Range"] = f"bytes={first}" if first < 0 else f"bytes={first}-{end - 1}"
    return headers


def _close(connections: deque[tuple[_Server, http.client.HTTPConnection]]) -> None:
    for _, connection in connections:
        connection.close()


def _content(url: str, answer: _Answer, span: Span | None) -> bytes:
    """Take what was asked for out of an answer, or say why it is none."""
    body = answer.body
    match status := answer.status:
        case 200 if span is not None:  # a server that knows no ranges
            first, end = span
            return body[first:] if first < 0 else body[first:end]
        case 200 | 206:
            return body
        case 401 | 403:
            raise RemoteError(
                f"{url}: access refused (HTTP {status}); it needs credentials or is not public"
            )
        case 404 | 410:
            raise MissingFileError(f"{url}: not there (HTTP {status})")
        case 429:
            raise _Passing("the server is asked too often (HTTP 429)", answer.retry_after)
        case _ if status in PASSING:
            raise _Passing(f"the server failed (HTTP {status})", answer.retry_after)
        case _:
            raise RemoteError(f"{url}: unexpected answer (HTTP {status})")
