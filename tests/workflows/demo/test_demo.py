"""The whole way from tilt series to an average, small: runs from the command line and holds."""

import hashlib
import json

import pytest

from subtomo.cli.main import run as subtomo

NOT_RESULTS = {"job.json", "ledger.jsonl", "log.txt", "report.html"}
OPTIONS = ["--preset", "small", "--angular-step", "24"]


def digests(folder):
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in NOT_RESULTS
    }


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo") / "run"
    status = subtomo(["demo", *OPTIONS, "-o", str(folder), "--executor", "inline", "--quiet"])
    assert status == 0
    return folder


@pytest.mark.slow
def test_particles_are_found_and_aligned(demo):
    found = json.loads((demo / "findings.json").read_text())
    assert found["true particles"] == 16
    assert found["recall"] >= 0.8
    assert found["median orientation error, aligned (degrees)"] < 8
    assert found["median position error, aligned (Å)"] < 10


@pytest.mark.slow
def test_report_holds_every_figure(demo):
    page = (demo / "report.html").read_text()
    assert page.count("data:image/png;base64,") == 6


@pytest.mark.slow
def test_worker_processes_give_the_same_bytes(demo, tmp_path):
    line = ["demo", *OPTIONS, "-o", str(tmp_path / "run"), "--workers", "2", "--quiet"]
    assert subtomo(line) == 0
    assert digests(tmp_path / "run") == digests(demo)
