"""Numbers in a report, literally: in tables, in CSV and in Markdown."""

import re

import pytest

from ser.report.page.blocks import Section, Table
from ser.report.page.rendering import html_page
from ser.report.page.values import Column, Link, percent_interval, points_interval, probability

NAN = float("nan")
COLUMNS = [
    Column("name"),
    Column("n", "count"),
    Column("WA %", "percent"),
    Column("limits", "interval", "WA"),
    Column("change", "difference interval", "WA"),
    Column("p", "p"),
    Column("sad", "hits"),
    Column("cell", "count and percent"),
]
ROW = ["a_b|c", 12, 0.69858, (0.6712, 0.7249), (-0.0204, 0.0411), 0.0004321, (1, 3), (5, 0.125)]


def test_a_row_for_people():
    (row,) = Table("t", "T", COLUMNS, [ROW]).texts
    assert row == ["a_b|c", "12", "69.86", "67.1 to 72.5", "-2.0 to +4.1", "< 0.001", "33.3 % (1/3)", "5 (12.50 %)"]


def test_a_row_for_programs():
    assert Table("t", "T", COLUMNS, [ROW]).csv() == (
        "name,n,WA %,WA: limits low %,WA: limits high %,WA: change low points,WA: change high points,p,sad correct,"
        "sad of,cell count,cell %\n"
        "a_b|c,12,69.858,67.12,72.49,-2.04,4.11,0.0004321,1,3,5,12.5\n"
    )


def test_what_is_not_known_is_a_dash_or_words_on_the_page_and_nothing_in_a_column_of_numbers():
    rows = [["x", None, "cannot be told", (NAN, NAN), None, NAN, None, None]]
    table = Table("t", "T", COLUMNS, rows)
    assert table.texts == [["x", "-", "cannot be told", "not available", "-", "not available", "-", "-"]]
    assert table.csv().splitlines()[1] == "x" + 11 * ","
    page = html_page("T", "", [Section("s", "S", [table])])
    assert '<td class="number aside" data-value="">cannot be told</td>' in page
    assert page.count('aside"') == 1


def test_the_file_has_its_own_rows_where_the_page_shows_some():
    table = Table("t", "T", [Column("n", "count")], [[1]], csv_rows=[[1], [2]], summary_rows=1)
    assert (table.texts, table.csv()) == ([["1"]], "n\n1\n2\n")


def test_the_last_rows_sum_up():
    table = Table("t", "T", [Column("n", "count")], [[1], [2], [3]], summary_rows=2)
    body = html_page("T", "", [Section("s", "S", [table])]).split("<tbody>")[1]
    assert re.findall(r"<tr(.*)>\n<th.*>(.)</th>", body) == [
        ("", "1"),
        (' class="summary"', "2"),
        (' class="summary"', "3"),
    ]


def test_a_line_stands_where_a_group_of_columns_begins():
    columns = [Column("name"), Column("a", "count", "left"), Column("b", "count", "left"), Column("c", group="right")]
    page = html_page("T", "", [Section("s", "S", [Table("t", "T", columns, [["x", 1, 2, "y"]])])])
    assert re.findall(r'<th scope="col" class="(.*)">', page) == ["words", "number first", "number", "words first"]
    assert re.findall(r'<td class="(.*?)"', page) == ["number first", "number", "words first"]
    assert re.findall(r'<th scope="colgroup" colspan="(.)">(.*)</th>', page) == [("2", "left"), ("1", "right")]


def test_a_page_sorts_numbers_by_their_value_and_an_interval_by_its_low_end():
    page = html_page("T", "", [Section("s", "S", [Table("t", "T", COLUMNS, [ROW])])])
    numbers = ["12", "69.858", "67.12", "-2.04", "0.0004321", str(1 / 3), "5"]
    assert re.findall(r'data-value="(.*?)"', page) == numbers


def test_a_cell_of_links_leads_to_files_by_their_paths():
    links = [Link("a <b>", "runs/a #1/config.yaml"), Link("log", "javascript:alert(1)")]
    table = Table("t", "T", [Column("run"), Column("files", "links")], [["x", links], ["y", None]])
    page = html_page("T", "", [Section("s", "S", [table])])
    assert (
        '<a href="runs/a%20%231/config.yaml">a &lt;b&gt;</a>, <a href="javascript%3Aalert%281%29">log</a></td>' in page
    )
    assert table.texts == [["x", "a <b>, log"], ["y", "-"]]
    assert table.csv() == "run,files\nx,runs/a #1/config.yaml javascript:alert(1)\ny,\n"


def test_names_of_files_become_links():
    page = html_page("T", "", [Section("s", "S", ["best.yaml, not best.yaml.old, and a-trials.csv"])], ["best.yaml"])
    assert '<p><a href="best.yaml">best.yaml</a>, not best.yaml.old, and a-trials.csv</p>' in page


def test_markdown_takes_no_name_for_markup():
    table = Table("t", "T", [Column("name"), Column("n", "count", "a")], [["a_b|c", 1]], ["*"])
    assert table.markdown() == "**T**\n\n| name | a: n |\n|---|---:|\n| a\\_b\\|c | 1 |\n\n\\*"


@pytest.mark.parametrize(
    ("p", "text"), [(0.00099, "< 0.001"), (0.001, "0.0010"), (0.0625, "0.0625"), (0.0999, "0.0999"), (0.1, "0.100")]
)
def test_small_p_values_have_a_digit_more(p, text):
    assert probability(p) == text


def test_intervals_begin_with_the_lower_end():
    assert percent_interval((0.1, 0.9)) == "10.0 to 90.0"
    assert points_interval((-0.1, 0.05)) == "-10.0 to +5.0"
    assert percent_interval((NAN, 0.9)) == "not available"
