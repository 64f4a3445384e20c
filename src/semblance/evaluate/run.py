"""Runs every judge of a modality over one Evidence and gathers their findings into a Report."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

import numpy as np

from semblance.core.dataset import Evidence, patients_known
from semblance.core.errors import ResourceError
from semblance.core.judge import Attack, AttackScores, Metric, owed, patients
from semblance.core.modality import load
from semblance.core.report import Finding, Report, Status, section_of, spelt
from semblance.evaluate import suites
from semblance.evaluate.attacks.ends import ends
from semblance.evaluate.attacks.scores import METRICS as MEMBERSHIP
from semblance.evaluate.attacks.scores import findings as from_scores

RARE = 11

Watch = Callable[[str], None]
Judge = Callable[[Evidence[Any]], Iterable[Finding]]


def evaluate(
    evidence: Evidence[Any], *, about: Mapping[str, Any] = MappingProxyType({}), watch: Watch | None = None
) -> Report:
    """Every finding about `evidence.synthetic`; `watch` hears the name of each judge before it starts.

    A judge that crashes becomes findings with status "error" under the names that it owes, with the kind and the place
    of the error and never its text, which might hold a value. An interrupt is passed on.
    """
    heard = watch if watch is not None else lambda name: None
    findings: list[Finding] = []
    for name in suites.metrics(evidence.modality):
        heard(name)
        findings += _measured(name, evidence)
    findings += _attacked(suites.attacks(evidence.modality), evidence, heard)
    if not patients_known(evidence.train):
        findings = [_of_records(finding) for finding in findings]
    return Report(tuple(findings), {**_subject(evidence), **about})


def _measured(name: str, evidence: Evidence[Any]) -> tuple[Finding, ...]:
    metric = cast(Metric, load(name))
    owes = owed(metric, name=name)
    if not evidence.unseen and all(one.startswith("privacy.") for one in owes):
        return tuple(_unheld(one) for one in owes)
    try:
        return tuple(metric(evidence))
    except ResourceError:
        raise
    except Exception as error:
        return tuple(_crashed(one, name, error) for one in owes)


def _attacked(names: tuple[str, ...], evidence: Evidence[Any], heard: Watch) -> tuple[Finding, ...]:
    """The membership findings: the attacks score the same patients, and the best of them counts."""
    if not evidence.unseen:
        return tuple(_unheld(one) for one in MEMBERSHIP)
    scores: list[AttackScores] = []
    for name in names:
        heard(name)
        try:
            scores.append(cast(Attack, load(name))(evidence))
        except ResourceError:
            raise
        except Exception as error:
            return tuple(_crashed(one, name, error) for one in MEMBERSHIP)
    return _between(from_scores(scores, seed=evidence.seed), evidence) if scores else ()


def _between(found: tuple[Finding, ...], evidence: Evidence[Any]) -> tuple[Finding, ...]:
    """The best attack's advantage between its two ends: on independent columns, and on train handed out."""
    first, *others = found
    if first.status != "measured":
        return found
    reached = ends(evidence)
    handed = {"handed": reached["train"].plain()} if "train" in reached else {}
    return replace(first, floor=reached.get("floor"), detail={**first.detail, **handed}), *others


def _unheld(metric: str) -> Finding:
    """Without patients that the generator never saw, no leak can be told from a likeness."""
    reason = "no holdout was given: nobody knows how alike patients are whom the generator never saw"
    return _unmeasured(metric, "insufficient", reason)


def _of_records(finding: Finding) -> Finding:
    """A finding of privacy certifies nothing where nobody knows whose the records are; its number stays to be seen."""
    if finding.section != "privacy" or finding.status != "measured":
        return finding
    reason = "nobody knows which records are of one patient: the number holds for single records only"
    return replace(finding, status="insufficient", reason=reason)


def _crashed(metric: str, name: str, error: Exception) -> Finding:
    return _unmeasured(metric, "error", crash(error, name))


def crash(error: Exception, name: str) -> str:
    """The kind and the place of an error of what has this name ('module:attr'), never its text, which might hold a
    value."""
    return f"{type(error).__name__} in {name.rpartition(':')[2]} ({_place(error)})"


def _unmeasured(metric: str, status: Status, reason: str) -> Finding:
    return Finding(metric, spelt(metric), section_of(metric), status=status, reason=reason)


def _place(error: Exception) -> str:
    """The file and line of ours that the error came through last."""
    place, step = "unknown place", error.__traceback__
    while step is not None:
        path = Path(step.tb_frame.f_code.co_filename)
        if "semblance" in path.parts:
            place = f"{path.name}:{step.tb_lineno}"
        step = step.tb_next
    return place


def _subject(evidence: Evidence[Any]) -> dict[str, Any]:
    parts = {"train": evidence.train, "holdout": evidence.holdout, "synthetic": evidence.synthetic}
    target = evidence.train.schema.where("target")
    return {
        "rows": {name: len(part) for name, part in parts.items()},
        "patients": _patients(evidence),
        "columns": _columns(evidence),
        "target": None if target is None else target.name,
        "floor": evidence.modality.generator(evidence.modality.floor).card.summary,
        "readable": evidence.modality.readable,
        "untested": dict(evidence.modality.untested),
        "tier": evidence.tier,
        "seed": evidence.seed,
        **_pictures(evidence),
    }


def _patients(evidence: Evidence[Any]) -> dict[str, int]:
    """How many patients each real part has; nothing where nobody knows whose the records are."""
    real = {"train": evidence.train, "holdout": evidence.holdout}
    return {name: patients(part.subjects) for name, part in real.items()} if patients_known(evidence.train) else {}


def _pictures(evidence: Evidence[Any]) -> dict[str, Any]:
    """What the modality has to show, and what could not be shown. A crash costs the pictures, never the report."""
    lost = list(evidence.failed.values())
    shown = dict[str, Any]()
    try:
        if evidence.modality.pictures is not None:
            shown = {"pictures": load(evidence.modality.pictures)(evidence)}
    except ResourceError:
        raise
    except Exception as error:
        lost.append(f"{type(error).__name__} while pictures were made ({_place(error)})")
    return {**shown, "unseen": "; ".join(lost)} if lost else shown


def _columns(evidence: Evidence[Any]) -> list[dict[str, Any]]:
    """Every column with the share of train records that miss it; None where fewer than 11 patients do, or unknown."""
    known = evidence.features("train")
    missing = {
        name: _share(gone, evidence.train.subjects) for name, gone in zip(known.names, np.isnan(known.x).T, strict=True)
    }
    return [
        {"name": c.name, "kind": c.kind, "role": c.role, "missing": missing.get(c.name)} for c in evidence.train.schema
    ]


def _share(gone: np.ndarray, subjects: np.ndarray) -> float | None:
    if 0 < patients(subjects[gone]) < RARE:
        return None
    return round(float(gone.mean()), 4) if len(gone) else None
