"""Settings of ``subtomo pick net train`` and ``subtomo pick net apply``."""

from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from subtomo.jobs.settings import JobSettings

_OF_DEFAULT: Any = {"needs": {"network": "default"}}
_OF_COMPATIBLE: Any = {"needs": {"network": "compatible"}}
_FEWEST = 5
_TRAINED_BOX = 96


def _changeable(**extra: Any) -> dict[str, Any]:
    return {"affects_results": False, **extra}


class NetTrainSettings(JobSettings):
    """Options of training a net from a few picks."""

    tomograms: tuple[Path, ...] = Field(
        min_length=1,
        description="Tomograms of the picks: volume files, folders of them, or a tomograms.star",
        json_schema_extra={"argument": True},
    )
    positive: tuple[Path, ...] = Field(
        (), description=f"Tables of picks that are particles, {_FEWEST} or more of each class"
    )
    negative: tuple[Path, ...] = Field(
        (), description=f"Tables of picks of anything else, {_FEWEST} or more"
    )
    per_class: bool = Field(
        False,
        description=(
            "Learn each class of the positive picks (class_name) by itself; "
            "otherwise they are all one"
        ),
    )
    name: str = Field("particle", min_length=1, description="Class of the picks that are found")
    network: Literal["default", "compatible"] = Field(
        "default",
        description=(
            "A 3D network that was pretrained on made-up bodies, or the tutorial's convnet, "
            "trained from nothing on slabs of nine slices"
        ),
    )
    initial_net: Path | None = Field(
        None, description="Net of an earlier training to go on from (net.pt)"
    )
    pixel_size: float | None = Field(
        None, gt=0, description="Pixel size of the tomograms (Å); default: their headers'"
    )
    invert_tomograms: bool = Field(False, description="The tomograms show protein dark")
    diameter: float | None = Field(
        None,
        gt=0,
        description="Diameter of the particles (Å); with the default network it must be given",
        json_schema_extra={**_OF_DEFAULT, "needed": True},
    )
    rounds: int = Field(
        3,
        ge=0,
        description=(
            "Rounds in which the highest places that are no picks are learned as background, and "
            "the surest of all as particles"
        ),
        json_schema_extra=_OF_DEFAULT,
    )
    box_size: int = Field(
        _TRAINED_BOX,
        ge=_TRAINED_BOX,
        description="Edge of the training boxes (voxels); larger ones are shrunk to 96",
        json_schema_extra=_OF_COMPATIBLE,
    )
    target_size: float = Field(
        1.0,
        gt=0,
        description="Radius of the targets (voxels of the output, four of the box each)",
        json_schema_extra=_OF_COMPATIBLE,
    )
    learning_rate: float = Field(
        1e-4,
        gt=0,
        description="Size of the steps of Adam (number)",
        json_schema_extra=_OF_COMPATIBLE,
    )
    iterations: int = Field(
        20, ge=1, description="Passes over the samples", json_schema_extra=_OF_COMPATIBLE
    )
    samples: int = Field(
        500,
        ge=1,
        description="Samples of either kind in a pass, turned copies of the picks",
        json_schema_extra=_OF_COMPATIBLE,
    )
    positive_weight: float = Field(
        1.0,
        gt=0,
        description="Weight of positive samples against negative ones (factor)",
        json_schema_extra=_OF_COMPATIBLE,
    )
    loss: Literal["sum", "max"] = Field(
        "sum",
        description="Sum: all of the output counts; max: only its highest place",
        json_schema_extra=_OF_COMPATIBLE,
    )
    particle_threshold: float = Field(
        0.8,
        description="Least score of a pick, which validation counts with (number)",
        json_schema_extra=_OF_COMPATIBLE,
    )
    hold_out: float = Field(
        0.2,
        ge=0,
        le=0.5,
        description="Part of the picks kept for validation, where at least five remain",
    )
    seed: int = Field(0, ge=0, description="Seed of all random numbers")
    device: str = Field(
        "auto", description="auto, cpu, cuda, cuda:N or mps; auto: cuda where there is one"
    )

    @model_validator(mode="after")
    def _check_train_options(self) -> Self:
        if self.network == "default" and self.diameter is None:
            raise ValueError("--diameter is missing: the diameter of the particles in Å")
        if not self.positive:
            raise ValueError("--positive is missing: tables of picks that are particles")
        if self.network == "compatible" and self.per_class:
            raise ValueError(
                "--per-class has no effect with --network compatible, which knows one class; "
                "leave one of them out"
            )
        if self.per_class and self.is_changed("name"):
            raise ValueError("--name has no effect with --per-class; leave one of them out")
        return self


class NetApplySettings(JobSettings):
    """Options of picking with a trained net."""

    tomograms: tuple[Path, ...] = Field(
        min_length=1,
        description="Tomograms: volume files, folders of them, or a tomograms.star",
        json_schema_extra={"argument": True},
    )
    net: Path = Field(description="The net: net.pt of a training, or the training's folder")
    pixel_size: float | None = Field(
        None, gt=0, description="Pixel size of the tomograms (Å); default: their headers'"
    )
    invert_tomograms: bool = Field(False, description="The tomograms show protein dark")
    threshold: float | None = Field(
        None,
        description=(
            "Least score of a pick (number); default: the net's own; another one with --resume "
            "picks again from the scores that are there"
        ),
        json_schema_extra=_changeable(),
    )
    min_distance: float | None = Field(
        None,
        ge=0,
        description=(
            "Least distance of two picks (Å); default: 0.6 · diameter, or 24 voxels of the box of "
            "the compatible network (its circle size)"
        ),
        json_schema_extra=_changeable(aliases=["--circle-size"]),
    )
    max_particles: int = Field(
        5000,
        ge=1,
        description="Greatest number of picks, by class and tomogram",
        json_schema_extra=_changeable(),
    )
    device: str = Field(
        "auto", description="auto, cpu, cuda, cuda:N or mps; auto: cuda where there is one"
    )
