"""A run under differential privacy: what leaves, what it rests on, and that the budget is spent but once."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from semblance.core.promise import rounded_up
from tests.journeys.cohort import Ran, semblance
from tests.journeys.test_resume import kill_in

PATIENTS, PUBLIC = 913, 800
SCHEMA = f"""
[cohort]
id = "clinic"
n_public = {PUBLIC}

[columns.pid]
role = "subject"

[columns.age]
kind = "integer"
min = 18
max = 99

[columns.crp]
kind = "numeric"
min = 0
max = 300

[columns.sex]
categories = ["F", "M"]

[columns.ward]
categories = ["cardiology", "oncology", "surgery"]

[columns.died]
role = "target"
categories = ["no", "yes"]
"""
CANARY = "Zebulonward"


def cohort_csv(path: Path) -> Path:
    """PATIENTS patients, one of them in a ward that nobody declared."""
    rng = np.random.default_rng(3)
    lines = ["pid,age,crp,sex,ward,died"]
    for i in range(PATIENTS):
        age = int(rng.integers(18, 100))
        died = "yes" if rng.random() < 1 / (1 + np.exp(-(age - 60) / 10)) else "no"
        ward = CANARY if i == 400 else ("cardiology", "oncology", "surgery")[int(rng.integers(3))]
        lines.append(f"P{i},{age},{rng.exponential(20):.1f},{'FM'[int(rng.integers(2))]},{ward},{died}")
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("private")
    cohort_csv(folder / "clinic.csv")
    (folder / "clinic.toml").write_text(SCHEMA)
    (folder / "fast.toml").write_text('[synth]\ntier = "fast"\nthreads = 1\n[generator]\nsteps = 300\n')
    return folder


WORDS = ("--schema", "clinic.toml", "--config", "fast.toml", "--ledger", "ledgers", "--yes")


@pytest.fixture(scope="module")
def ran(room: Path) -> Ran:
    return semblance("synth", "clinic.csv", "-o", "RUN", "--epsilon", "2", *WORDS, "--json", cwd=room)


@pytest.fixture(scope="module")
def promised(room: Path, ran: Ran) -> Any:
    return json.loads((room / "RUN" / "public" / "guarantee.json").read_text())


def test_what_leaves_is_records_their_schema_and_the_guarantee(room: Path, ran: Ran) -> None:
    assert ran.code in (0, 5, 6), ran.err
    files = {path.name for path in (room / "RUN" / "public").iterdir()}
    assert files == {
        "synthetic.csv", "schema.json", "guarantee.json", "GUARANTEE.md", "manifest.json", "attestation.json"
    }  # fmt: skip


def test_no_number_without_noise_leaves(room: Path, ran: Ran) -> None:
    report = json.loads((room / "RUN" / "report.json").read_text())
    assert report["findings"]  # those inside see all of it
    told = b"\0".join(p.read_bytes() for p in (room / "RUN" / "public").iterdir() if p.name != "synthetic.csv")
    private = [
        hashlib.sha256((room / "clinic.csv").read_bytes()).hexdigest(),
        f" {PATIENTS}",
        f'"{PATIENTS}',
        CANARY,
        "clinic.csv",
    ]
    private += [str(f["estimate"]["value"]) for f in report["findings"] if f["estimate"]]
    private += [report["decision"]["verdict"], *report["decision"]["reasons"]]
    assert [text for text in private if len(text) > 4 and text.encode() in told] == []
    records = (room / "RUN" / "public" / "synthetic.csv").read_text().splitlines()
    assert len(records) == PUBLIC + 1 and not any(CANARY in line for line in records)


def test_ledger_guarantee_and_report_say_the_same(room: Path, ran: Ran, promised: Any) -> None:
    lines = [json.loads(line) for line in (room / "ledgers" / "clinic.jsonl").read_text().splitlines()]
    assert promised["noise"] == [noise for line in lines for noise in line.get("noise", ())]
    assert 1.98 < promised["epsilon"] <= 2 == promised["budget"]["epsilon"] == lines[0]["epsilon"]
    assert promised["delta"] == pytest.approx(PUBLIC**-1.1) == lines[0]["delta"]
    said = json.loads((room / "RUN" / "report.json").read_text())["subject"]["guarantee"]
    assert f"{rounded_up(promised['epsilon']):g}" in said and "per patient" in said
    assert said in (room / "RUN" / "public" / "GUARANTEE.md").read_text()


def test_the_bound_of_the_attacks_is_the_same_wherever_it_stands(room: Path, ran: Ran, promised: Any) -> None:
    found = promised["audit"]
    assert 0 <= found["epsilon"] <= 2 and found["confidence"] == 0.999 and found["trials"] == 40 and found["reach"] > 2
    report = json.loads((room / "RUN" / "report.json").read_text())
    assert report["subject"]["audit"] == found
    for place in ("report.html", "public/GUARANTEE.md"):
        assert f"an epsilon of at least {found['epsilon']:.2f}" in (room / "RUN" / place).read_text()


def test_what_leaves_is_signed_without_a_verdict(room: Path, ran: Ran) -> None:
    checked = semblance("verify", "RUN/public", "--json", cwd=room)
    assert checked.code == 0
    assert set(checked.json["predicate"]) == {"guarantee", "versions"}
    assert checked.json["predicate"]["guarantee"]["epsilon"] <= 2


def test_what_was_measured_is_near_the_truth(promised: Any) -> None:
    assert promised["measured"]["records"] == pytest.approx(PATIENTS * 0.8, rel=0.2)


def test_a_second_run_on_the_same_patients_ends_before_it_reads_them(room: Path, ran: Ran) -> None:
    before = (room / "ledgers" / "clinic.jsonl").read_bytes()
    again = semblance("synth", "clinic.csv", "-o", "SECOND", "--epsilon", "2", *WORDS, "--json", cwd=room)
    assert again.code == 5 and "nothing is left of the budget of cohort 'clinic'" in again.out
    more = semblance("synth", "clinic.csv", "-o", "SECOND", "--epsilon", "3", *WORDS, "--json", cwd=room)
    assert more.code == 2 and "opened with epsilon 2" in more.out
    assert (room / "ledgers" / "clinic.jsonl").read_bytes() == before
    assert not list(room.glob("SECOND*"))


@pytest.mark.parametrize(("cohort", "told"), [("clinic-2", "are those of cohort 'clinic'"), ("Cli_nic", "punctuation")])
def test_one_file_does_not_spend_two_budgets(room: Path, ran: Ran, cohort: str, told: str) -> None:
    (room / "other.toml").write_text(SCHEMA.replace('"clinic"', f'"{cohort}"'))
    words = ("--schema", "other.toml", *WORDS[2:])
    ended = semblance("synth", "clinic.csv", "-o", "OTHER", "--epsilon", "2", *words, cwd=room)
    assert ended.code == 2 and told in " ".join(ended.err.replace("│", " ").split()), ended.err
    assert not (room / "ledgers" / f"{cohort}.jsonl").exists() and not list(room.glob("OTHER*"))


def test_the_audit_does_not_refute_it(room: Path, ran: Ran) -> None:
    audited = semblance("audit", "RUN", "--trials", "20", "--confidence", "0.9999", "--json", cwd=room)
    assert audited.code == 0 and audited.json["holds"] and 1.98 < audited.json["epsilon"] <= 2
    assert semblance("audit", "nowhere", cwd=room).code == 2


def test_the_first_screen_says_that_a_ledger_is_new(room: Path, ran: Ran) -> None:
    assert "cohort 'clinic': new ledger of epsilon 2 at delta" in ran.err


def test_a_local_run_is_paid_for_by_answers_and_can_be_audited(room: Path) -> None:
    asked = ("--model", "local", "--epsilon", "6", "--schema", "clinic.toml", "--config", "fast.toml", "--yes")
    ended = semblance("synth", "clinic.csv", "-o", "LOCAL", *asked, "--ledger", "locally", cwd=room)
    assert ended.code in (0, 5, 6), ended.err
    told = json.loads((room / "LOCAL" / "public" / "guarantee.json").read_text())
    assert told["noise"] == [{"kind": "answers", "epsilon": 6.0, "count": 1}] and 5.9 < told["epsilon"] <= 6
    assert told["measured"]["reports"] == PUBLIC
    assert "holds locally" in (room / "LOCAL" / "public" / "GUARANTEE.md").read_text()
    audited = semblance("audit", "LOCAL", "--trials", "20", "--confidence", "0.9999", "--json", cwd=room)
    assert audited.code == 0 and audited.json["holds"] and audited.json["gaussian"] == 0


@pytest.mark.parametrize(
    ("schema", "words", "told"),
    [
        ("", (), "no cohort is declared"),
        ('[cohort]\nid = "x"\n', (), "--rows"),
        (SCHEMA.replace("n_public = 800", ""), ("--rows", "10"), "--delta"),
        (SCHEMA.replace("n_public = 800", ""), ("--rows", "10", "--delta", "1e-6", "--model", "local"), "n_public"),
        (SCHEMA.replace("n_public = 800", ""), ("--rows", "10", "--delta", "1e-6", "--model", "vae"), "n_public"),
        (SCHEMA.replace("min = 0\n", ""), (), "no declared bounds"),
        (SCHEMA.replace('[columns.sex]\ncategories = ["F", "M"]\n', ""), (), "not declared"),
        (SCHEMA, ("--model", "mixture"), "--model pairwise"),
        (SCHEMA.replace('"clinic"', '"../clinic"'), (), "letters, digits"),
        (SCHEMA + '[[constraints]]\nkind = "dependency"\nparents = ["ward"]\nchild = "sex"\n', (), "rows = "),
    ],
)
def test_what_is_not_declared_ends_with_2_and_spends_nothing(
    tmp_path: Path, room: Path, schema: str, words: tuple[str, ...], told: str
) -> None:
    (tmp_path / "s.toml").write_text(schema)
    asked = ("--epsilon", "1", "--schema", "s.toml", "--ledger", "ledgers", "--yes", *words)
    ended = semblance("synth", room / "clinic.csv", "-o", "RUN", *asked, cwd=tmp_path)
    assert ended.code == 2 and told in " ".join(ended.err.replace("│", " ").split()), ended.err
    assert not list(tmp_path.glob("RUN*")) and not list((tmp_path / "ledgers").glob("*"))


# With a schema that is measured

LOOKED = """
[cohort]
id = "looked"
n_public = "measured"

[columns.pid]
role = "subject"

[columns.age]
kind = "integer"
min = "measured"
max = "measured"

[columns.crp]
min = 0
max = "measured"

[columns.sex]
categories = ["F", "M"]

[columns.ward]
categories = "measured"

[columns.died]
role = "target"
categories = ["no", "yes"]
"""
ASKED = ("--schema", "looked.toml", "--config", "fast.toml", "--ledger", "looking", "--yes", "--delta", "1e-4")


@pytest.fixture(scope="module")
def looked(room: Path) -> Ran:
    """A run that was killed when all was measured, and then resumed."""
    (room / "looked.toml").write_text(LOOKED)
    words = ["synth", str(room / "clinic.csv"), "-o", str(room / "LOOKED"), "--epsilon", "4"]
    words += [str(room / word) if word.endswith("toml") or word == "looking" else word for word in ASKED]
    kill_in("evaluate", words)
    return semblance(*words, "--resume", "--json", cwd=room)


def test_a_schema_is_measured_once_and_an_interrupted_run_goes_on_from_it(room: Path, looked: Ran) -> None:
    assert looked.code in (0, 5, 6), looked.err
    lines = [json.loads(line) for line in (room / "looking" / "looked.jsonl").read_text().splitlines()]
    assert [line["note"] for line in lines if "note" in line] == ["schema", "columns", "pairs"]
    schema = json.loads((room / "LOOKED" / "public" / "schema.json").read_text())
    known = {column["name"]: column for column in schema["columns"]}
    assert [known[name].get("bound") for name in ("age", "crp", "sex", "ward")] == [
        "measured", "measured", "declared", "measured"
    ]  # fmt: skip
    ages = [int(line.split(",")[1]) for line in (room / "clinic.csv").read_text().splitlines()[1:]]
    most = json.loads((room / "LOOKED" / "public" / "guarantee.json").read_text())["measured"]["bounds from"]
    assert sum(age < known["age"]["min"] for age in ages) <= most and known["crp"]["min"] == 0
    assert sum(age > known["age"]["max"] for age in ages) <= most < PATIENTS / 20
    assert known["ward"]["categories"] == ["cardiology", "oncology", "surgery", "(other)"]
    assert abs(schema["n_public"] - PATIENTS) < 100 and CANARY not in json.dumps(schema)
    records = (room / "LOOKED" / "public" / "synthetic.csv").read_text().splitlines()
    assert len(records) == schema["n_public"] + 1 and not any(CANARY in line for line in records)


def test_what_was_measured_is_said_wherever_the_guarantee_is(room: Path, looked: Ran) -> None:
    told = json.loads((room / "LOOKED" / "public" / "guarantee.json").read_text())
    assert 3.9 < told["epsilon"] <= 4 and told["noise"][1]["delta"] == pytest.approx(1e-5)
    page = (room / "LOOKED" / "public" / "GUARANTEE.md").read_text()
    assert "| ward | categorical | 4 categories, one of them for all others | measured |" in page
    assert "of which cells above a threshold (delta 1e-05)" in page
    notes = json.loads((room / "LOOKED" / "report.json").read_text())["subject"]["notes"]
    assert any("measured privately" in note and "'ward'" in note for note in notes)


@pytest.mark.parametrize(
    ("schema", "words", "told"),
    [
        (LOOKED, ("--epsilon", "1"), "delta is settled before anything is measured"),
        (LOOKED, (), "--epsilon"),
        (LOOKED.replace("min = 0\n", ""), ("--epsilon", "1", "--delta", "1e-4"), 'min = "measured"'),
        (LOOKED.replace('n_public = "measured"', "n_public = 90"), ("--epsilon", "1"), "about 90 patients"),
        (LOOKED.replace('n_public = "measured"', "n_public = 300"), ("--epsilon", "0.3"), "nothing would be left"),
    ],
)
def test_what_cannot_be_measured_ends_with_2_and_spends_nothing(
    tmp_path: Path, room: Path, schema: str, words: tuple[str, ...], told: str
) -> None:
    (tmp_path / "s.toml").write_text(schema)
    asked = ("--schema", "s.toml", "--ledger", "ledgers", "--yes", *words)
    ended = semblance("synth", room / "clinic.csv", "-o", "RUN", *asked, cwd=tmp_path)
    assert ended.code == 2 and told in " ".join(ended.err.replace("│", " ").split()), ended.err
    ledgers = [path.read_text() for path in (tmp_path / "ledgers").glob("*")]
    assert not list(tmp_path.glob("RUN*")) and not any("noise" in text for text in ledgers)
