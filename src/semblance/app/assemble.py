"""What stands in a run folder: everything for those inside, and `public/`, the only part that is meant to leave."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from semblance.app import config
from semblance.core.files import write_json, write_text
from semblance.core.promise import Guarantee
from semblance.core.report import Report
from semblance.core.schema import Schema

INTERNAL = """INTERNAL

Only the folder public/ is meant to leave this institution, and only if it is there: the gate writes it when the
profile that was asked for is granted and the verdict is not REFUSED. Everything else in this folder (the report with
its details, the model, the configuration, the synthetic data of a refused run) stays with those who may see the
patients' records.
"""


PRIVATE = """INTERNAL

Only the folder public/ is meant to leave this institution. This run is differentially private, so public/ was written
whatever the gate decided: it holds no verdict, and no number that was measured on the records without noise. The report
in this folder holds both, as does everything else here, and stays with those who may see the patients' records. Whoever
decides by it whether to publish looks at the records, and that look is not covered by the guarantee.
"""


@dataclass(frozen=True)
class Promised:
    """What is public about a differentially private run, and the declared schema."""

    told: Mapping[str, Any]
    schema: Schema

    @property
    def guarantee(self) -> Guarantee:
        """The promise itself."""
        return Guarantee(**{field.name: self.told[field.name] for field in fields(Guarantee)})


@dataclass(frozen=True)
class Bundle:
    """What a run made: the decided report, the effective config, and (where it made them) the data and the model."""

    report: Report
    config: Mapping[str, Any]
    synthetic: Path | None = None
    model: Path | None = None
    promised: Promised | None = None


def assemble(bundle: Bundle, folder: Path) -> None:
    """Write and seal a run folder; whatever stood in `folder` from an interrupted attempt is removed first."""
    from semblance.release.bundle import seal

    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    _write_internal(bundle, folder)
    said = _predicate(bundle)
    if bundle.promised is not None:
        _write_promised(bundle, bundle.promised, folder / "public")
        kept = bundle.promised.guarantee.to_json()
        seal(folder / "public", predicate={"guarantee": kept, "versions": said["versions"]})
    elif leaves(bundle.report):
        _write_public(bundle, folder / "public")
        seal(folder / "public", predicate=said)
    seal(folder, predicate={**said, "finished": datetime.now(UTC).isoformat(timespec="seconds")})


def leaves(report: Report) -> bool:
    """Whether anything may leave: the asked profile is granted and the verdict is no refusal."""
    decision = report.decision or {}
    return decision.get("exit_code") == 0 and decision.get("verdict") in ("RELEASE", "CONTROLLED")


def _write_promised(bundle: Bundle, promised: Promised, folder: Path) -> None:
    """What leaves under a guarantee: the records, the declared schema, and the guarantee itself."""
    from semblance.app.exports.guarantee import guarantee_page

    assert bundle.synthetic is not None
    folder.mkdir()
    write_json(folder / "guarantee.json", dict(promised.told))
    write_json(folder / "schema.json", promised.schema.to_json())
    write_text(
        folder / "GUARANTEE.md", guarantee_page(promised.told, schema=promised.schema, file=bundle.synthetic.name)
    )
    _copied(bundle.synthetic, folder / bundle.synthetic.name)


def _write_internal(bundle: Bundle, folder: Path) -> None:
    write_text(folder / "INTERNAL.txt", INTERNAL if bundle.promised is None else PRIVATE)
    _write_documents(_full(bundle), folder, file=_data_name(bundle), public=False)
    config.write(folder / "config.toml", bundle.config)
    if bundle.synthetic is not None:
        _copied(bundle.synthetic, folder / bundle.synthetic.name, copy=_place)
    if bundle.model is not None:
        _copied(bundle.model, folder / "model", copy=_place)


def _write_public(bundle: Bundle, folder: Path) -> None:
    folder.mkdir()
    _write_documents(_full(bundle), folder, file=_data_name(bundle), public=True)
    if bundle.synthetic is not None:
        _copied(bundle.synthetic, folder / bundle.synthetic.name)


def _write_documents(report: Report, folder: Path, *, file: str, public: bool) -> None:
    """The report in all its forms; of the public ones each is made from the redacted report."""
    from semblance.app.card import card
    from semblance.app.exports.croissant import croissant
    from semblance.app.exports.datasheet import datasheet
    from semblance.app.exports.mapping import mapping
    from semblance.app.html import render
    from semblance.app.redact import redact

    told = redact(report) if public else report
    write_json(folder / "report.json", told.to_json())
    write_text(folder / "report.html", render(report, public=public))
    write_text(folder / "card.md", card(report, public=public))
    write_json(folder / "croissant.json", croissant(told, file=file))
    write_text(folder / "DATASHEET.md", datasheet(told))
    write_text(folder / "MAPPING.md", mapping(told))


def _full(bundle: Bundle) -> Report:
    """The report with what only the run knows: how to repeat it, and the SHA-256 of what it read."""
    from semblance.app.facts import origin

    return replace(bundle.report, subject={**bundle.report.subject, **origin(bundle.config)})


def _data_name(bundle: Bundle) -> str:
    """The name of the synthetic file; records that stand elsewhere keep only their suffix, for a name may tell much."""
    if bundle.synthetic is not None:
        return bundle.synthetic.name
    return "synthetic" + Path(str(bundle.config.get("evaluate", {}).get("synthetic", ""))).suffix.lower()


def _copied(source: Path, target: Path, *, copy: Callable[..., Any] = shutil.copyfile) -> None:
    """A file, or a folder of files."""
    if source.is_dir():
        shutil.copytree(source, target, copy_function=copy)
    else:
        copy(source, target)


def _place(source: str | Path, target: str | Path) -> None:
    """A hard link, which costs no space; a copy where the file system has none."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def _predicate(bundle: Bundle) -> dict[str, Any]:
    decision = bundle.report.decision or {}
    said = {key: decision.get(key) for key in ("verdict", "asked", "granted", "policy")}
    return {**said, "versions": dict(bundle.config.get("versions", {}))}
