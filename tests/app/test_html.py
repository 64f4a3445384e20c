"""The page: complete, self-contained, escaped, readable in both modes; the public one gives nothing internal away."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from semblance.app import words
from semblance.app.card import card
from semblance.app.html import HERE, render
from semblance.core.estimate import Estimate
from semblance.core.report import Finding, Report
from tests.app.rich import EDGE, MERGED, TERM, TINY, estimate

VOID = {"meta", "br", "img", "link", "hr", "input"}
Decided = Callable[..., Report]


class Page(HTMLParser):
    """Checks that tags nest, and gathers tags, attributes and text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.labelled: list[str] = []
        self.words: list[str] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self._gather(tag, attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self._gather(tag, attrs)

    def _gather(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        self.attributes += list(told.items())
        self.elements.append((tag, told))
        if tag == "input" and "label" in self.open:
            self.labelled.append(told["id"])

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] != "style":
            self.words.append(data)

    def inside_label(self, name: str) -> bool:
        return name in self.labelled

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


@pytest.mark.parametrize("public", [False, True])
def test_the_page_parses_and_contains_every_finding(report: Report, decided: Decided, public: bool) -> None:
    page = Page(render(decided(report), public=public))
    for finding in report.findings:
        assert finding.title in page.text and finding.metric in page.text
    assert "CONTROLLED" in page.text and page.tags.count("h1") == 1


@pytest.mark.parametrize("public", [False, True])
def test_nothing_is_loaded_and_nothing_runs(report: Report, decided: Decided, public: bool) -> None:
    text = render(decided(report), public=public)
    page = Page(text)
    assert not {"script", "link", "img", "iframe", "object", "embed", "base"} & set(page.tags)
    assert not [a for a in page.attributes if a[0] in ("src", "srcset") or a[0].startswith("on")]
    assert all(value.startswith("#") for name, value in page.attributes if name == "href")
    assert "url(" not in text and "@import" not in text and "http" not in text


@pytest.mark.parametrize("public", [False, True])
def test_names_are_escaped_everywhere(report: Report, decided: Decided, public: bool) -> None:
    text = render(decided(report), public=public)
    assert "<script" not in text and "&lt;script&gt;" in text
    crashed = Finding("validity.x", "<b onclick=x>", "validity", status="error", reason="<i>Error</i>")
    text = render(decided(replace(report, findings=(*report.findings, crashed))), public=public)
    assert "<b onclick" not in text and "<i>" not in text


def test_the_rules_that_were_declared_stand_beside_impossible_records(report: Report) -> None:
    rules = ["'age' as declared", "admitted <= discharged"]
    told = {"estimate": Estimate(0.1, 0.05, 0.2), "detail": {"declared_rules": rules}}
    finding = Finding("validity.constraints", "Impossible records", "fidelity", **told)
    text = " ".join(Page(render(replace(report, findings=(finding,)), public=False)).words)
    assert "Rules that were declared: 'age' as declared; admitted <= discharged" in " ".join(text.split())


def test_a_control_and_a_floor_that_are_something_else_are_called_what_they_are(report: Report) -> None:
    """Classical augmentation is not real against real, and a mean image no naive generator."""
    named = {"control_is": "classical augmentation", "floor_is": "the mean image"}
    numbers = {"estimate": estimate(0.3), "control": estimate(0.25), "floor": estimate(0.125)}
    own = Report((Finding("utility.gain", "Gain", "utility", **numbers, **named),), {"floor": "each pixel alone"})
    text = render(own, public=False)
    assert "0.250 [0.246, 0.254] classical augmentation 0.125 [0.121, 0.129] the mean image" in Page(text).text
    assert "classical augmentation 0.250; the mean image 0.125" in text  # in the picture
    assert "Independent columns" not in text and "each pixel alone" in Page(text).text
    assert "0.250 (classical augmentation) | 0.125 (the mean image)" in card(own)


def test_a_number_that_certifies_nothing_is_on_the_page_and_no_failure(report: Report, decided: Decided) -> None:
    unknown = replace(report["privacy.copies"], status="insufficient", reason="nobody knows whose they are")
    text = render(decided(replace(report, findings=(unknown,))), public=False)
    row = text[text.index('<tr class="is-insufficient">') :].partition("</tr>")[0]
    assert "</svg>Insufficient</span>" in row and "Failed" not in row
    assert f"<b>{words.number(unknown.estimate.value)}</b>" in row  # type: ignore[union-attr]


def test_columns_that_were_not_learned_stand_only_where_there_are_some(report: Report) -> None:
    assert "Columns that were not learned" in render(report, public=False)
    assert "Columns that were not learned" not in render(Report((), {}), public=False)


def test_the_internal_page_says_so(report: Report, decided: Decided) -> None:
    page = Page(render(decided(report), public=False))
    assert "Internal: do not share" in page.text
    for word in ("6,291", "4711", "hospital number", "0.013", "12 categories"):
        assert word in page.text


def test_the_public_page_gives_nothing_internal_away(report: Report, decided: Decided) -> None:
    text = render(decided(report), public=True)
    for word in (
        "6,291",
        "6291",
        "1,573",
        "4711",
        "hospital number",
        "<b>0.013</b>",
        "0.0114",
        "12 categories",
        "do not share",
    ):
        assert word not in text
    page = Page(text)
    for word in ("Public version", "6,300 learned from", "Counts are rounded", "stay inside"):
        assert word in page.text


@pytest.mark.parametrize(
    ("value", "asked", "verdict", "said"),
    [
        (0.0126, "controlled", "CONTROLLED", "which is granted"),
        (0.0126, "public", "CONTROLLED", "which is not granted"),
        (0.15, "controlled", "REFUSED", "Use inside the institution meets its requirements"),
        (0.9, "controlled", "REFUSED", "Not even internal use"),
    ],
)
def test_the_verdict_stands_first_with_its_reasons(
    report: Report, decided: Decided, value: float, asked: str, verdict: str, said: str
) -> None:
    worse = replace(report["privacy.membership"], estimate=Estimate(value, value - 0.01, value + 0.01, n=1573))
    findings = tuple(worse if f.metric == worse.metric else f for f in report.findings)
    judged = decided(replace(report, findings=findings), asked=asked)
    page = Page(render(judged, public=False))
    assert verdict in page.text and said in page.text
    assert judged.decision is not None
    assert words.against(judged.decision) in page.text
    for reason in judged.decision["reasons"]:
        assert reason in page.text


def test_a_release_has_no_reasons(report: Report, decided: Decided) -> None:
    def sure(f: Finding) -> Finding:
        e = f.estimate
        return f if e is None else replace(f, estimate=Estimate(e.value, e.value - 0.001, e.value + 0.001, n=9000))

    page = Page(render(decided(replace(report, findings=tuple(map(sure, report.findings)))), public=False))
    assert "RELEASE" in page.text and "Every requirement of the public profile is met" in page.text


def test_an_undecided_and_an_empty_report_are_pages_too(report: Report, decided: Decided) -> None:
    assert "UNDECIDED" in Page(render(report, public=False)).text
    empty = Page(render(decided(Report((), {})), public=False))
    assert "REFUSED" in empty.text and "the records were made elsewhere" in empty.text
    Page(render(decided(Report((), {})), public=True))


def test_what_is_missing_dims_its_section(report: Report, decided: Decided) -> None:
    fewer = replace(report, findings=tuple(f for f in report.findings if f.section != "utility"))
    page = Page(render(decided(fewer), public=False))
    assert "Gap: not measured, and the policy requires it" in page.text


@pytest.mark.parametrize("public", [False, True])
def test_a_full_judgement_is_a_page_with_every_part(full: Report, public: bool) -> None:
    page = Page(render(full, public=public))
    for finding in full.findings:
        assert finding.title in page.text and finding.metric in page.text
    parts = ["attacks", "secrets", "groups", "survival", "features", "projections", "pairs", "columns", "policy"]
    ids = {value for name, value in page.attributes if name == "id"}
    assert set(parts) <= ids and ("models" in ids) is not public
    assert "sex = F (3,2" in page.text


@pytest.mark.parametrize("public", [False, True])
def test_the_first_page_holds_what_a_board_asks(full: Report, public: bool) -> None:
    first = Page(render(full, public=public)).text.partition("Every finding By section")[0]
    places = [first.index(f"{title} {question}") for title, question in (words.SECTIONS[n] for n in words.LIGHTS)]
    assert places == sorted(places)
    for said in ("no formal guarantee", "cccccccccccc", "Meant for", "Not allowed", "What was not tested"):
        assert said in first
    assert "real against real" in first and "public ≤ 0.05" in first and "[0.0" in first
    assert ("SHA-256 of the real records" in first) is not public


@pytest.mark.parametrize("public", [False, True])
def test_the_page_can_be_read_without_eyes(full: Report, public: bool) -> None:
    page = Page(render(full, public=public))
    for tag, attributes in page.elements:
        if tag == "svg":
            assert attributes.get("aria-hidden") == "true" or (
                attributes.get("role") == "img" and attributes.get("aria-label")
            )
        if tag == "th":
            assert attributes.get("scope") in ("col", "row")
        if tag == "input":
            assert page.inside_label(attributes["id"])
        if attributes.get("role") == "region":
            assert attributes.get("aria-label") and attributes.get("tabindex") == "0"
    levels = [int(tag[1]) for tag in page.tags if tag in ("h1", "h2", "h3", "h4")]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(b <= a + 1 for a, b in itertools.pairwise(levels))


def test_ids_are_unique_and_links_lead_somewhere(full: Report) -> None:
    page = Page(render(full, public=False))
    ids = [value for name, value in page.attributes if name == "id"]
    assert len(ids) == len(set(ids))
    assert {value[1:] for name, value in page.attributes if name == "href"} <= set(ids)


def test_findings_without_a_rule_are_folded_and_the_worst_stands_first(full: Report) -> None:
    text = render(full, public=False)
    assert re.search(r'<details class="context"><summary>\d+ findings without a rule', text)
    table = text.partition('id="findings-privacy"')[2].partition('id="findings-utility"')[0]
    assert table.index("privacy.inference") < table.index("privacy.linkability")
    assert table.index("<details") < table.index("privacy.dcr")


def test_what_is_planted_never_stands_on_the_public_page(full: Report) -> None:
    text = render(full, public=True)
    for secret in (TINY, MERGED, TERM, str(EDGE), "98.7", "3147", "aaaaaaaaaaaa", "made.csv", "KeyError", "0.0345"):
        assert secret not in text
    inside = render(full, public=False)
    assert all(secret in inside for secret in (TINY, MERGED, TERM, "3,147", "aaaaaaaaaaaa", "made.csv"))


def colours(mode: str) -> dict[str, str]:
    css = (HERE / "report.css").read_text()
    blocks = re.findall(r":root \{(.*?)\}", css, flags=re.S)
    block = blocks[{"light": 0, "dark": 1, "print": 2}[mode]]
    found = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{3,6})", block))
    return {
        name: value if len(value) == 7 else "#" + "".join(2 * c for c in value[1:]) for name, value in found.items()
    }


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a: str, b: str) -> float:
    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("mode", ["light", "dark", "print"])
def test_contrast_is_enough_in_every_mode(mode: str) -> None:
    c = colours(mode)
    text = [(ink, ground) for ink in ("ink", "soft", "blue", "amber", "red") for ground in ("paper", "card")]
    text += [
        ("blue", "blue-soft"),
        ("amber", "amber-soft"),
        ("red", "red-soft"),
        ("ink", "blue-soft"),
        ("paper", "ink"),
    ]
    assert [pair for pair in text if contrast(c[pair[0]], c[pair[1]]) < 4.5] == []
    graphics = [("made", "paper"), ("made", "real"), ("dot", "blue-soft"), ("dot", "amber-soft"), ("soft", "blue-soft")]
    assert [pair for pair in graphics if contrast(c[pair[0]], c[pair[1]]) < (2.5 if pair[1] == "real" else 3)] == []


def test_every_colour_exists_in_both_modes() -> None:
    css = (HERE / "report.css").read_text()
    used = set(re.findall(r"var\(--([\w-]+)\)", css)) - {"serif", "sans", "mono"}
    assert used == set(colours("light")) == set(colours("dark")) == set(colours("print"))
    assert "prefers-color-scheme: dark" in css and "@media print" in css
