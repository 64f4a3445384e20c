"""The documentation is run: every python block and every semblance command, in order, in a folder with patients.csv.

Time budgets are shortened, nothing else is changed. A console block says in its first line where it ends otherwise than
with 0: ```console exit=4. Where noise that no seed repeats or the clock decides, there are several: exit=0,5.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests import warm

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
OTHERS = [*ROOT.glob("[CS]*.md"), ROOT / "bench" / "README.md"]
FENCE = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#]+)")


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, what stands behind that, and its text."""

    language: str
    info: str
    text: str

    @property
    def exit_codes(self) -> tuple[int, ...]:
        """What the last command of a console block may end with."""
        told = re.search(r"exit=([\d,]+)", self.info)
        return tuple(map(int, told[1].split(","))) if told else (0,)


def blocks(page: Path) -> list[Block]:
    """The blocks of a page that can be run."""
    found = [Block(*groups) for groups in FENCE.findall(page.read_text(encoding="utf-8"))]
    return [b for b in found if (b.language in ("python", "console") and "norun" not in b.info) or b.language == "toml"]


def quick(text: str) -> str:
    """The same with a time budget that suits a test."""
    return re.sub(r"time_budget=\d+", "time_budget=0.2", re.sub(r"--time-budget \w+", "--time-budget 1s", text))


def commands(text: str) -> list[list[str]]:
    """The semblance commands of a console block; lines that end in a backslash go on."""
    joined = text.replace("\\\n", " ")
    lines = [line[2:] for line in joined.splitlines() if line.startswith("$ semblance")]
    return [shlex.split(line, comments=True)[1:] for line in lines]


def run_python(texts: list[str], folder: Path) -> None:
    """Python blocks that follow each other, as one program: later ones see the names of earlier ones."""
    told = warm.run(["-c", "\n".join(texts)], cwd=folder, env=warm.environment())
    assert told.returncode == 0, told.stderr[-2000:]


def run_console(block: Block, folder: Path) -> None:
    """Every command of a block; the last ends with the code that the block states."""
    asked = commands(quick(block.text))
    for number, words in enumerate(asked):
        told = warm.run(["-m", "semblance", *words], cwd=folder, env=warm.environment())
        expected = block.exit_codes if number == len(asked) - 1 else (0,)
        assert told.returncode in expected, f"{words} ended with {told.returncode}\n{told.stderr[-2000:]}"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    warm.run([ROOT / "examples" / "patients.py"], cwd=tmp_path).check_returncode()
    return tmp_path


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_page_runs(page, folder):
    program: list[str] = []
    if any('"ecg"' in block.text for block in blocks(page)):
        warm.run([ROOT / "examples" / "ecg.py"], cwd=folder).check_returncode()
    if any("stays.vitals.csv" in block.text for block in blocks(page)):
        warm.run([ROOT / "examples" / "stays.py"], cwd=folder).check_returncode()
    if any("phantoms.npz" in block.text for block in blocks(page)):
        warm.run([ROOT / "examples" / "phantoms.py"], cwd=folder).check_returncode()
    for block in blocks(page):
        if block.language == "python":
            program.append(quick(block.text))
            continue
        run_python(program, folder)
        program = []
        if block.language == "console":
            run_console(block, folder)
        elif named := re.search(r"file=(\S+)", block.info):
            (folder / named[1]).write_text(block.text)
    run_python(program, folder)


@pytest.mark.parametrize("page", [*PAGES, *OTHERS], ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    dead = [link for link in LINK.findall(page.read_text(encoding="utf-8")) if not (page.parent / link).exists()]
    assert dead == []


def test_the_readme_lists_the_catalogue_and_the_exit_codes():
    from semblance import catalog
    from semblance.core.errors import SemblanceError

    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for name in catalog.MODALITIES:
        assert all(f"`{g}`" in text for g in catalog.modality(name).generators)
    for kind in SemblanceError.__subclasses__():
        assert re.search(rf"^\| {kind.exit_code} \|", text, re.MULTILINE), kind.__name__
