"""The output folder is made, refused or replaced as the user said."""

from pathlib import Path

import pytest

from subtomo.errors import OutputError
from subtomo.jobs.job import Job
from subtomo.jobs.settings import JobSettings


def start(folder, outputs=None, **values):
    job = Job("toy", JobSettings(output_dir=folder, executor="inline", **values), quiet=True)
    with job.start([], outputs=outputs):
        (job.folder / "result.txt").touch()


def test_folder_is_made_with_its_parents(tmp_path):
    start(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b" / "job.json").is_file()


def test_empty_folder_is_used(tmp_path):
    start(tmp_path)
    assert (tmp_path / "job.json").is_file()


def test_what_a_job_leaves_that_is_killed_at_its_very_start_is_in_nobodys_way(tmp_path):
    (tmp_path / "ledger.jsonl").touch()
    start(tmp_path, resume=True)
    assert (tmp_path / "job.json").is_file()


def test_a_ledger_with_entries_but_no_record_is_refused(tmp_path):
    (tmp_path / "ledger.jsonl").write_text("{}\n")
    with pytest.raises(OutputError, match=r"holds something else \(ledger\.jsonl\)"):
        start(tmp_path, resume=True)


def test_folder_with_something_else_is_refused(tmp_path):
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(OutputError, match=r"holds something else \(thesis\.tex\)"):
        start(tmp_path)
    with pytest.raises(OutputError, match="holds something else"):
        start(tmp_path, resume=True)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_overwrite_writes_into_it_and_keeps_what_is_not_its_own(tmp_path):
    (tmp_path / "thesis.tex").touch()
    start(tmp_path, overwrite=True)
    start(tmp_path, overwrite=True)
    assert (tmp_path / "thesis.tex").exists()
    assert (tmp_path / "log.txt").read_text().count("started") == 1


def test_folder_of_a_job_says_how_to_go_on(tmp_path):
    start(tmp_path)
    with pytest.raises(OutputError, match=r"state: finished\); --resume goes on"):
        start(tmp_path)


def test_only_files_that_would_be_replaced_count_where_outputs_are_named(tmp_path):
    (tmp_path / "other.mrc").touch()
    start(tmp_path, outputs=[tmp_path / "result.txt"])
    with pytest.raises(OutputError, match=r"holds something else \(result\.txt\)"):
        start(tmp_path, outputs=[tmp_path / "result.txt"])


def test_folder_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match=r"file/out cannot be written \(Not a directory\)"):
        start(tmp_path / "file" / "out")
    with pytest.raises(OutputError, match="is a file; expected a folder"):
        start(tmp_path / "file")
    with pytest.raises(OutputError, match=r"/proc/out cannot be written"):
        start(type(tmp_path)("/proc/out"))


def test_damaged_record_is_named(tmp_path):
    (tmp_path / "job.json").write_text("{")
    with pytest.raises(OutputError, match=r"job\.json: not JSON"):
        start(tmp_path, resume=True)
    for text in ("[1]", '{"settings": 5}', '{"command": "toy", "settings": {}}'):
        (tmp_path / "job.json").write_text(text)
        with pytest.raises(OutputError, match=r"job\.json: not the record of a job"):
            start(tmp_path, resume=True)
    start(tmp_path, overwrite=True)


def test_folders_made_in_vain_are_removed(tmp_path):
    with pytest.raises(OutputError, match="File name too long"):
        start(tmp_path / "a" / "b" / ("x" * 300))
    assert not list(tmp_path.iterdir())


def test_resumed_job_removes_what_a_killed_one_left_half_written(tmp_path):
    from subtomo.formats.atomic import replacing

    start(tmp_path)
    with replacing(tmp_path / "scores" / "a.mrc") as temporary:
        temporary.touch()
    (temporary.parent / "a.mrc").rename(temporary)
    (temporary.parent / f"{temporary.name}.zarr").mkdir()
    (temporary.parent / f"{temporary.name}.zarr" / "0").touch()
    start(tmp_path, resume=True)
    assert list((tmp_path / "scores").iterdir()) == []
    assert (tmp_path / "result.txt").exists()


@pytest.mark.parametrize(
    ("given", "writes", "is_refused"),
    [
        ("out/particles.star", ["particles.*"], True),
        ("out/particles.star", ["tomograms", "report.html"], False),
        ("out/particles.star", None, True),  # not said: anything may be
        ("out/tomograms/A/B.mrc", ["tomograms"], True),
        ("out/log.txt", [], True),  # of every job
        ("link.star", ["particles.*"], True),  # to out/particles.star
        ("out/link.star", ["link.star"], True),  # to a file elsewhere
        ("other/particles.star", None, False),
    ],
)
def test_no_input_is_replaced_even_with_overwrite(tmp_path, given, writes, is_refused):
    for name in ("out/particles.star", "out/tomograms/A/B.mrc", "out/log.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("mine")
    (tmp_path / "other").mkdir()
    (tmp_path / "other/particles.star").write_text("mine")
    (tmp_path / "link.star").symlink_to("out/particles.star")
    (tmp_path / "out/link.star").symlink_to("../other/particles.star")
    settings = JobSettings(output_dir=tmp_path / "out", overwrite=True, executor="inline")
    job = Job("toy", settings, quiet=True)
    if is_refused:
        with pytest.raises(OutputError, match=f"the input .*{given} is there, and would be repl"):
            job.start([], inputs=[tmp_path / given], writes=writes).__enter__()
        assert not (tmp_path / "out/job.json").exists()
    else:
        with job.start([], inputs=[tmp_path / given], writes=writes):
            pass
    assert (tmp_path / given).read_text() == "mine"


def test_paths_among_the_settings_are_inputs_too(tmp_path):
    class Settings(JobSettings):
        mask: Path

    (tmp_path / "mask.mrc").touch()
    settings = Settings(output_dir=tmp_path, overwrite=True, mask=tmp_path / "mask.mrc")
    with pytest.raises(OutputError, match=r"the input .*mask\.mrc is there"):
        Job("toy", settings, quiet=True).start([]).__enter__()


def test_what_an_earlier_job_left_is_its_own_command_s_only(tmp_path):
    def starts_again(command, **values):
        settings = JobSettings(output_dir=tmp_path, executor="inline", **values)
        return Job(command, settings, quiet=True).starts_again()

    assert not starts_again("toy", overwrite=True)
    start(tmp_path)
    assert starts_again("toy", overwrite=True)
    assert not starts_again("other", overwrite=True)
    assert not starts_again("toy", resume=True)
    (tmp_path / "job.json").write_text("{")
    assert not starts_again("toy", overwrite=True)
