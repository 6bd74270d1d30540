import numpy as np
import pytest

from subtomo.formats.columns import typed_column


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["1", "-2", "0"], "i"),
        (["1", "2.5"], "f"),
        (["4.552062e+05", "1e-07", "nan", "-inf"], "f"),
        (["001", "002"], "U"),
        (["1e5", "2e5"], "U"),
        (["1", "x"], "U"),
        (["", "1"], "U"),
        (["123456789012345678901"], "U"),
        (["a\n1"], "U"),
        ([], "U"),
    ],
)
def test_only_plain_numbers_become_numbers(values: list[str], kind: str) -> None:
    assert typed_column("someTag", np.array(values, dtype=np.str_)).dtype.kind == kind


@pytest.mark.parametrize("tag", ["rlnMicrographName", "rlnImageName", "rlnCtfImage", "someFile"])
def test_names_stay_text(tag: str) -> None:
    assert typed_column(tag, np.array(["12", "13"])).tolist() == ["12", "13"]
