"""An option that is given without a value is no option that takes everything."""

import pytest
from pydantic import ValidationError

from subtomo.sources.settings import CopickDataPortalSource, DataPortalSource

PICKS = {"copick_config": "c.json", "copick_name": "blob"}


@pytest.mark.parametrize("text", ["", " ", ",,"])
@pytest.mark.parametrize("name", ["run_ids", "run_names", "dataset_titles"])
def test_empty_filters_of_the_portal_are_refused(name: str, text: str) -> None:
    for value in (text, [text], ["1", text]):
        with pytest.raises(ValidationError, match=f"'{text}' names nothing; give a value"):
            DataPortalSource.model_validate({"deposition_ids": 1, name: value})


@pytest.mark.parametrize("text", ["", " "])
@pytest.mark.parametrize(
    "name",
    [
        "copick_name",
        "copick_user_id",
        "copick_session_id",
        "copick_run_names",
        "copick_dataset_ids",
    ],
)
def test_empty_filters_of_picks_are_refused(name: str, text: str) -> None:
    with pytest.raises(ValidationError, match=f"'{text}' names nothing; give a value"):
        CopickDataPortalSource.model_validate({**PICKS, name: text})


def test_an_empty_uri_is_refused() -> None:
    with pytest.raises(ValidationError, match="names nothing"):
        CopickDataPortalSource.model_validate({"copick_config": "c.json", "copick_uri": ""})


@pytest.mark.parametrize("value", [True, [1, False], 1.0, "1.0", "1 x", {"a": 1}, None])
def test_ids_are_whole_numbers(value: object) -> None:
    with pytest.raises(ValidationError, match="valid integer"):
        DataPortalSource.model_validate({"run_ids": value})


def test_lists_are_taken_apart() -> None:
    source = DataPortalSource.model_validate({"run_ids": ["1, 2", 3], "run_names": 'a,"b, c",'})
    assert source.run_ids == (1, 2, 3)
    assert source.run_names == ("a", "b, c")
    assert source.dataset_ids == ()
