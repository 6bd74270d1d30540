"""The one tree of errors.

SubtomoError
├── FormatError (ValueError)         a file is not what its format says
│   ├── MrcError
│   ├── StarError
│   └── ZarrError
├── MissingFileError (FileNotFoundError)
├── RemoteError (OSError)            a file at an address that does not come
├── ShapeError (ValueError)          arrays that do not fit together
├── SettingsError (ValueError)       an option is wrong by itself or with another
├── DataError (ValueError)           readable data that cannot be used: NaN, zero voxel size
│   └── PixelError
├── OutputError (OSError)            a folder that cannot be written, or holds something else
├── DiskFullError (OSError)
├── MissingDependency (ImportError)  names the extra to install
└── ItemsFailed (RuntimeError)       a job ended with failed items (exit status 1 if resumable)

Every message says which file, row or option, what was found, what was expected and what to do.
The command line prints it as one line and exits with status 2, or 1 where ``--resume`` can
go on.

SubtomoWarning is the one kind of warning: data that can be used, but not as the user may think.
"""


class SubtomoError(Exception):
    """Any error that is the input's, not the program's."""


class FormatError(SubtomoError, ValueError):
    """A file that is not what its format says."""


class MrcError(FormatError):
    """An MRC file that cannot be read or written."""


class StarError(FormatError):
    """A STAR file that cannot be read."""


class ZarrError(FormatError):
    """An OME-Zarr image that cannot be read."""


class MissingFileError(SubtomoError, FileNotFoundError):
    """A file or folder that should exist and does not."""


class RemoteError(SubtomoError, OSError):
    """A file at an address that does not come: refused, timed out or cut short."""


class ShapeError(SubtomoError, ValueError):
    """Arrays whose shapes do not fit."""


class AngleError(SubtomoError, ValueError):
    """An angle that none can mean, of a row that the message counts from 1."""


class SettingsError(SubtomoError, ValueError):
    """An option that is wrong by itself or together with another."""


class DataError(SubtomoError, ValueError):
    """Readable data that cannot be used, such as NaN or a voxel size of zero."""


class PixelError(DataError):
    """Pixels of a tilt image that cannot be computed with; ``tilt`` is its row, from 0."""

    def __init__(self, tilt: int) -> None:
        super().__init__(tilt)
        self.tilt = tilt


class OutputError(SubtomoError, OSError):
    """An output folder that cannot be written or holds something else."""


class DiskFullError(SubtomoError, OSError):
    """No space left for the output; ``resumable`` where some items were finished before."""

    resumable = False


class MissingDependency(SubtomoError, ImportError):
    """An optional package that is needed here and not installed."""


class ItemsFailed(SubtomoError, RuntimeError):
    """A job that ended with failed items; not ``resumable`` where the input of all is wrong."""

    resumable = True


class SubtomoWarning(UserWarning):
    """Input that can be used, but not as it stands: what was found and what was made of it."""
