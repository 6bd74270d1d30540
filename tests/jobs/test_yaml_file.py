"""YAML 1.2, read safely; what is wrong is said with its line."""

import pytest

from subtomo.errors import MissingFileError, SettingsError
from subtomo.jobs.yaml_file import parse_yaml, read_yaml, yaml_entry


def write(folder, text):
    path = folder / "settings.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_numbers_and_words_of_yaml_1_2(tmp_path):
    found = read_yaml(write(tmp_path, "a: 1e-3\nb: on\nc: 010\nd: 12:30:00\ne: [1, 2.5]\nf:\n"))
    assert found == {"a": 1e-3, "b": "on", "c": 10, "d": "12:30:00", "e": [1, 2.5], "f": None}


def test_empty_file_gives_nothing(tmp_path):
    assert read_yaml(write(tmp_path, "# nothing\n")) == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [1, 2\nb: 3\n", r"settings\.yaml: not YAML: .* line 2"),
        ("a: 1\na: 2\n", r'settings\.yaml: not YAML: found duplicate key "a".* line 2'),
        ("- 1\n- 2\n", r"settings\.yaml: found a list; expected names and values"),
        ("1: 2\n", r"settings\.yaml: found .*; expected names and values"),
        ("a: " + "[" * 2000 + "]" * 2000, r"settings\.yaml: lists or mappings .* too deeply"),
        ("a: !!python/object:os.system {}\n", r"settings\.yaml: not YAML: could not determine"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(tmp_path, text, message):
    with pytest.raises(SettingsError, match=message) as caught:
        read_yaml(write(tmp_path, text))
    assert "\n" not in str(caught.value)


def test_file_that_is_absent_or_no_text_is_named(tmp_path):
    with pytest.raises(MissingFileError, match=r"none\.yaml: no such file"):
        read_yaml(tmp_path / "none.yaml")
    with pytest.raises(SettingsError, match="cannot be read: Is a directory"):
        read_yaml(tmp_path)
    (tmp_path / "b.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingsError, match=r"b\.yaml: not YAML"):
        read_yaml(tmp_path / "b.yaml")


@pytest.mark.parametrize(
    "value", [None, True, 3, 1e-7, "on", "1e3", "a: b", "", [1, "x"], {"k": [0.5]}, "Å", "${a}/b"]
)
def test_entry_is_read_back(value):
    text = yaml_entry("name", value, "A comment that is " + "long " * 40)
    assert parse_yaml(text, "test") == {"name": value}
    assert all(len(line) <= 98 for line in text.splitlines())


def test_entry_that_is_commented_out_says_nothing():
    assert parse_yaml(yaml_entry("name", None, "Required", commented_out=True), "test") is None
