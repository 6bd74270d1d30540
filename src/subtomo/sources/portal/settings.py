"""Settings of the CryoET Data Portal as a source."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Self

from pydantic import BaseModel, Field, model_validator

from subtomo.sources.comma_lists import Names, Numbers, list_of


def _also(*names: str, **extra: Any) -> dict[str, Any]:
    return {"aliases": list(names), **extra}


class Listing(BaseModel):
    """A source that can tell what it would give."""

    list_matches: bool = Field(
        False,
        description="Show the runs and objects that match, with counts, and stop",
        json_schema_extra=_also("--list", affects_results=False),
    )

    @model_validator(mode="before")
    @classmethod
    def _list_needs_no_output(cls, values: Any) -> Any:
        """Fill in what a command asks for and a list has no use for."""
        if isinstance(values, Mapping) and str(values.get("list_matches")).lower() in ("true", "1"):
            unused = {"output_dir": Path("."), "box_size": 4}
            needed = {name: unused[name] for name in unused if name in cls.model_fields}
            without = () if "box_size" in values else ("crop_size", "bin")  # which it limits
            return {**needed, **{name: v for name, v in values.items() if name not in without}}
        return values


class PortalAccess(BaseModel):
    """Where the portal is, and what it does not say of a tilt series."""

    portal_url: str | None = Field(
        None, description="Address of another portal's GraphQL service than the public one"
    )
    staging: bool = Field(False, description="Ask the portal's staging service")
    endpoint_url: str | None = Field(
        None,
        description=(
            "S3 service to fetch files from by their s3:// names; when not given, they are fetched "
            "from the https addresses that the portal tells"
        ),
    )
    handedness: int = Field(
        -1,
        description=(
            "Whether defocus rises (1) or falls (-1) with height along the beam; the portal does "
            "not say it"
        ),
        json_schema_extra=_also("--hand"),
    )
    amplitude_contrast: float = Field(
        0.07, ge=0, lt=1, description="Amplitude contrast (fraction); the portal does not say it"
    )
    strict: bool = Field(
        False,
        description=(
            "Stop at the first tomogram that cannot be used; when not given, it is left out and "
            "listed at the end"
        ),
    )

    @model_validator(mode="after")
    def _check_portal_access(self) -> Self:
        if self.handedness not in (-1, 1):
            raise ValueError(f"--handedness is {self.handedness}; expected 1 or -1")
        if self.staging and self.portal_url is not None:
            raise ValueError("--staging and --portal-url exclude each other; give one of them")
        for name in ("portal_url", "endpoint_url"):
            url = getattr(self, name)
            if url is not None and not url.startswith(("http://", "https://")):
                option = "--" + name.replace("_", "-")
                raise ValueError(f"{option} is {url}; expected http:// or https://")
        return self


class PortalFilters(BaseModel):
    """Which particles of the portal are meant; all filters that are given must fit."""

    deposition_ids: Numbers = list_of("deposition_id", "Depositions")
    deposition_titles: Names = list_of("deposition_title", "Titles of depositions")
    dataset_ids: Numbers = list_of("dataset_id", "Datasets")
    dataset_titles: Names = list_of("dataset_title", "Titles of datasets")
    organism_names: Names = list_of("organism_name", "Organisms")
    cell_names: Names = list_of("cell_name", "Cells")
    run_ids: Numbers = list_of("run_id", "Runs")
    run_names: Names = list_of("run_name", "Names of runs")
    tiltseries_ids: Numbers = list_of("tiltseries_id", "Tilt series")
    alignment_ids: Numbers = list_of("alignment_id", "Alignments of tilt series")
    tomogram_ids: Numbers = list_of("tomogram_id", "Tomograms")
    annotation_ids: Numbers = list_of("annotation_id", "Annotations")
    annotation_names: Names = list_of("annotation_name", "Names of annotated objects")
    inexact_match: bool = Field(
        False, description="A name or title fits if it contains the text, in capitals or not"
    )
    ground_truth: bool = Field(False, description="Only annotations that are a ground truth")
    automated_only: bool = Field(False, description="Only annotations made automatically")
    no_orientations: bool = Field(
        False, description="Leave the particles' orientations out: all angles 0"
    )

    FILTERS: ClassVar[tuple[str, ...]]

    @model_validator(mode="after")
    def _check_filters(self) -> Self:
        if not any(getattr(self, name) for name in self.FILTERS):
            options = ", ".join("--" + name.replace("_", "-") for name in self.FILTERS)
            raise ValueError(
                f"nothing says which particles of the portal are meant; give one of {options}"
            )
        return self


PortalFilters.FILTERS = tuple(
    name for name in PortalFilters.model_fields if name.endswith(("_ids", "_titles", "_names"))
)


class DataPortalSource(PortalAccess, Listing, PortalFilters):
    """Particles that the portal's annotations give."""
