"""The page, the Markdown and the files of a report."""

import json
import re
from base64 import b64decode, b64encode
from hashlib import sha256
from urllib.parse import unquote

import pytest

from ser.commands.report import main
from tests.made_up.html_page import Page
from tests.made_up.results import make_result


@pytest.fixture(scope="module")
def page(report):
    return Page((report / "index.html").read_text(encoding="utf-8"))


def test_the_page_is_whole_and_loads_nothing(report, page):
    text = (report / "index.html").read_text(encoding="utf-8")
    assert text.startswith("<!DOCTYPE html>")
    assert not re.search(r"@import|url\(|<iframe|https?://| on[a-z]+=", text)
    assert len(page.ids) == len(set(page.ids))
    anchors = {link for link in page.links if link.startswith("#")}
    assert {link.removeprefix("#") for link in anchors} <= set(page.ids), "links of the contents have targets"
    files = {unquote(link) for link in page.links} - anchors
    assert all((report / file).is_file() for file in files)
    assert all(where.startswith("data:") for where in {*page.loaded} - {*page.links})
    for image in page.images:
        assert len(image["alt"]) > 20
        assert b64decode(image["src"].removeprefix("data:image/png;base64,")).startswith(b"\x89PNG")


def test_every_file_of_a_report_is_linked(report, page):
    assert {path.name for path in report.iterdir()} - {"index.html"} == {
        unquote(link) for link in page.links[1:] if link[0] != "#"
    }


def test_the_browser_runs_the_pages_own_script_only(page):
    assert page.scripts.keys() == {"about", ""}
    digest = b64encode(sha256(page.scripts[""].encode()).digest()).decode()
    assert f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{digest}'" == page.policy


def test_the_page_says_of_which_results_and_by_which_command(report, page):
    about = json.loads((report / "report.json").read_text(encoding="utf-8"))
    embedded = json.loads(page.scripts["about"])
    assert embedded == {name: about[name] for name in embedded}
    assert {"results", "command"} <= embedded.keys()


def test_every_table_is_a_file_and_every_figure_too(report, page):
    assert {path.stem for path in report.glob("*.csv")} == set(page.tables)
    assert len(list(report.glob("*.png"))) == len(page.images)
    markdown = (report / "tables.md").read_text(encoding="utf-8")
    for path in report.glob("*.png"):
        assert f"]({path.name})" in markdown
    assert {"index.html", "tables.md", "report.json"} <= {path.name for path in report.iterdir()}


def test_markdown_and_page_hold_the_same_cells(report, page):
    markdown = (report / "tables.md").read_text(encoding="utf-8").replace("\\", "")
    rows = {tuple(cell.strip() for cell in line.strip("|").split("|")) for line in markdown.splitlines() if "|" in line}
    for name, table in page.tables.items():
        heads = 2 if any(row and row[0] == "" for row in table[:1]) else 1
        for row in table[heads:]:
            cells = [cell.replace("\N{NO-BREAK SPACE}", " ") for cell in row]
            assert tuple(cells) in rows or tuple(cell.removesuffix(" %") for cell in cells) in rows, name


def test_one_result_is_enough_and_says_what_it_printed(tmp_path, capsys):
    result = make_result(tmp_path / "seqcap", "CNNSeqCap", folds=[1, 2])
    assert main([str(result), "--out", str(tmp_path / "new" / "report")]) == 0
    printed = capsys.readouterr().out
    assert "of 1 result: CNN_SeqCap, WA " in printed
    assert str(tmp_path / "new" / "report" / "index.html") in printed
    assert not (tmp_path / "new" / "report" / "comparisons.csv").exists()
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["report"], "nothing half-written is left"
    assert main([str(result), "--out", str(tmp_path / "new" / "report")]) == 0, "an earlier report can be replaced"


def test_names_cannot_break_the_page(tmp_path):
    folder = make_result(tmp_path / "<b>&amp; |x_y", "CNNSeqCap", folds=[1, 2])
    other = make_result(tmp_path / "seqcap", "CNNSeqCap", folds=[1, 2], random=2)
    assert main([str(folder), str(other), "--out", str(tmp_path / "report")]) == 0
    text = (tmp_path / "report" / "index.html").read_text(encoding="utf-8")
    assert "<b>" not in text
    cells = [cell for row in Page(text).tables["table1"] for cell in row]
    assert "CNN_SeqCap (<b>&amp; |x_y)" in cells
    markdown = (tmp_path / "report" / "tables.md").read_text(encoding="utf-8")
    assert "<b>" not in re.sub(r"```.*?```", "", markdown, flags=re.S).replace("\\<", "")
    assert (tmp_path / "report" / "table2-b-amp-x_y.csv").exists()


def test_help(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["--help"])
    assert stop.value.code == 0
    assert "ser report runs/seqcap runs/reccap" in capsys.readouterr().out


def test_wide_figures_say_on_a_small_screen_without_script_that_they_go_on(report):
    text = (report / "index.html").read_text(encoding="utf-8")
    figure = re.search(r'<figure id="figure-scores">.*?</figure>', text, flags=re.S)[0]
    assert figure.index("scroll it sideways") < figure.index("<img"), "the hint comes before the figure"
    assert 'class="note sideways likely"' in figure
    style = re.search(r"<style>(.*?)</style>", text, flags=re.S)[1]
    assert ".sideways { display: none;" in style.split("@media")[0]
    small = next(part for part in style.split("@media") if part.startswith(" (max-width: 40rem)"))
    assert "html:not(.scripted) .sideways.likely { display: block; }" in small


def test_no_number_is_parted_from_its_unit(report):
    text = re.sub(r"<(pre|script)\b.*?</\1>", "", (report / "index.html").read_text(encoding="utf-8"), flags=re.S)
    shown = re.sub(r"<style>.*?</style>|<[^>]*>", "\n", text, flags=re.S)
    assert re.search(r"95\N{NO-BREAK SPACE}% interval", shown)
    assert not re.findall(r".{20} %", shown)
    assert not re.findall(r"\d points?\b", shown)
