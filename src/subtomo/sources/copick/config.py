"""The configuration of a copick project."""

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from subtomo.errors import FormatError, MissingFileError


class PickableObject(BaseModel):
    """One kind of object that can be picked.

    Parameters
    ----------
    name : as in the names of files
    identifier : of an ontology; annotations of the portal with this one are picks of the object
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str
    identifier: str | None = None
    go_id: str | None = None

    @property
    def ontology_id(self) -> str | None:
        """The identifier, under its new or its old name."""
        return self.identifier or self.go_id


class CopickConfig(BaseModel):
    """What the configuration says, as far as picks and tomograms need it.

    Parameters
    ----------
    config_type : where the static part of the project is
    pickable_objects : in any order
    overlay_root, static_root : folders or addresses; files of the overlay hide those below
    overlay_fs_args, static_fs_args : for fsspec
    dataset_ids : of the portal
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    config_type: Literal["filesystem", "cryoet_data_portal"] = "filesystem"
    pickable_objects: tuple[PickableObject, ...] = ()
    overlay_root: str | None = None
    static_root: str | None = None
    overlay_fs_args: dict[str, Any] = Field(default_factory=dict)
    static_fs_args: dict[str, Any] = Field(default_factory=dict)
    dataset_ids: tuple[int, ...] = ()

    @property
    def roots(self) -> list[tuple[str, dict[str, Any]]]:
        """Folders of the project with what fsspec needs to know; the overlay first."""
        pairs = (
            (self.overlay_root, self.overlay_fs_args),
            (self.static_root, self.static_fs_args),
        )
        return [(root, arguments) for root, arguments in pairs if root]


def read_copick_config(path: Path) -> CopickConfig:
    """Read the configuration of a copick project.

    Parameters
    ----------
    path : JSON file

    Raises
    ------
    MissingFileError
        If there is no such file.
    FormatError
        If it is not a configuration, or one of a kind that is not read.
    """
    try:
        content = path.read_bytes()
    except (FileNotFoundError, IsADirectoryError):
        raise MissingFileError(
            f"{path}: no such file; expected a copick configuration (JSON)"
        ) from None
    try:
        return CopickConfig.model_validate_json(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise FormatError(
            f"{path}: not a copick configuration that is read: {where or 'JSON'}: {first['msg']}"
        ) from None
