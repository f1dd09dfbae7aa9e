"""Pages in a browser: no wider than the window, no console message; tables sort, filter and show that they scroll."""

import html
import json
import re
import shutil
import subprocess

import pytest

from ser.commands.compare import main
from ser.report.page.blocks import Matrices, Matrix, Section, Table
from ser.report.page.rendering import html_page
from ser.report.page.values import Column
from tests.made_up.runs import make_run
from tests.unit.test_pages import PAGES, SPEAKERS

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
WRAPPER = """<!DOCTYPE html><html><body style="margin:0">
<iframe id="page" src="index.html" width="{width}" height="3000" style="border:0"></iframe>
<pre id="found"></pre>
<script>
document.getElementById("page").onload = function () {{
  const inside = this.contentDocument;
  const width = this.contentWindow.innerWidth;
  setTimeout(() => document.getElementById("found").textContent = JSON.stringify(({look})(inside, width)), 500);
}};
</script></body></html>"""
LAYOUT = """(inside, width) => ({
  window: width, page: inside.documentElement.scrollWidth,
  wide: [...inside.querySelectorAll("body *")].filter((each) => !each.closest(".scroll, pre")
    && each.getBoundingClientRect().right > width + 0.5).map((each) => each.outerHTML.slice(0, 80)),
  broken: [...inside.images].filter((each) => !each.naturalWidth).length,
  unsaid: [...inside.querySelectorAll(".scroll")].filter((each) => (each.scrollWidth > each.clientWidth + 1)
    !== (each.parentElement.previousElementSibling.clientHeight > 0)).length})"""
SORTING = """(inside) => {
  const rows = () => [...inside.querySelectorAll("tbody tr:not([hidden]) th")].map((each) => each.textContent);
  const found = {given: rows()};
  const [name, score] = [...inside.querySelectorAll("thead button")];
  const sorted = (button) => { button.click(); return rows(); };
  found.score = [sorted(score), sorted(score), sorted(score)];
  found.name = [sorted(name), sorted(score) && sorted(name)];
  found.labels = [...inside.querySelectorAll("thead th")].map((each) => each.getAttribute("aria-sort"));
  const box = inside.querySelector("input");
  const typed = (text) => { box.value = text; box.dispatchEvent(new Event("input")); return rows(); };
  found.percent = typed("50.00 %");
  found.shown = [typed("RUN 1"), inside.querySelector("output").textContent];
  return found;
}"""
CHOOSING = """(inside) => {
  const shown = (selector) => [...inside.querySelectorAll(selector)].filter((each) => each.getClientRects().length);
  const kinds = ["#table-runs tbody tr", ".curves g[data-row]", ".key li", ".matrix"];
  const count = () => kinds.map((each) => shown(each).length);
  const search = inside.querySelector("input[type=search]"), found = [count()];
  const type = (text) => { search.value = text; search.dispatchEvent(new Event("input")); found.push(count()); };
  const [all, none] = inside.querySelectorAll(".curves .filter button");
  inside.querySelector("#table-runs thead tr:last-child button").click();
  inside.querySelector("#table-runs thead tr:last-child button").click();
  type("0.3");
  found.push(shown(".key li").map((each) => each.textContent.trim()));
  none.click();
  type("");
  all.click();
  found.push(count());
  inside.querySelector(".key input").click();
  found.push(count());
  return found;
}"""
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on the PATH")


def look(folder, width, question):
    """The answer of a function of JavaScript to a page; console messages fail."""
    # The window of a headless browser is at least 500 pixels wide; an iframe can be narrower.
    (folder / "wrapper.html").write_text(WRAPPER.format(width=width, look=question), encoding="utf-8")
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--enable-logging=stderr"]
    options += ["--allow-file-access-from-files", "--virtual-time-budget=10000", "--window-size=2000,1000"]
    options += [f"--user-data-dir={folder / 'profile'}"]
    command = [CHROMIUM, *options, "--dump-dom", (folder / "wrapper.html").as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert "CONSOLE" not in done.stderr, done.stderr
    return json.loads(html.unescape(re.search(r'<pre id="found">(.*?)</pre>', done.stdout, flags=re.S)[1]))


@pytest.mark.parametrize("width", [1920, 1280, 400])
def test_in_a_browser(report, tmp_path, width):
    shutil.copy(report / "index.html", tmp_path)
    assert look(tmp_path, width, LAYOUT) == {"window": width, "page": width, "wide": [], "broken": 0, "unsaid": 0}


@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize("write", PAGES.values(), ids=PAGES)
def test_a_page_with_strange_names(write, tmp_path, monkeypatch, width):
    monkeypatch.setattr("tests.made_up.results.PAIRS", SPEAKERS)
    folder, _ = write(tmp_path)
    assert look(folder, width, LAYOUT) == {"window": width, "page": width, "wide": [], "broken": 0, "unsaid": 0}


def test_tables_sort_by_numbers_and_by_names_and_filter(tmp_path):
    """Numbers by value, names by their numbers; no value is last, the summary stays, a third click restores."""
    rows = [["run 10", 0.5], ["run 9", None], ["run 1", 0.09], ["run 2", 1.0], ["all", 0.4]]
    table = Table("t", "T", [Column("name"), Column("WA %", "percent")], rows, summary_rows=1, filter=True)
    (tmp_path / "index.html").write_text(html_page("T", "", [Section("s", "S", [table])]), encoding="utf-8")
    found = look(tmp_path, 800, SORTING)
    given = ["run 10", "run 9", "run 1", "run 2", "all"]
    assert found["given"] == given
    up, down = ["run 1", "run 10", "run 2", "run 9", "all"], ["run 2", "run 10", "run 1", "run 9", "all"]
    assert found["score"] == [up, down, given]
    assert found["name"] == [["run 1", "run 2", "run 9", "run 10", "all"]] * 2
    assert found["labels"] == ["ascending", None]
    assert found["percent"] == ["run 10"]  # the page has a no-break space there
    assert found["shown"] == [["run 1", "run 10"], "2 of 5 rows"]


def test_matrices_of_many_emotions_scroll_on_a_small_screen(tmp_path):
    emotions = ["emotion with a long name", *(f"emotion {number}" for number in range(11))]
    matrix = Matrix(0, "run", "test", emotions, [[100 // 12] * 12] * 12)
    (tmp_path / "index.html").write_text(
        html_page("T", "", [Section("s", "S", [Matrices([matrix])])]), encoding="utf-8"
    )
    found = look(tmp_path, 400, LAYOUT)
    assert found == {"window": 400, "page": 400, "wide": [], "broken": 0, "unsaid": 0}


def test_the_filter_of_runs_hides_their_curves_and_matrices_too(tmp_path):
    """Rows, lines (two for each run), entries of the key and matrices that are shown, after each step."""
    for number in (1, 2, 3):
        make_run(tmp_path / "runs" / f"run-{number}", dropout=number / 10, random=number)
    assert main([str(tmp_path / "runs"), "--out", str(tmp_path / "compare")]) == 0
    assert look(tmp_path / "compare", 1280, CHOOSING) == [
        [3, 6, 3, 3],
        [1, 2, 1, 1],
        ["\u25b2 run-3"],
        [3, 4, 3, 3],  # the line that was shown is hidden
        [3, 6, 3, 3],
        [3, 4, 3, 3],
    ]
