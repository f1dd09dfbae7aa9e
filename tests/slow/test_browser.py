"""Pages in a browser: as wide as the window, no broken image, no console message; what the script does."""

import html
import json
import re
import shutil
import subprocess

import pytest

from ser.commands.compare import main
from tests.made_up.runs import make_run

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on the PATH")
WRAPPER = """<!DOCTYPE html><html><body style="margin:0">
<iframe id="page" src="index.html" width="{width}" height="3000" style="border:0"></iframe>
<pre id="found"></pre>
<script>
document.getElementById("page").onload = function () {{
  const page = this.contentDocument, inside = page.documentElement;
  {script}
}};
function tell(found) {{ document.getElementById("found").textContent = JSON.stringify(found); }}
</script></body></html>"""
SIZES = """
  const wide = [...inside.querySelectorAll("body *")].filter(
    (each) => !each.closest(".scroll, pre") && each.getBoundingClientRect().right > WIDTH + 0.5);
  tell({window: this.contentWindow.innerWidth, page: inside.scrollWidth,
    wide: wide.map((each) => each.outerHTML.slice(0, 80)),
    broken: [...page.images].filter((each) => !each.naturalWidth).length});
"""
CHOICES = """
  const shown = (selector) => [...page.querySelectorAll(selector)].filter((each) => each.getClientRects().length);
  const kinds = ["#table-runs tbody tr", ".curves g[data-row]", ".key li", ".matrix"];
  const count = () => kinds.map((each) => shown(each).length);
  const search = page.querySelector("input[type=search]"), found = [count()];
  const type = (text) => { search.value = text; search.dispatchEvent(new Event("input")); found.push(count()); };
  const [all, none] = page.querySelectorAll(".curves .filter button");
  page.querySelector("#table-runs thead tr:last-child button").click();
  page.querySelector("#table-runs thead tr:last-child button").click();
  type("0.3");
  found.push(shown(".key li").map((each) => each.textContent.trim()));
  none.click();
  type("");
  all.click();
  found.push(count());
  page.querySelector(".key input").click();
  found.push(count());
  tell(found);
"""


@pytest.fixture(scope="session")
def compared(made_once):
    """The page of `ser compare` of three runs."""

    def make(place):
        for number in (1, 2, 3):
            make_run(place / "runs" / f"a_rather_long_name-{number}", dropout=number / 10, random=number)
        assert main([str(place / "runs"), "--out", str(place / "compare")]) == 0

    return made_once("compared", make) / "compare"


def in_browser(folder, place, width, script):
    """What a script tells of a page in a frame of this width, and that there is no message in the console."""
    # The window of a headless browser is at least 500 pixels wide; an iframe can be narrower.
    shutil.copy(folder / "index.html", place)
    (place / "wrapper.html").write_text(WRAPPER.format(width=width, script=script), encoding="utf-8")
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--enable-logging=stderr"]
    options += ["--allow-file-access-from-files", "--virtual-time-budget=10000", "--window-size=1400,1000"]
    options += [f"--user-data-dir={place / 'profile'}"]
    command = [CHROMIUM, *options, "--dump-dom", (place / "wrapper.html").as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert "CONSOLE" not in done.stderr, done.stderr
    return json.loads(html.unescape(re.search(r'<pre id="found">(.*?)</pre>', done.stdout, flags=re.S)[1]))


@pytest.mark.parametrize("page", ["report", "compared"])
@pytest.mark.parametrize("width", [1280, 400])
def test_in_a_browser(page, request, tmp_path, width):
    found = in_browser(request.getfixturevalue(page), tmp_path, width, SIZES.replace("WIDTH", str(width)))
    assert found == {"window": width, "page": width, "wide": [], "broken": 0}


def test_the_filter_of_runs_hides_their_curves_and_matrices_too(compared, tmp_path):
    """Rows, lines (two per run), entries of the key and matrices that are shown, after each step."""
    assert in_browser(compared, tmp_path, 1280, CHOICES) == [
        [3, 6, 3, 3],
        [1, 2, 1, 1],
        ["\u25b2 a_rather_long_name-3"],
        [3, 4, 3, 3],  # the line that was shown is hidden
        [3, 6, 3, 3],
        [3, 4, 3, 3],
    ]
