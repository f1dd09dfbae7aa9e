"""A report's page in a browser: as wide as the window, no broken image, no console message."""

import html
import json
import re
import shutil
import subprocess

import pytest

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
WRAPPER = """<!DOCTYPE html><html><body style="margin:0">
<iframe id="page" src="index.html" width="{width}" height="3000" style="border:0"></iframe>
<pre id="found"></pre>
<script>
document.getElementById("page").onload = function () {{
  const inside = this.contentDocument.documentElement;
  const wide = [...inside.querySelectorAll("body *")].filter(
    (each) => !each.closest(".scroll, pre") && each.getBoundingClientRect().right > {width} + 0.5);
  document.getElementById("found").textContent = JSON.stringify({{
    window: this.contentWindow.innerWidth, page: inside.scrollWidth,
    wide: wide.map((each) => each.outerHTML.slice(0, 80)),
    broken: [...this.contentDocument.images].filter((each) => !each.naturalWidth).length}});
}};
</script></body></html>"""


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on the PATH")
@pytest.mark.parametrize("width", [1280, 400])
def test_in_a_browser(report, tmp_path, width):
    # The window of a headless browser is at least 500 pixels wide; an iframe can be narrower.
    shutil.copy(report / "index.html", tmp_path)
    (tmp_path / "wrapper.html").write_text(WRAPPER.format(width=width), encoding="utf-8")
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--enable-logging=stderr"]
    options += ["--allow-file-access-from-files", "--virtual-time-budget=10000", "--window-size=1400,1000"]
    options += [f"--user-data-dir={tmp_path / 'profile'}"]
    command = [CHROMIUM, *options, "--dump-dom", (tmp_path / "wrapper.html").as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert "CONSOLE" not in done.stderr, done.stderr
    found = json.loads(html.unescape(re.search(r'<pre id="found">(.*?)</pre>', done.stdout, flags=re.S)[1]))
    assert found == {"window": width, "page": width, "wide": [], "broken": 0}
