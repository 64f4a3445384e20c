"""The bundle: a run folder whose every byte is named by a manifest and vouched for by a signature.

`manifest.json` lists every file but itself and `attestation.json`, whose signed statement covers the manifest and each
file. The same works for a part of the run: seal `run/public` first, then `run`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from semblance.core.errors import DataError, Problem, SignatureError, UsageError
from semblance.core.files import sha256_of, write_bytes, write_json
from semblance.release.sign import Signer, opened, statement

MANIFEST, ATTESTATION = "manifest.json", "attestation.json"
_RULE = "a bundle is exactly what was signed"
_FIX = "get the bundle again from who made it; do not use this one"


@dataclass(frozen=True)
class Verification:
    """What a check of a bundle found: its status, the signer's fingerprint, and how many files were checked."""

    status: str
    fingerprint: str
    files: int
    predicate: Mapping[str, Any]

    @property
    def meaning(self) -> str:
        """The status in plain words."""
        if self.status == "intact, signer trusted":
            return "Every file is what the holder of the trusted key signed."
        return (
            "No file was changed since it was signed, but anybody can make a key: this proves integrity, not origin. "
            "Ask the maker for the key's fingerprint and verify again with --key."
        )


def seal(run: Path, *, predicate: Mapping[str, Any], signer: Signer | None = None) -> None:
    """Write the manifest and the attestation of a run folder. `predicate` is what the signer says about it.

    Raises SignatureError for a link or a special file in the folder, and DataError if there is no file.
    """
    signer = Signer.load() if signer is None else signer
    write_manifest(run)
    said = statement({**_hashes(run / MANIFEST), MANIFEST: sha256_of(run / MANIFEST)}, predicate=predicate)
    write_bytes(run / ATTESTATION, signer.envelope(said))


def write_manifest(run: Path) -> None:
    """Write `manifest.json`: the SHA-256 and size in bytes of every other file, sorted by name."""
    for leftover in (MANIFEST, ATTESTATION):
        (run / f".{leftover}.part").unlink(missing_ok=True)  # of a run that was killed while it signed
    paths, problems = _walk(run)
    if problems:
        raise SignatureError(*problems)
    if not paths:
        raise DataError.of(f"no file in '{run.name}'", rule="a bundle holds files", fix="name the folder of a run")
    files = {name: {"sha256": sha256_of(path), "size": path.stat().st_size} for name, path in sorted(paths.items())}
    write_json(run / MANIFEST, {"version": 1, "files": files})


def verify(run: Path, trusted: str | None = None) -> Verification:
    """Check every byte of a bundle, offline. `trusted` is the fingerprint of the key that must have signed it.

    Raises SignatureError that names every damaged, missing and extra file, and UsageError where `run` is no bundle.
    """
    wanted = None if trusted is None else _fingerprint(trusted)
    if not (run / ATTESTATION).exists() and not (run / MANIFEST).exists():
        rule, fix = f"a bundle holds {MANIFEST} and {ATTESTATION}", "name the folder of a finished run"
        raise UsageError.of(f"'{run.name}' is no bundle", rule=rule, fix=fix)
    said, signer, problems = _attested(run)
    problems += _compared(run, said)
    if wanted is not None and signer is not None and signer != wanted:
        rule = f"the trusted key is {wanted}"
        problems.append(Problem(f"signed by another key, {signer}", rule, "ask the maker which key is right"))
    if problems or signer is None or said is None:
        raise SignatureError(*problems)
    status = "intact, signer trusted" if wanted is not None else "intact, signer not trusted"
    return Verification(status, signer, len(said["subject"]) + 1, said["predicate"])


def _attested(run: Path) -> tuple[dict[str, Any] | None, str | None, list[Problem]]:
    if (run / ATTESTATION).is_symlink() or not (run / ATTESTATION).is_file():
        return None, None, [_problem(ATTESTATION, "missing")]
    try:
        said, signer = opened((run / ATTESTATION).read_bytes())
    except SignatureError as error:
        return None, None, list(error.problems)
    return said, signer, []


def _compared(run: Path, said: Mapping[str, Any] | None) -> list[Problem]:
    """What differs from the statement; where that is damaged, from the manifest, so that one still learns what."""
    paths, problems = _walk(run)
    manifest = run / MANIFEST
    if manifest.is_file() and not manifest.is_symlink():
        paths[MANIFEST] = manifest
    try:
        expected = _hashes(manifest) if said is None else _subjects(said)
    except SignatureError as error:
        return [*problems, *error.problems]
    if said is None:
        paths.pop(MANIFEST, None)  # only the statement knows its hash
    problems += [*_unsafe(expected), *_differences(paths, expected)]
    return problems if problems or said is None else _disagreeing(_hashes(manifest), expected)


def _differences(paths: Mapping[str, Path], expected: Mapping[str, str]) -> Iterator[Problem]:
    for name in sorted(expected.keys() | paths.keys()):
        if name not in paths:
            yield _problem(name, "missing")
        elif name not in expected:
            yield _problem(name, "extra: nobody signed it")
        elif sha256_of(paths[name]) != expected[name]:
            yield _problem(name, "damaged")


def _disagreeing(listed: Mapping[str, str], expected: Mapping[str, str]) -> list[Problem]:
    signed = {name: sha for name, sha in expected.items() if name != MANIFEST}
    return [] if signed == listed else [_problem(MANIFEST, "does not list what was signed")]


def _walk(run: Path) -> tuple[dict[str, Path], list[Problem]]:
    """Every regular file but the manifest and the attestation, by its name in the bundle; links are problems."""
    paths, problems = {}, []
    for path in sorted(run.rglob("*")):
        name = path.relative_to(run).as_posix()
        if path.is_symlink() or not (path.is_file() or path.is_dir()):
            problems.append(_problem(name, "a link or a special file"))
        elif path.is_file() and name not in (MANIFEST, ATTESTATION):
            paths[name] = path
    return paths, problems


def _hashes(manifest: Path) -> dict[str, str]:
    """The hashes that a manifest lists; none where there is no manifest."""
    if manifest.is_symlink() or not manifest.is_file():
        return {}
    try:
        return {name: str(entry["sha256"]) for name, entry in json.loads(manifest.read_bytes())["files"].items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise SignatureError(_problem(MANIFEST, "damaged")) from error


def _subjects(said: Mapping[str, Any]) -> dict[str, str]:
    try:
        return {entry["name"]: entry["digest"]["sha256"] for entry in said["subject"]}
    except (KeyError, TypeError) as error:
        raise SignatureError(_problem(ATTESTATION, "lists no files")) from error


def _unsafe(names: Mapping[str, str]) -> list[Problem]:
    """Names that lead out of the bundle. None is ever opened: files are found by walking, not by these names."""
    return [_problem(name, "leads out of the bundle") for name in names if not _inside(name)]


def _inside(name: str) -> bool:
    parts = name.split("/")
    plain = not any(part in ("", ".", "..") for part in parts) and not re.search(r"[\\\0]|^[A-Za-z]:", name)
    return plain and not PurePosixPath(name).is_absolute()


def _problem(name: str, what: str) -> Problem:
    return Problem(f"{name}: {what}", _RULE, _FIX)


def _fingerprint(text: str) -> str:
    plain = text.replace(":", "").replace(" ", "").lower()
    if not re.fullmatch(r"[0-9a-f]{64}", plain):
        rule = "a fingerprint has 64 hexadecimal digits"
        raise UsageError.of("the key is no fingerprint", rule=rule, fix="--key FINGERPRINT")
    return plain
