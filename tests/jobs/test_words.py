"""Wrong settings are said in words: the option, what was found, what is expected."""

from pathlib import Path
from typing import Literal

import pytest
from pydantic import Field, model_validator

from subtomo.errors import SettingsError
from subtomo.jobs.settings import CommandSettings
from subtomo.jobs.words import check_settings


class Match(CommandSettings):
    """Settings with a field of each kind."""

    template: Path = Field(description="Template")
    box_size: int = Field(32, ge=4, description="Box (voxels)")
    angle: float = Field(10.0, gt=0, le=90, description="Step (°)")
    mask: Literal["sphere", "none"] = Field("sphere", description="Mask")
    limit: float | Literal["auto"] = Field("auto", description="Threshold (σ)")
    shifts: list[float] = Field([], description="Shifts (Å)")
    flip: bool = Field(False, description="Flip")

    @model_validator(mode="after")
    def _check(self):
        if self.box_size > 100 and self.mask == "none":
            raise ValueError("--box-size above 100 needs --mask sphere")
        return self


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "--template is required and was not given"),
        ({"box_size": -3}, "--box_size: found -3; expected at least 4"),
        ({"box_size": "ten"}, "--box_size: found 'ten'; expected a whole number"),
        ({"box_size": 4.5}, "--box_size: found 4.5; expected a whole number"),
        ({"angle": "0"}, "--angle: found '0'; expected more than 0"),
        ({"angle": 91}, "--angle: found 91; expected at most 90"),
        ({"angle": "nan"}, "--angle: found 'nan'; expected a finite number"),
        ({"limit": float("inf")}, "--limit: found inf; expected a finite number or 'auto'"),
        ({"angle": "steep"}, "--angle: found 'steep'; expected a number"),
        ({"mask": "cube"}, "--mask: found 'cube'; expected 'sphere' or 'none'"),
        ({"limit": "high"}, "--limit: found 'high'; expected a number or 'auto'"),
        ({"shifts": [1, "x"]}, "--shifts[1]: found 'x'; expected a number"),
        ({"flip": "perhaps"}, "--flip: found 'perhaps'; expected true or false"),
        ({"box_siz": 3}, "--box_siz: unknown setting; did you mean 'box_size'?"),
        ({"qqq": 3}, "--qqq: unknown setting"),
        ({"box_size": 101, "mask": "none"}, "--box-size above 100 needs --mask sphere"),
    ],
)
def test_fault_in_words(values, message):
    values = values if not values else {"template": "t.mrc", **values}
    with pytest.raises(SettingsError) as caught:
        check_settings(Match, values, lambda name: f"--{name}")
    assert str(caught.value) == message


def test_several_faults_are_all_said():
    with pytest.raises(SettingsError, match=r"template is required.*; box_size: found 1"):
        check_settings(Match, {"box_size": 1})


def test_right_values_make_settings():
    settings = check_settings(Match, {"template": "t.mrc", "limit": "5.5"})
    assert settings.limit == 5.5
    assert settings.template == Path("t.mrc")


def test_field_is_found_by_alias_and_dashes():
    class Named(CommandSettings):
        output_dir: Path = Field(
            Path(), description="x", json_schema_extra={"aliases": ["-o", "--folder-output"]}
        )

    for name in ("output_dir", "output-dir", "folder_output", "--folder-output", "o"):
        assert Named.field_named(name) == "output_dir"
    assert Named.field_named("output") == "output"
