"""The pipeline of the docs, from simulated tilt series to an average, on every executor."""

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

PIPELINE = Path(__file__).parents[2] / "docs" / "examples" / "pipeline.yaml"
OWN = {"job.json", "log.txt", "ledger.jsonl", "report.html"}


def start(folder, *options):
    words = ["run", str(PIPELINE), "--output-dir", str(folder), *options]
    return subprocess.Popen(
        [sys.executable, "-m", "subtomo", *words], stderr=subprocess.PIPE, text=True
    )


def finish(folder, *options):
    process = start(folder, *options)
    said = process.communicate()[1]
    assert process.returncode == 0, said
    return said


def results(folder):
    files = (path for path in folder.rglob("*") if path.is_file())
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in files
        if path.name not in OWN and not path.name.startswith(".")
    }


def n_finished(folder):
    return sum(path.read_bytes().count(b"\n") for path in folder.rglob("ledger.jsonl"))


@pytest.mark.slow
def test_killed_in_processes_and_resumed_gives_the_bytes_of_an_inline_run(tmp_path):
    said = finish(tmp_path / "inline", "--executor", "inline")
    assert "average of" in said
    expected = results(tmp_path / "inline")
    assert {"data/tomograms.star", "picks/particles.star", "average/average.mrc"} <= set(expected)

    folder = tmp_path / "killed"
    points = random.Random(3)
    options = ["--executor", "processes", "--workers", "2"]
    total = n_finished(tmp_path / "inline")
    for target in sorted(points.sample(range(1, total), 3)):
        process = start(folder, *options)
        while process.poll() is None and n_finished(folder) < target:
            time.sleep(0.02)
        time.sleep(points.uniform(0, 0.2))
        process.kill()
        process.communicate()
        options = [*options[:4], "--resume"]
    assert 0 < n_finished(folder) < total
    assert "finished already" in finish(folder, *options)
    found = results(folder)
    assert sorted(found) == sorted(expected)
    assert [name for name in expected if found[name] != expected[name]] == []
