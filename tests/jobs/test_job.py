"""A job computes each item once, collects failures, and tells what it did in job.json."""

import json
import signal
import warnings
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import toy
from pydantic import Field

from subtomo.errors import (
    DataError,
    ItemsFailed,
    OutputError,
    RemoteError,
    SettingsError,
    SubtomoWarning,
)
from subtomo.jobs.job import DryRun, Job
from subtomo.jobs.settings import JobSettings


def make_job(folder, **more):
    return Job("toy", JobSettings(output_dir=folder, executor="inline", **more), quiet=True)


def record_of(folder):
    return json.loads((folder / "job.json").read_text())


def double(number):
    return {"twice": 2 * number}


def fail_when_odd(number):
    if number % 2:
        raise DataError(f"number {number}: found odd, expected even")
    return number


def crash(payload):
    return 1 / 0


def results_of_numpy(path):
    return {"mean": np.float32(0.5), "counts": np.arange(3), "path": Path(path), "pair": (1, 2)}


def warn(payload):
    for _ in range(3):
        warnings.warn("the header says 10 Å", SubtomoWarning, stacklevel=2)


def test_results_come_in_the_order_of_payloads(tmp_path):
    job = make_job(tmp_path / "out")
    with job.start(["b", "a"]):
        assert list(job.map("double", double, {"b": 2, "a": 1}).items()) == [
            ("b", {"twice": 4}),
            ("a", {"twice": 2}),
        ]


@pytest.mark.parametrize(
    ("kind", "advice"),
    [(DataError, "changed options need --overwrite"), (RemoteError, "--resume tries again")],
)
def test_what_is_left_out_counts_as_failed_and_the_rest_is_done(tmp_path, kind, advice):
    job = make_job(tmp_path / "out")

    def run():
        job.leave_out("open", "TS_09", kind("has no CTF"))
        with job.start(["a"]):
            assert job.map("double", double, {"a": 1}) == {"a": {"twice": 2}}
            (job.folder / "table.txt").write_text("2")

    with pytest.raises(ItemsFailed, match=rf"^1 item failed: TS_09: has no CTF; {advice}$"):
        run()
    record = record_of(tmp_path / "out")
    assert record["state"] == "items failed"
    assert record["failures"] == [{"stage": "open", "item": "TS_09", "reason": "has no CTF"}]
    assert (tmp_path / "out/table.txt").is_file()


def test_fresh_results_equal_those_of_the_ledger(tmp_path):
    found = []
    for resume in (False, True):
        job = make_job(tmp_path / "out", resume=resume)
        with job.start(["a"]):
            found.append(job.map("numpy", results_of_numpy, {"a": "x.mrc"}))
    assert found[0] == found[1]
    assert found[0]["a"] == {"mean": 0.5, "counts": [0, 1, 2], "path": "x.mrc", "pair": [1, 2]}


def test_record_tells_what_was_run_on_what(tmp_path):
    source = tmp_path / "in.txt"
    source.write_text("12345")
    job = make_job(tmp_path / "out")
    with job.start(["a"], inputs=[source]):
        assert record_of(job.folder)["state"] == "running"
        job.map("double", double, {"a": 1})
    record = record_of(job.folder)
    assert record["state"] == "finished"
    assert record["command"] == "toy"
    assert record["settings"]["output_dir"] == str(tmp_path / "out")
    assert record["inputs"][0]["path"] == str(source)
    assert record["inputs"][0]["size"] == 5
    assert record["inputs"][0]["modified"]
    assert {"python", "subtomo", "numpy", "torch"} <= set(record["versions"])
    assert record["started"] <= record["ended"]
    assert record["items"] == {"total": 1, "finished": 1}


def test_failed_items_do_not_end_the_job(tmp_path):
    job = make_job(tmp_path / "out")
    seen = {}

    def start():
        with job.start(["0", "1", "2"]):
            seen.update(job.map("even", fail_when_odd, {str(i): i for i in range(3)}))
            (job.folder / "merged.txt").touch()

    with pytest.raises(ItemsFailed, match=r"1 item failed: 1: number 1: found odd"):
        start()
    assert seen == {"0": 0, "2": 2}
    assert (job.folder / "merged.txt").exists()
    record = record_of(job.folder)
    assert record["state"] == "items failed"
    assert record["failures"] == [
        {"stage": "even", "item": "1", "reason": "number 1: found odd, expected even"}
    ]
    assert "failed: even: 1: number 1" in (job.folder / "log.txt").read_text()


@pytest.mark.parametrize(("numbers", "need_all"), [([0, 1], True), ([1, 3], False)])
def test_block_ends_where_a_stage_lacks_what_it_needs(tmp_path, numbers, need_all):
    job = make_job(tmp_path / "out")
    reached = []

    def start():
        with job.start([]):
            job.map("even", fail_when_odd, {str(i): i for i in numbers}, need_all=need_all)
            reached.append("the next line")

    with pytest.raises(ItemsFailed) as caught:
        start()
    assert not reached
    assert caught.value.resumable == (0 in numbers)
    assert job.folder.exists() == (0 in numbers)


def test_wrong_input_of_all_items_leaves_nothing_behind(tmp_path, capsys):
    job = Job("toy", JobSettings(output_dir=tmp_path / "a" / "out", executor="inline"))

    def start():
        with job.start(["1", "3"]):
            (job.folder / "half_written.mrc").touch()
            job.map("even", fail_when_odd, {"1": 1, "3": 3})

    with pytest.raises(ItemsFailed, match=r"^1: number 1: found odd.*\(and 1 more like it\)$"):
        start()
    job.warn("later")
    assert not list(tmp_path.iterdir())
    assert "failed: even: 3: number 3: found odd" in capsys.readouterr().err


def test_wrong_input_loses_nothing_of_what_was_there(tmp_path):
    out = tmp_path / "out"
    (out / "folder").mkdir(parents=True)
    (out / "notes.txt").write_text("mine")
    job = make_job(out, overwrite=True)
    with pytest.raises(DataError), job.start(["a"]):
        raise DataError("nothing to average")
    assert (out / "notes.txt").read_text() == "mine"
    assert record_of(out)["state"] == "error"


def test_wrong_input_keeps_an_empty_folder(tmp_path):
    job = make_job(tmp_path)
    with pytest.raises(DataError), job.start(["a"]):
        raise DataError("nothing to average")
    assert tmp_path.is_dir()
    assert not list(tmp_path.iterdir())


def test_results_of_a_step_are_kept_when_its_later_stage_has_wrong_input(tmp_path):
    def run(settings, job):
        with job.start(["a"]):
            job.map("double", double, {"a": 1})
            job.map("even", fail_when_odd, {"a": 1})

    job = make_job(tmp_path / "out")
    inner = JobSettings(output_dir=job.folder / "one", executor="inline")
    with pytest.raises(ItemsFailed) as caught, job.start(["one"]):
        job.step("one", "toy", run, inner)
    assert not caught.value.resumable
    assert caught.value.__notes__ == ["in step one"]
    assert record_of(job.folder / "one")["items"]["finished"] == 1


def test_fault_of_the_program_leaves_its_traceback_in_the_log(tmp_path):
    job = make_job(tmp_path / "out")
    with pytest.raises(ItemsFailed, match="ZeroDivisionError: division by zero"), job.start(["a"]):
        job.map("crash", crash, {"a": 1})
    assert "return 1 / 0" in (job.folder / "log.txt").read_text()


def test_error_of_the_block_is_raised_and_recorded(tmp_path):
    job = make_job(tmp_path / "out")

    def start():
        with job.start(["a"]):
            job.map("double", double, {"a": 1})
            raise DataError("nothing to average")

    with pytest.raises(DataError):
        start()
    assert record_of(job.folder)["state"] == "error"
    assert record_of(job.folder)["error"] == "nothing to average"


def test_warning_of_items_is_said_once_with_its_count(tmp_path, capsys):
    job = make_job(tmp_path / "out")
    with job.start(["a", "b"]):
        job.map("warn", warn, {"a": 1, "b": 2})
    said = capsys.readouterr().err.splitlines()
    assert said == ["warning: the header says 10 Å", "warning (6 times): the header says 10 Å"]
    assert record_of(job.folder)["warnings"] == {"the header says 10 Å": 6}
    assert "warning: the header says 10 Å" in (job.folder / "log.txt").read_text()


def test_large_payload_is_refused(tmp_path):
    job = make_job(tmp_path / "out")
    with pytest.raises(TypeError, match=r"item a: payload of 8\.0 MB"), job.start(["a"]):
        job.map("double", double, {"a": np.zeros(1_000_000)})


def test_function_that_cannot_travel_is_refused(tmp_path):
    job = make_job(tmp_path / "out")
    with pytest.raises(TypeError, match="module level"), job.start(["a"]):
        job.map("double", lambda payload: payload, {"a": 1})


def test_payload_is_not_shared_with_the_item(tmp_path):
    payload = [1]
    job = make_job(tmp_path / "out")
    with job.start(["a"]):
        job.map("append", append, {"a": payload})
    assert payload == [1]


def append(numbers):
    numbers.append(2)
    return numbers


def test_dry_run_says_the_items_and_writes_nothing(tmp_path, capsys):
    settings = toy.ToySettings(output_dir=tmp_path / "out", count=2)
    with pytest.raises(DryRun):
        toy.run(settings, Job("toy", settings, dry_run=True))
    assert "compute 2 items:\n  item_0\n  item_1\n" in capsys.readouterr().out
    assert not (tmp_path / "out").exists()


def test_dry_run_says_what_is_left_out_and_what_is_said_before(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    job = Job("toy", toy.ToySettings(output_dir="out"), dry_run=True)
    job.log("3 numbers")
    job.leave_out("open", "TS_09", DataError("has no CTF"))
    with pytest.raises(DryRun), job.start(["TS_01"]):
        pass
    said = capsys.readouterr()
    assert said.err == "3 numbers\n"
    assert said.out == (
        "subtomo toy would write to out and compute 1 item:\n  TS_01\n"
        "and leave out 1 item:\n  TS_09: has no CTF\n"
    )


def test_paths_are_shown_as_the_folder_was_given(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    job = make_job(Path("out"))
    assert job.folder == tmp_path / "out"
    assert job.shown(job.folder / "maps/a.mrc") == Path("out/maps/a.mrc")


def test_items_that_are_finished_are_not_computed_again(tmp_path):
    settings = toy.ToySettings(output_dir=tmp_path / "out", executor="inline")
    toy.run(settings, Job("toy", settings, quiet=True))
    first = (tmp_path / "out" / "item_0.txt").stat().st_mtime_ns
    (tmp_path / "out" / "table.txt").unlink()
    again = settings.model_copy(update={"resume": True})
    toy.run(again, Job("toy", again, quiet=True))
    assert (tmp_path / "out" / "item_0.txt").stat().st_mtime_ns == first
    assert (tmp_path / "out" / "table.txt").exists()
    assert len(record_of(tmp_path / "out")["resumed"]) == 1


def test_resume_tries_failed_items_again(tmp_path):
    settings = toy.ToySettings(output_dir=tmp_path / "out", bad=("item_2",), executor="inline")
    with pytest.raises(ItemsFailed):
        toy.run(settings, Job("toy", settings, quiet=True))
    (tmp_path / "out" / "mended").touch()
    again = settings.model_copy(update={"resume": True})
    toy.run(again, Job("toy", again, quiet=True))
    assert record_of(tmp_path / "out")["failures"] == []
    assert (tmp_path / "out" / "table.txt").read_text().count("item_") == 4


class Tuned(JobSettings):
    """Settings with an option that resuming may change."""

    seed: int = Field(0, description="Seed")
    slab: int = Field(8, description="Slices", json_schema_extra={"affects_results": False})


def test_resume_refuses_other_settings_and_names_them(tmp_path):
    def start(**values):
        job = Job("toy", Tuned(output_dir=tmp_path / "out", **values), quiet=True)
        with job.start([]):
            pass

    start(seed=1)
    with pytest.raises(SettingsError, match=r"seed was 1, is 2"):
        start(seed=2, resume=True)
    start(seed=1, resume=True, slab=4, executor="processes", workers=3)


def test_resume_refuses_a_changed_input(tmp_path):
    source = tmp_path / "in.txt"
    source.write_text("one")

    def start(**values):
        job = make_job(tmp_path / "out", **values)
        with job.start([], inputs=[source]):
            pass

    start()
    source.touch()
    start(resume=True)
    source.write_text("two")
    with pytest.raises(SettingsError, match=r"the input .*in\.txt has changed"):
        start(resume=True)


def test_resume_refuses_the_job_of_another_command(tmp_path):
    with make_job(tmp_path).start([]):
        pass
    other = Job("average", JobSettings(output_dir=tmp_path, resume=True))
    with pytest.raises(OutputError, match="holds a job of 'subtomo toy'"), other.start([]):
        pass


def test_steps_that_are_finished_are_not_run_again(tmp_path):
    runs = []

    def run(settings, job):
        runs.append(settings.output_dir.name)
        toy.run(settings, job)

    for resume in (False, True):
        job = make_job(tmp_path / "out", resume=resume)
        inner = toy.ToySettings(output_dir=job.folder / "one", resume=resume, executor="inline")
        with job.start(["one"]):
            assert job.step("one", "toy", run, inner) == job.folder / "one"
        assert job.stage_seconds["one"] > 0
    assert runs == ["one"]


def write_pair(stem):
    for ending in ("a", "b"):
        Path(f"{stem}.{ending}").write_text("pair")


def test_items_whose_outputs_are_gone_are_computed_again(tmp_path):
    names = ["one", "sub/two", "sub/three"]
    (tmp_path / "out/sub").mkdir(parents=True)

    def start(**values):
        job = make_job(tmp_path / "out", **values)
        payloads = {name: str(job.folder / name) for name in names}
        outputs = {n: [Path(f"{stem}.a"), Path(f"{stem}.b")] for n, stem in payloads.items()}
        with job.start(names):
            job.map("pairs", write_pair, payloads, outputs=outputs)

    start(overwrite=True)
    kept = tmp_path / "out/sub/two.b"
    kept.write_text("not touched")
    (tmp_path / "out/one.a").unlink()
    (tmp_path / "out/sub/three.b").unlink()
    start(resume=True)
    assert (tmp_path / "out/one.a").is_file()
    assert (tmp_path / "out/sub/three.b").is_file()
    assert kept.read_text() == "not touched"


@pytest.mark.parametrize("name", ["a\nb", "a\udcffb", "a\x07b", "a\u2028b"])
def test_names_that_no_table_holds_are_refused(tmp_path, name):
    with pytest.raises(ValueError, match=r"--output-dir: .*not UTF-8; rename it"):
        JobSettings(output_dir=tmp_path / name)
    job = make_job(tmp_path / "out")
    for wrong in ({"items": [name]}, {"items": [], "inputs": [tmp_path / name]}):
        with pytest.raises(DataError, match="not UTF-8; rename it"), job.start(**wrong):
            pass
    assert not (tmp_path / "out").exists()


def test_more_threads_than_cores_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("os.cpu_count", lambda: 3)
    with make_job(tmp_path / "three", threads_per_item=3).start([]):
        pass
    job = make_job(tmp_path / "four", threads_per_item=4)
    said = "--threads-per-item is 4, but this machine has 3 cores"
    with pytest.raises(SettingsError, match=said), job.start([]):
        pass
    assert not (tmp_path / "four").exists()
    with pytest.raises(ValueError, match="threads_per_item"):
        JobSettings(output_dir=tmp_path, threads_per_item=100000)


def swallow(number):
    with suppress(KeyboardInterrupt):  # as a callback from C may
        signal.raise_signal(number)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupt_that_was_swallowed_ends_the_job_after_the_item(tmp_path, number):
    job = make_job(tmp_path / "out")
    handlers = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)]
    with pytest.raises(KeyboardInterrupt), job.start(["a", "b"]):
        job.map("swallow", swallow, {"a": number, "b": number})
    assert handlers == [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)]
    record = record_of(tmp_path / "out")
    assert record["state"] == "interrupted"
    assert record["items"] == {"total": 2, "finished": 1}
