"""Settings of copick projects as sources."""

from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from subtomo.sources.comma_lists import Name, Names, Numbers, list_of
from subtomo.sources.portal.settings import Listing, PortalAccess


class CopickPicks(Listing):
    """Which picks of a copick project."""

    copick_config: Path = Field(description="Configuration of the copick project (JSON)")
    copick_name: Name | None = Field(
        None,
        description=(
            "Name of the picked object; may hold * and ?, or be re:EXPRESSION; --copick-uri may be "
            "given instead"
        ),
        json_schema_extra={"needed": True},
    )
    copick_user_id: Name | None = Field(
        None, description="Who picked, as copick_name; any when not given"
    )
    copick_session_id: Name | None = Field(
        None, description="In which session, as copick_name; any when not given"
    )
    copick_uri: Name | None = Field(
        None,
        description=(
            "Object, user and session in one as OBJECT:USER/SESSION; parts that are left out may "
            "be anything"
        ),
    )
    copick_run_names: Names = list_of(
        "copick_run_name", "Names of runs, as copick_name; all when not given"
    )

    @model_validator(mode="after")
    def _check_picks(self) -> Self:
        given = [
            "--" + name.replace("_", "-")
            for name in ("copick_name", "copick_user_id", "copick_session_id")
            if getattr(self, name) is not None
        ]
        if self.copick_uri is not None and given:
            raise ValueError(f"--copick-uri and {given[0]} exclude each other; give one of them")
        if self.copick_uri is None and self.copick_name is None and not self.list_matches:
            raise ValueError("give the object as --copick-name or in --copick-uri")
        return self


class CopickLocalSource(CopickPicks):
    """Picks of a copick project on tilt series of a RELION project."""

    tomograms_starfile: Path = Field(description="Table of the tomograms that the runs mean")
    tiltseries_relative_dir: Path | None = Field(
        None,
        description=(
            "Folder where relative names of tilt series and images start; when not given, the "
            "folder of the table, the working directory and the folders above the table are tried"
        ),
    )
    copick_run_map: Path | None = Field(
        None,
        description=(
            "Table (.csv with columns run, tomogram) of which tomogram a run means, for runs that "
            "are not called like theirs"
        ),
    )
    strict: bool = Field(
        False,
        description=(
            "Stop at the first run that cannot be used; when not given, it is left out and listed "
            "at the end"
        ),
    )


class CopickDataPortalSource(PortalAccess, CopickPicks):
    """Picks of a copick project on tilt series of the CryoET Data Portal."""

    copick_dataset_ids: Numbers = list_of(
        "copick_dataset_id", "Only runs of these datasets of the portal"
    )
