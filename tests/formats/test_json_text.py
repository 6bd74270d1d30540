import pytest

from subtomo.errors import FormatError
from subtomo.formats.json_text import parse_json


def test_no_value_is_dropped_for_another_of_its_name() -> None:
    assert parse_json('{"boxes_3d": [{"a": 1}, {"a": 2}]}', "i.json") == {
        "boxes_3d": [{"a": 1}, {"a": 2}]
    }
    with pytest.raises(FormatError, match=r"i.json: not JSON \('boxes_3d' comes twice in it\)"):
        parse_json('{"boxes_3d": [[1, 2, 3]], "boxes_3d": []}', "i.json")
