"""Progress: a bar on a terminal, plain lines elsewhere, nothing with --quiet."""

import io

import pytest
from rich.console import Console

from subtomo.jobs import progress
from subtomo.jobs.messages import Messages


def messages_to(file, **values):
    """Messages that go to a text buffer, as to a terminal or not."""
    is_terminal = values.pop("is_terminal", False)
    messages = Messages(**values)
    messages._console = Console(file=file, force_terminal=is_terminal, width=80, highlight=False)
    return messages


def show(messages, n_items):
    shown = progress.show_progress(messages, "match", total=n_items + 1, done=1)
    for i in range(n_items):
        shown.advance(f"TS_{i:02}", 1.5)
    shown.close()


def test_plain_lines_are_few_and_end_with_the_last():
    file = io.StringIO()
    show(messages_to(file), 200)
    assert file.getvalue().splitlines() == [
        "match: 2/201 (TS_00, 1.5 s)",
        "match: 201/201 (TS_199, 1.5 s)",
    ]


def test_plain_lines_come_when_time_has_passed(monkeypatch):
    monkeypatch.setattr(progress, "_SECONDS_BETWEEN_LINES", 0)
    file = io.StringIO()
    show(messages_to(file), 5)
    assert len(file.getvalue().splitlines()) == 5


def test_bar_counts_items_and_stays_below_what_is_said():
    file = io.StringIO()
    messages = messages_to(file, is_terminal=True)
    shown = progress.show_progress(messages, "match", total=4, done=1)
    messages.warn("the header says 10 Å")
    for _ in range(3):
        shown.advance("TS_01", 0.1)
    shown.close()
    said = file.getvalue()
    assert "4/4" in said
    assert said.index("the header says 10 Å") < said.rindex("match")


@pytest.mark.parametrize("is_terminal", [True, False])
def test_quiet_shows_no_progress_but_warns(is_terminal):
    file = io.StringIO()
    messages = messages_to(file, quiet=True, is_terminal=is_terminal)
    show(messages, 3)
    messages.say("done")
    assert file.getvalue() == ""
    messages.warn("odd")
    assert "odd" in file.getvalue()


def test_lines_before_the_log_are_kept_for_it(tmp_path):
    messages = messages_to(io.StringIO())
    messages.say("before")
    messages.open_log(tmp_path / "log.txt")
    messages.detail("after")
    lines = (tmp_path / "log.txt").read_text().splitlines()
    assert [line.split(" ", 1)[1] for line in lines] == ["before", "after"]
