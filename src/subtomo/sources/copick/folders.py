"""The folders of a copick project, on disk or wherever fsspec reaches."""

from pathlib import Path
from typing import Any

from subtomo.errors import MissingDependency, MissingFileError, RemoteError, SettingsError
from subtomo.formats.paths import find_file, not_found
from subtomo.sources.http_files import Span

_ON_DISK = ("local://", "file://")


class CopickFolder:
    """A folder whose files are listed and read by their names in it.

    Parameters
    ----------
    system : fsspec's file system
    root : of the folder in it
    """

    def __init__(self, system: Any, root: str) -> None:
        self._system = system
        self._root = root.rstrip("/")
        protocol = system.protocol if isinstance(system.protocol, str) else system.protocol[0]
        self.is_remote = protocol not in ("file", "local")

    def place(self, name: str) -> str:
        """Say where a file is, for a message."""
        path = f"{self._root}/{name}" if name else self._root
        return str(self._system.unstrip_protocol(path)) if self.is_remote else path

    def names(self, folder: str) -> list[str]:
        """List the files and folders in a folder, by name; none if it is not there."""
        try:
            found = self._system.ls(f"{self._root}/{folder}", detail=False)
        except FileNotFoundError:
            return []
        except Exception as error:  # each of fsspec's file systems has errors of its own
            raise RemoteError(f"{self.place(folder)}: cannot be listed ({error})") from error
        names = {path.rstrip("/").rpartition("/")[2] for path in found}
        return sorted(name for name in names if name and not name.startswith("."))

    def read(self, name: str, span: Span | None = None) -> bytes:
        """Read a file or a part of one."""
        first, end = span if span is not None else (None, None)
        if first is not None and first < 0:
            end = None
        try:
            content: bytes = self._system.cat_file(f"{self._root}/{name}", start=first, end=end)
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            raise MissingFileError(f"{self.place(name)}: not there") from None
        except Exception as error:  # each of fsspec's file systems has errors of its own
            raise RemoteError(f"{self.place(name)}: cannot be read ({error})") from error
        return content

    def below(self, folder: str) -> "CopickFolder":
        """Give a folder in this one."""
        return CopickFolder(self._system, f"{self._root}/{folder}")


def open_copick_folder(root: str, arguments: dict[str, Any], config: Path) -> CopickFolder:
    """Open a folder that a configuration names.

    Parameters
    ----------
    root : a path, or an address such as ``local://``, ``s3://``, ``ssh://``
        A relative path is looked for in the folder of the configuration, in the working directory
        and in the folders above the configuration.
    arguments : for fsspec
    config : the configuration

    Raises
    ------
    MissingFileError
        If a folder on disk is not there.
    MissingDependency
        If fsspec needs another package for such addresses.
    SettingsError
        If it knows no such addresses.
    """
    import fsspec

    path = root
    for start in _ON_DISK:
        path = path.removeprefix(start)
    if "://" not in path:
        found = find_file(path, config)
        if found is None:
            raise MissingFileError(f"{config}: the folder {root}: {not_found(path, config)}")
        return CopickFolder(fsspec.filesystem("file"), str(found))
    try:
        system, inner = fsspec.url_to_fs(root, **arguments)
    except ImportError as error:
        raise MissingDependency(f"{config}: {root}: {error}") from error
    except (ValueError, TypeError, OSError) as error:
        raise SettingsError(f"{config}: {root}: cannot be opened ({error})") from error
    return CopickFolder(system, inner)
