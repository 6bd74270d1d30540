"""The report is one file that needs nothing else, and shows what it was given."""

import base64
import re
from html.parser import HTMLParser

import pytest

from subtomo.report import Report


class _Links(HTMLParser):
    """Collect whatever the page would fetch, and check that tags are balanced."""

    def __init__(self) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        self.fetched += [values[k] for k in ("src", "href") if k in values]
        if tag not in {"meta", "img", "link", "br"}:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.fixture
def page(tmp_path):
    from matplotlib.figure import Figure

    figure = Figure(figsize=(2, 1))
    figure.subplots().plot([0, 1], [0, 1])
    report = Report("Picks <of> two", "What was found.")
    report.add_section("Picks")
    report.add_key_figures({"F1": "0.93"})
    report.add_figure(figure, "A line")
    report.add_table(
        [["TS_01", 42, 0.123456, 7e-16], ["TS_02", 0, float("nan"), None]],
        columns=["tomogram", "picks", "score", "turn"],
    )
    return report.write(tmp_path / "report.html").read_text(encoding="utf-8")


def test_page_fetches_nothing_from_outside(page):
    links = _Links()
    links.feed(page)
    assert not links.open
    assert links.fetched
    assert all(link.startswith(("data:", "#")) for link in links.fetched)


def test_figure_is_a_png_inside_the_page(page):
    image = re.search(r'src="data:image/png;base64,([^"]+)"', page).group(1)
    assert base64.b64decode(image).startswith(b"\x89PNG")


def test_text_is_escaped_and_numbers_are_flush_right(page):
    assert "Picks &lt;of&gt; two" in page
    assert '<td class="number">42</td>' in page
    assert '<td class="number">0.1235</td>' in page
    assert "<td>TS_01</td>" in page
    assert '<td class="number">0</td>' in page


def test_what_is_not_known_is_a_dash(page):
    assert page.count('<td class="number">–</td>') == 2
    assert "nan" not in page.split("<table")[1]
    assert "None" not in page


def test_options_in_captions_are_not_broken(tmp_path):
    from matplotlib.figure import Figure

    report = Report("Options")
    report.add_figure(Figure(figsize=(1, 1)), "1 < 8 Å (--guinier-from) and")
    text = report.write(tmp_path / "report.html").read_text(encoding="utf-8")
    whole = '1 &lt; 8 Å (<span class="option">--guinier-from</span>) and</figcaption>'
    assert whole in text
    assert ".option { white-space: nowrap; }" in text


def test_nothing_is_left_beside_the_page(tmp_path):
    Report("Empty").write(tmp_path / "report.html")
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]
    (tmp_path / "folder.html").mkdir()
    with pytest.raises(IsADirectoryError):
        Report("Empty").write(tmp_path / "folder.html")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder.html", "report.html"]
