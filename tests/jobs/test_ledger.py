"""The ledger keeps what is finished, whatever happens to the process that wrote it."""

import json
import os

import pytest

from subtomo.errors import OutputError
from subtomo.jobs.ledger import Ledger, count_finished


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "ledger.jsonl"
    with Ledger(path) as ledger:
        ledger.record("match", "TS_01", {"picks": 3, "score": 0.1}, 1.25)
        ledger.record("match", "TS_02", None, 2.0)
    return path


def test_finished_items_come_back(path):
    with Ledger(path) as ledger:
        assert list(ledger.finished) == [("match", "TS_01"), ("match", "TS_02")]
        assert ledger.finished["match", "TS_01"].result == {"picks": 3, "score": 0.1}
        assert ledger.finished["match", "TS_01"].seconds == 1.25
    assert count_finished(path) == 2


@pytest.mark.parametrize("torn", [b'{"stage": "match", "it', b"\0" * 40, b"[1]\n", b"7\n"])
def test_last_line_that_was_cut_short_is_dropped(path, torn):
    whole = path.read_bytes()
    path.write_bytes(whole + torn)
    with Ledger(path) as ledger:
        assert len(ledger.finished) == 2
        ledger.record("match", "TS_03", 1, 0.0)
    lines = path.read_bytes().splitlines()
    assert len(lines) == 3
    assert [json.loads(line)["item"] for line in lines] == ["TS_01", "TS_02", "TS_03"]


def test_ledger_cut_anywhere_keeps_whole_lines(path):
    whole = path.read_bytes()
    first = whole.index(b"\n") + 1
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with Ledger(path) as ledger:
            assert len(ledger.finished) == (length >= first)


def test_damage_before_the_last_line_is_an_error(path):
    path.write_bytes(b"garbage\n" + path.read_bytes())
    with pytest.raises(OutputError, match=r"ledger\.jsonl, line 1: not an entry"):
        Ledger(path)


def test_fresh_ledger_forgets(path):
    with Ledger(path, fresh=True) as ledger:
        assert ledger.finished == {}
    assert path.read_bytes() == b""


def test_two_processes_cannot_hold_one_ledger(path):
    with Ledger(path), pytest.raises(OutputError, match="another process is working"):
        Ledger(path)
    Ledger(path).__exit__(None, None, None)


def test_record_is_on_disk_when_the_item_counts(path, monkeypatch):
    synced = []
    monkeypatch.setattr(os, "fsync", lambda number: synced.append(path.read_bytes()))
    with Ledger(path) as ledger:
        ledger.record("match", "TS_03", None, 0.0)
        assert b"TS_03" in synced[-1]
