"""Attacks on the generator of a private run, refitted on simulated patients: before it measures, and whenever asked."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from semblance.core.errors import PrivacyError, UsageError
from semblance.core.modality import Modality, load

if TYPE_CHECKING:
    from semblance.privacy.audit import Audit

TRIALS = 500
"""Refits with the planted patient, and without, where nobody says how many: of what is counted."""
FIRST, FEW, MOST = 40, 20, 640
"""The same before a run measures, and of a network: the first of these, doubled up to the last, that can refute."""
BEYOND, SURE = 1.25, 0.999
"""Times the claim that an attack which is never wrong shows, and the confidence, before a run measures."""
Watched = Callable[[int, int], None]


def attacked(
    manifest: Modality,
    spec: Any,
    *,
    epsilon: float,
    delta: float,
    plan: Mapping[str, Any],
    public: int | None,
    trials: int | None,
    confidence: float,
    seed: int = 0,
    watch: Watched | None = None,
) -> Audit:
    """What attacks find of a generator with a budget of (epsilon, delta). A network is trained by `plan`, as if one of
    `public` patients was there. Raises UsageError where no patients of such records are simulated."""
    if manifest.audit is None:
        raise UsageError.of(
            f"records of modality '{manifest.name}'",
            rule="an audit simulates patients, and for these records none are simulated yet",
            fix="judge it by what its ledger holds, in public/GUARANTEE.md",
        )
    ran = None
    if plan:
        from semblance.learn.white_box import Ran

        ran = Ran(plan, public)
    if trials is None:
        trials = enough(FEW, epsilon=epsilon, delta=delta, confidence=confidence) if plan else TRIALS
    how: dict[str, Any] = {"trials": trials, "confidence": confidence, "seed": seed, "watch": watch, "ran": ran}
    found: Audit = load(manifest.audit)(spec, epsilon=epsilon, delta=delta, **how)
    return found


def enough(least: int, *, epsilon: float, delta: float, confidence: float) -> int:
    """How many refits a side can refute a claim of epsilon: `least` or twice as many and so on, MOST where none can."""
    from semblance.privacy.audit import reach

    trials = least
    while trials < MOST and reach(trials, delta=delta, confidence=confidence) < BEYOND * epsilon:
        trials *= 2
    return min(trials, MOST)


def first(manifest: Modality, spec: Any, *, plan: Mapping[str, Any], watch: Watched, **how: Any) -> dict[str, Any]:
    """The attacks before a run measures, and what a page may say of them: nothing of it comes from a real patient.

    Raises PrivacyError where one refutes what would be claimed.
    """
    budget = {key: how[key] for key in ("epsilon", "delta")}
    trials = enough(FEW if plan else FIRST, confidence=SURE, **budget)
    found = attacked(manifest, spec, plan=plan, trials=trials, confidence=SURE, watch=watch, **how)
    refuse_refuted(found)
    return told(found)


def told(found: Audit) -> dict[str, Any]:
    """What a page may say of an audit."""
    return {
        "epsilon": found.highest,
        "confidence": found.confidence,
        "trials": found.trials,
        "reach": found.reach,
    }


def refuse_refuted(found: Audit) -> None:
    """Raise PrivacyError, before the generator measures anything, where an attack refutes what is claimed."""
    if not found.holds:
        raise PrivacyError.of(
            f"an attack on simulated patients finds an epsilon of at least {found.highest:.3g}"
            f" (confidence {found.confidence:.1%})",
            rule=f"epsilon {found.epsilon:g} at delta {found.delta:.3g} would be claimed; the generator has measured"
            " nothing yet",
            fix=f"try once more: chance alone does this once in {1 / (1 - found.confidence):,.0f} times; if it happens"
            " again, the mechanism is broken here: use it for no private records, and report it",
        )


def audited(run: Path, *, trials: int | None, confidence: float, seed: int, watch: Watched) -> Audit:
    """Attacks on the generator of a finished run, refitted at its recorded settings on simulated patients.

    Raises UsageError for a folder that is no private run, PrivacyError where what leaves claims what was not paid for.
    """
    from semblance.app import config
    from semblance.catalog import modality

    kept = config.read(run / "config.toml")
    synth = kept.get("synth", {})
    manifest = modality(str(synth.get("modality", "table")))
    if synth.get("epsilon") is None:
        raise UsageError.of(
            f"'{run.name}' claims no guarantee",
            rule="an audit tries to refute the epsilon of a run",
            fix="give the folder of a run with --epsilon; what other runs leak is measured by the report's attacks",
        )
    spec = manifest.generator(str(synth["model"]))(**kept.get("generator", {}))
    budget = {"epsilon": float(synth["epsilon"]), "delta": float(synth["delta"])}
    claim, schema = (json.loads((run / "public" / f"{name}.json").read_text()) for name in ("guarantee", "schema"))
    if not 0 < claim["epsilon"] <= budget["epsilon"] or claim["delta"] != budget["delta"]:
        raise PrivacyError.of(
            f"what leaves claims epsilon {claim['epsilon']:g} at delta {claim['delta']:g}",
            rule=f"the run had a budget of epsilon {budget['epsilon']:g} at delta {budget['delta']:g}",
            fix="do not publish this run",
        )
    how: dict[str, Any] = {"trials": trials, "confidence": confidence, "seed": seed, "watch": watch, **budget}
    found = attacked(manifest, spec, plan=kept.get("plan", {}), public=schema.get("n_public"), **how)
    return replace(found, epsilon=claim["epsilon"])


def audit_screen(found: Audit) -> RenderableType:
    """What the attacks found, beside the claim."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    rows = (
        ("error rates at one threshold, no assumption", found.free),
        (f"whole curve of {found.trials} runs a side, Gaussian noise", found.gaussian),
        ("one run with many planted patients", found.one_run),
    )
    for said, bound in rows:
        table.add_row(f"  {said}", Text(f"{bound:.3f}", "" if bound <= found.epsilon else "bold red"))
    head = (
        Text("no attack refutes the claim", "bold green") if found.holds else Text("the claim is refuted", "bold red")
    )
    claim = f"epsilon {found.epsilon:g} at delta {found.delta:.3g} is claimed; it is at least, with confidence "
    weak = (
        f"so few refits show {found.reach:.2f} at most, whatever leaks: more --trials are needed to refute this claim\n"
    )
    parts: list[RenderableType] = [Text(), head, Text(f"{claim}{found.confidence:.1%}:"), Text(), table, Text()]
    return Group(*parts, *([Text(weak, "yellow")] if found.reach <= found.epsilon else []))
