"""Folders of files, on disk or at an address, read by name."""

import os
from pathlib import Path
from typing import Protocol
from urllib.parse import quote, urlsplit

from subtomo.errors import MissingFileError, RemoteError, SettingsError
from subtomo.sources.http_files import HttpFiles, Patience, Span

_ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")


class Store(Protocol):
    """A folder whose files are read by their names in it."""

    is_remote: bool

    def read(self, name: str, span: Span | None = None) -> bytes:
        """Read a file, or the part between two bytes.

        Raises
        ------
        MissingFileError
            If it is not there.
        RemoteError
            If it does not come.
        """

    def place(self, name: str) -> str:
        """Say where a file is, for a message."""


class LocalStore:
    """A folder on disk.

    Parameters
    ----------
    folder : its path
    """

    is_remote = False

    def __init__(self, folder: Path | str) -> None:
        self._folder = Path(folder)

    def read(self, name: str, span: Span | None = None) -> bytes:
        """Read a file or a part of one."""
        path = self._folder / name
        try:
            with path.open("rb") as file:
                if span is None:
                    return file.read()
                first, end = span
                if first < 0:
                    file.seek(0, os.SEEK_END)
                    first, end = max(0, file.tell() + first), file.tell()
                file.seek(first)
                return file.read(end - first)
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            raise MissingFileError(f"{path}: not there") from None
        except PermissionError as error:
            raise RemoteError(f"{path}: cannot be read ({error.strerror})") from None

    def place(self, name: str) -> str:
        """Give the path of a file."""
        return str(self._folder / name) if name else str(self._folder)


class HttpStore:
    """Files below an http address.

    Parameters
    ----------
    url : of the folder
    patience : how long answers are waited for
    """

    is_remote = True

    def __init__(self, url: str, patience: Patience | None = None) -> None:
        self._url = url.rstrip("/")
        self._files = HttpFiles(patience)

    def read(self, name: str, span: Span | None = None) -> bytes:
        """Get a file or a part of one."""
        return self._files.read(self.place(name), span)

    def place(self, name: str) -> str:
        """Give the address of a file."""
        return f"{self._url}/{quote(name)}" if name else self._url


def open_store(address: str, endpoint_url: str | None = None) -> Store:
    """Open a folder on disk or at an address.

    Parameters
    ----------
    address : a path, or ``file://``, ``http://``, ``https://`` or ``s3://BUCKET/KEY``
    endpoint_url : of another S3 service than Amazon's; the variables ``AWS_ENDPOINT_URL_S3`` and
        ``AWS_ENDPOINT_URL`` count if None

    Raises
    ------
    SettingsError
        If the address is of another kind.
    """
    if "://" not in address:
        return LocalStore(address)
    if address.startswith("file://"):
        return LocalStore(address.removeprefix("file://"))
    return HttpStore(http_address(address, endpoint_url))


def http_address(address: str, endpoint_url: str | None = None) -> str:
    """Give the http address of an object in a public bucket; http addresses stay as they are.

    Parameters
    ----------
    address, endpoint_url : as for :func:`open_store`

    Raises
    ------
    SettingsError
        If the address is of another kind.

    Examples
    --------
    >>> http_address("s3://bucket/a b.zarr", "http://localhost:9000")
    'http://localhost:9000/bucket/a%20b.zarr'
    """
    parts = urlsplit(address)
    if parts.scheme in ("http", "https"):
        return address
    if parts.scheme != "s3" or not parts.netloc:
        raise SettingsError(
            f"{address}: unknown kind of address; expected a path, s3://BUCKET/KEY, http:// or "
            "https://"
        )
    bucket, key = parts.netloc, quote(address.removeprefix(f"s3://{parts.netloc}").lstrip("/"))
    endpoint = endpoint_url or next((os.environ[n] for n in _ENDPOINTS if os.environ.get(n)), None)
    if endpoint is not None:
        return f"{endpoint.rstrip('/')}/{bucket}/{key}"
    if "." in bucket:  # the certificate of Amazon's names of buckets has no dots
        return f"https://s3.amazonaws.com/{bucket}/{key}"
    return f"https://{bucket}.s3.amazonaws.com/{key}"
