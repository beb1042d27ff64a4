"""The page: well formed, self-contained, safe to open whatever the policies are called."""

import html
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from adjudge.core.finding import Finding, Severity
from adjudge.reports import svg_matrix
from adjudge.reports.digest import FEW, grouped
from adjudge.reports.page import MOST_ROWS, embedded, page
from adjudge.reports.pairs import Matrix
from adjudge.reports.story import Findings, Forest, ForestRow, Story
from reports import stories

VOID = {"wbr", "meta", "link", "br", "hr", "img", "input", "!doctype"}
EVERY = [stories.ordinary, stories.lonely, stories.empty_handed, stories.hostile, lambda: stories.many(41)]


class Outline(HTMLParser):
    """Tags that are open, addresses that would be loaded, ids, and the text."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.loads: list[str] = []
        self.links: list[str] = []
        self.ids: list[str] = []
        self.refers: list[str] = []
        self.handlers: list[str] = []
        self.scripts = 0
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)
        self.scripts += tag == "script"
        for key, value in attrs:
            text = value or ""
            if key == "href" and tag == "a":
                self.links.append(text)
            elif key in ("src", "href", "srcset", "data", "action", "poster", "xlink:href"):
                self.loads.append(text)
            if key == "id":
                self.ids.append(text)
            if key in ("aria-labelledby", "aria-describedby"):
                self.refers += text.split()
            if key.startswith("on"):
                self.handlers.append(key)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not {"script", "style"} & set(self.open):
            self.text.append(data)


def outline(text: str) -> Outline:
    parser = Outline()
    parser.feed(text)
    parser.close()
    return parser


@pytest.mark.parametrize("tell", EVERY)
def test_every_tag_is_closed_and_every_reference_leads_somewhere(tell) -> None:
    seen = outline(page(tell()))
    assert seen.open == []
    assert len(seen.ids) == len(set(seen.ids))
    assert set(seen.refers) <= set(seen.ids)
    assert {link[1:] for link in seen.links if link.startswith("#")} <= set(seen.ids)


@pytest.mark.parametrize("tell", EVERY)
def test_the_page_loads_nothing_from_anywhere(tell) -> None:
    text = page(tell())
    seen = outline(text)
    assert seen.loads == []
    assert not re.search(r"url\(|@import|fetch\(|XMLHttpRequest|<link|<img|<iframe", text)
    assert all(re.match(r"#|https?://", link) for link in seen.links)


def test_names_are_shown_and_never_run() -> None:
    text = page(stories.hostile())
    seen = outline(text)
    assert seen.scripts == 1  # the page's own
    assert seen.handlers == []
    assert stories.HOSTILE not in text
    assert html.escape(stories.HOSTILE, quote=False) in text.replace("&#34;", '"')
    assert "".join(seen.text).count(stories.HOSTILE) > 20
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "javascript:" not in text


def test_a_page_of_1000_policies_stays_small_and_says_what_it_leaves_out() -> None:
    k = 1009
    rows = tuple(ForestRow(f"p{i}", i / k, 0.01, i / k - 0.02, i / k + 0.02) for i in range(k))
    square = np.zeros((k, k))
    block = Matrix(tuple(row.policy for row in rows), square, square, square, square + 1)
    findings = tuple(Finding("x", Severity.WARNING, f"p{i} is doubtful.", subject=(f"p{i}",)) for i in range(k))
    text = page(Story("t", "v", (Forest(rows), block, Findings(findings))))
    assert len(text.encode()) < 3_000_000
    assert f"The first {MOST_ROWS} of 1,009 rows" in text
    assert f"The first {svg_matrix.MOST} of 1,009 names" in text
    assert f"and {k - FEW:,} more of".replace(",", "") in text.replace(",", "")
    outline(text)


def test_the_page_says_what_the_story_says() -> None:
    said = " ".join("".join(outline(page(stories.ordinary())).text).split()).replace("\xa0", " ")
    for expected in (
        "clone leads, but two others cannot be told apart from it",
        "One severe finding: The judge overrates unhelpful",
        "0.770",
        "0.741 to 0.797",
        "1–3",
        "52 %",
        "480 of 1,000",
        "not verified",
        "+0.628",
        "± 0.031",
        "found −0.57",
        "threshold 0.05",
        "Label 20 or more of its rows.",
        ["seed", "7"][1],
        "adjudge evaluate ratings.parquet --judge judge_score",
        "Angelopoulos, Bates, Fannjiang, et al. (2023). Prediction-powered inference. Science 382, Algorithm 1.",
        "0.791",
    ):
        assert expected in said


def test_rows_come_best_first_and_what_is_not_estimable_last() -> None:
    text = page(stories.empty_handed())
    names = re.findall(r'<span class="name">(\w)</span>', text)
    assert names == ["b", "a", "c"]
    assert text.count("not estimable</td>") == 2
    assert "nan" not in "".join(outline(text).text).lower()


@pytest.mark.parametrize("tell", EVERY)
def test_no_number_is_drawn_that_is_not_one(tell) -> None:
    assert not re.search(r'"[^"]*\b(nan|inf)\b[%"\s]', page(tell()))


def test_alike_findings_are_folded_and_none_is_lost() -> None:
    alike = [Finding("a", Severity.INFO, str(i)) for i in range(11)]
    other = [Finding("b", Severity.INFO, str(i)) for i in range(FEW + 1)]
    groups = list(grouped([alike[0], other[0], *alike[1:], *other[1:]]))
    assert [(len(said), len(folded)) for said, folded in groups] == [(FEW, 11 - FEW), (FEW + 1, 0)]
    assert [finding for said, folded in groups for finding in said + folded] == alike + other


def test_in_a_notebook_the_page_stays_in_its_own_frame() -> None:
    seen = outline(embedded(stories.hostile()))
    assert seen.open == []
    assert seen.scripts == 0
    frame = re.search(r'srcdoc="([^"]*)"', embedded(stories.ordinary()))
    assert frame
    assert html.unescape(frame[1]) == page(stories.ordinary())


def test_contrast_of_text_is_readable_in_both_themes() -> None:
    """WCAG 2.2, success criterion 1.4.3: 4.5 to 1 for text."""
    style = page(stories.lonely()).split("<style>")[1].split("</style>")[0]
    light, dark = re.findall(r"--paper: (#\w{6}); --ink: (#\w{6}); --soft: (#\w{6});", style)[:2]
    accents = re.findall(r"--accent: (#\w{6});", style)[:2]
    gold = re.findall(r"--gold: (#\w{6}); --severe: (#\w{6});", style)[:2]
    tints = re.findall(r"--better: (#\w{6}); --worse: (#\w{6});", style)[:2]
    for theme, accent, marks, backs in zip((light, dark), accents, gold, tints, strict=True):
        paper, ink, soft = theme
        for colour in (ink, soft, accent, *marks):
            assert contrast(colour, paper) >= 4.5
        for back in backs:
            assert contrast(ink, back) >= 4.5
            assert contrast(soft, back) >= 4.5


def contrast(one: str, other: str) -> float:
    bright, dim = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


def luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
