"""The options of the command line: name, metavar, help, and the panel of --help in which each stands."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from semblance.catalog import MODALITIES

RUN, DATA, MODEL, PRIVACY, WORK = "The run", "The data", "The model", "Privacy and the gate", "How it works"
WANTED = "The records that are wanted"


def _flag(name: str, metavar: str | None, said: str, panel: str, *, default: str = "", short: str = "") -> Any:
    shown = f"{said} [dim]\\[default: {default}][/]" if default else said
    names = (name, short) if short else (name,)
    return typer.Option(*names, metavar=metavar, help=shown, rich_help_panel=panel, show_default=False)


Paths = Annotated[list[str], typer.Argument(metavar="PATH...", help="The input; FILE.zip::member chooses from a zip.")]
Output = Annotated[
    Path | None, _flag("--output", "RUN", "The run folder; must be new", RUN, default="after the input", short="-o")
]
Resume = Annotated[bool, _flag("--resume", None, "Take up an interrupted run: behind the line that began it.", RUN)]


def _json(told: str) -> Any:
    return _flag("--json", None, f"One JSON object on stdout: {told}.", RUN)


Json = Annotated[bool, _json("decision, headline, paths")]
AuditJson = Annotated[bool, _json("the lower bounds, the claim, and whether it holds")]
VerifyJson = Annotated[bool, _json("status, signer, files, and what was signed")]
CompareJson = Annotated[bool, _json("the runs side by side, and the page")]
ModelsJson = Annotated[bool, _json("the cards")]

Page = Annotated[
    Path | None,
    _flag("--output", "FILE", "The page; must be new", RUN, default="semblance-compare.html", short="-o"),
]
Anyway = Annotated[bool, _flag("--anyway", None, "Compare runs that differ in their data, with a warning.", RUN)]

KINDS = "|".join(("auto", *MODALITIES))
Modality = Annotated[str | None, _flag("--modality", KINDS, "What the input is", DATA, default="auto")]
Rows = Annotated[
    int | None,
    _flag("--rows", "N", "Synthetic records", DATA, default="as the input has; with --epsilon n_public"),
]
Subject = Annotated[str | None, _flag("--subject", "COL", "The column that names the patient.", DATA)]
Target = Annotated[str | None, _flag("--target", "COL", "The column that others shall predict.", DATA)]
Share = Annotated[
    float | None, _flag("--holdout", "SHARE", "Share of patients that the model never sees", DATA, default="0.2")
]
SchemaFile = Annotated[Path | None, _flag("--schema", "FILE.toml", "What you declare about the columns.", DATA)]
Train = Annotated[str, _flag("--train", "T", "Real records that the generator saw.", DATA)]
Holdout = Annotated[
    str | None, _flag("--holdout", "H", "Real records of other patients, which it never saw; privacy needs them.", DATA)
]
Synthetic = Annotated[str, _flag("--synthetic", "S", "What it made.", DATA)]
Further = Annotated[
    list[str] | None, _flag("--further", "S2", "A further synthetic set of the same generator; repeat for more.", DATA)
]

ModelName = Annotated[
    str | None, _flag("--model", "auto|NAME", "The generator; see `semblance models`", MODEL, default="auto")
]
TimeBudget = Annotated[
    str | None, _flag("--time-budget", "TIME", "Time for fitting: 60s, 5m, 1h", MODEL, default="60s")
]

Given = Annotated[
    list[str] | None, _flag("--given", "COL=WHAT", "A value, set or range: sex=F, age=60..80; repeat for more.", WANTED)
]
Quota = Annotated[
    list[str] | None, _flag("--quota", "COL=SHARES", "Exact shares: sex=F:.5,M:.5, or died=balanced.", WANTED)
]
Shift = Annotated[
    list[str] | None, _flag("--shift", "COL=BY", "Another mean or other odds: age=+10, smoker=yes:2.", WANTED)
]
FairOn = Annotated[
    list[str] | None, _flag("--fair-on", "COL", "Groups between which the target shall be fair.", WANTED)
]
Fairness = Annotated[str | None, _flag("--fairness", "parity|odds", "What fair means", WANTED, default="parity")]

Epsilon = Annotated[
    float | None, _flag("--epsilon", "E", "Differential privacy budget of the cohort; needs --schema.", PRIVACY)
]
Delta = Annotated[
    float | None,
    _flag("--delta", "D", "The delta that belongs to epsilon", PRIVACY, default="n_public to the power -1.1"),
]
Ledger = Annotated[
    str | None, _flag("--ledger", "DIR", "Where budgets of cohorts are kept", PRIVACY, default="the user's data folder")
]
HoldsRecords = Annotated[
    str | None,
    _flag("--holds-records", "yes|no", "Whether the generator keeps training records; public needs a no", PRIVACY),
]
ProfileName = Annotated[
    str | None,
    _flag("--profile", "public|controlled|internal", "Who shall read the result", PRIVACY, default="controlled"),
]
Yes = Annotated[
    bool, _flag("--yes", None, "Accept the plan for columns that may identify a patient.", PRIVACY, short="-y")
]

Seed = Annotated[int | None, _flag("--seed", "N", "Seed of every random draw", WORK, default="0")]
Device = Annotated[
    str | None,
    _flag(
        "--device",
        "auto|cpu|cuda",
        "Where a network learns and draws; diffusion, med_ddpm and paired_flow of images can use CUDA",
        WORK,
        default="auto",
    ),
]
Threads = Annotated[int | None, _flag("--threads", "N", "Equal bytes need equal threads", WORK, default="all cores")]
Tier = Annotated[
    str | None, _flag("--tier", "fast|standard|audit", "How hard the judges look", WORK, default="standard")
]
ConfigFile = Annotated[
    Path | None, _flag("--config", "FILE.toml", "Options from a file; RUN/config.toml repeats a run.", WORK)
]
Key = Annotated[
    str | None,
    typer.Option("--key", metavar="FINGERPRINT", help="The key that must have signed it.", show_default=False),
]
