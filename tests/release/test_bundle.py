"""Bundles: whatever is changed, verify names it."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from semblance.core.errors import DataError, SignatureError, UsageError
from semblance.core.files import sha256_of, write_bytes
from semblance.release.bundle import ATTESTATION, MANIFEST, Verification, seal, verify
from semblance.release.sign import Signer, statement

FILES = ("synthetic.csv", "report.json", "model/weights.safetensors", "public/synthetic.csv", "naïve name.txt")


@pytest.fixture
def signer() -> Signer:
    return Signer(Ed25519PrivateKey.from_private_bytes(bytes(range(32))))


@pytest.fixture
def run(tmp_path: Path, signer: Signer) -> Path:
    folder = tmp_path / "run"
    for name in FILES:
        write_bytes(folder / name, f"content of {name}".encode())
    seal(folder, predicate={"verdict": "CONTROLLED"}, signer=signer)
    return folder


def damage(run: Path) -> list[str]:
    with pytest.raises(SignatureError) as caught:
        verify(run)
    assert caught.value.exit_code == 8
    return [problem.found for problem in caught.value.problems]


def test_the_manifest_lists_every_file(run: Path) -> None:
    files = json.loads((run / MANIFEST).read_text())["files"]
    assert list(files) == sorted(FILES)
    content = b"content of report.json"
    assert files["report.json"] == {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}


def test_an_untouched_bundle_is_intact(run: Path, signer: Signer) -> None:
    unknown = verify(run)
    assert unknown == Verification("intact, signer not trusted", signer.fingerprint, 7, {"verdict": "CONTROLLED"})
    assert "integrity, not origin" in unknown.meaning
    assert verify(run, signer.fingerprint).status == "intact, signer trusted"
    assert verify(run, signer.fingerprint.upper()).status == "intact, signer trusted"


def test_another_key_is_refused(run: Path) -> None:
    with pytest.raises(SignatureError, match="another key"):
        verify(run, "0" * 64)
    with pytest.raises(UsageError, match="64 hexadecimal"):
        verify(run, "mykey")


@pytest.mark.parametrize("name", [*FILES, MANIFEST, ATTESTATION])
def test_a_flipped_byte_is_found_and_its_file_named(run: Path, name: str) -> None:
    original = (run / name).read_bytes()
    for position in {0, len(original) // 2, len(original) - 1}:
        bad = bytearray(original)
        bad[position] ^= 1
        (run / name).write_bytes(bytes(bad))
        found = damage(run)
        assert len(found) == 1 and found[0].startswith(name)


def test_everything_wrong_is_told_at_once(run: Path) -> None:
    (run / "synthetic.csv").write_text("other")
    (run / "report.json").unlink()
    (run / "public" / "more.txt").write_text("more")
    (run / "link").symlink_to("synthetic.csv")
    assert sorted(damage(run)) == [
        "link: a link or a special file",
        "public/more.txt: extra: nobody signed it",
        "report.json: missing",
        "synthetic.csv: damaged",
    ]


def test_a_damaged_attestation_does_not_hide_other_damage(run: Path) -> None:
    (run / ATTESTATION).write_text("{}")
    (run / "report.json").write_text("other")
    assert [line.partition(" ")[0] for line in damage(run)] == ["attestation.json", "report.json:"]


@pytest.mark.parametrize("name", [MANIFEST, ATTESTATION])
def test_a_missing_seal_is_found(run: Path, name: str) -> None:
    (run / name).unlink()
    assert damage(run) == [f"{name}: missing"]


def test_a_folder_without_seals_is_no_bundle(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no bundle"):
        verify(tmp_path)


def test_a_file_behind_a_link_is_refused(run: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    os.replace(run / "report.json", outside)
    (run / "report.json").symlink_to(outside)
    assert damage(run) == ["report.json: a link or a special file", "report.json: missing"]


@pytest.mark.parametrize("name", [MANIFEST, ATTESTATION])
def test_a_linked_seal_is_refused(run: Path, tmp_path: Path, name: str) -> None:
    os.replace(run / name, tmp_path / "outside")
    (run / name).symlink_to(tmp_path / "outside")
    assert any(line.startswith(name) for line in damage(run))


def test_a_folder_behind_a_link_is_refused(run: Path, tmp_path: Path) -> None:
    os.replace(run / "model", tmp_path / "model")
    (run / "model").symlink_to(tmp_path / "model")
    assert "model: a link or a special file" in damage(run)


@pytest.mark.parametrize("name", ["../outside", "/etc/hostname", "a/../../outside", "a//b", "C:\\x", ".", ""])
def test_names_that_lead_out_are_refused_even_when_signed(run: Path, signer: Signer, tmp_path: Path, name: str) -> None:
    (tmp_path / "outside").write_text("x")
    subjects = {name: sha256_of(tmp_path / "outside"), MANIFEST: sha256_of(run / MANIFEST)}
    write_bytes(run / ATTESTATION, signer.envelope(statement(subjects, predicate={})))
    assert f"{name}: leads out of the bundle" in damage(run)


def test_a_manifest_that_differs_from_the_statement_is_refused(run: Path, signer: Signer) -> None:
    (run / MANIFEST).write_text('{"version": 1, "files": {}}')
    subjects = {name: sha256_of(run / name) for name in (*FILES, MANIFEST)}
    write_bytes(run / ATTESTATION, signer.envelope(statement(subjects, predicate={})))
    assert damage(run) == ["manifest.json: does not list what was signed"]


def test_a_forger_with_a_key_of_their_own_is_not_trusted(run: Path, signer: Signer) -> None:
    (run / "report.json").write_text("forged")
    seal(run, predicate={}, signer=Signer(Ed25519PrivateKey.from_private_bytes(bytes(32))))
    assert verify(run).status == "intact, signer not trusted"
    with pytest.raises(SignatureError, match="another key"):
        verify(run, signer.fingerprint)


def test_sealing_twice_gives_the_same_bytes(run: Path, signer: Signer) -> None:
    before = {name: (run / name).read_bytes() for name in (MANIFEST, ATTESTATION)}
    (run / f".{ATTESTATION}.part").write_text("left by a killed run")
    seal(run, predicate={"verdict": "CONTROLLED"}, signer=signer)
    assert before == {name: (run / name).read_bytes() for name in (MANIFEST, ATTESTATION)}
    assert verify(run).files == 7


def test_a_part_may_be_sealed_before_the_whole(run: Path, signer: Signer, tmp_path: Path) -> None:
    seal(run / "public", predicate={}, signer=signer)
    seal(run, predicate={}, signer=signer)
    os.replace(run / "public" / ATTESTATION, tmp_path / "aside")
    assert damage(run) == ["public/attestation.json: missing"]
    os.replace(tmp_path / "aside", run / "public" / ATTESTATION)
    assert verify(run).files == 9 and verify(run / "public").files == 3


def test_links_and_empty_folders_are_not_sealed(run: Path, tmp_path: Path, signer: Signer) -> None:
    (run / "link").symlink_to("report.json")
    with pytest.raises(SignatureError, match="link"):
        seal(run, predicate={}, signer=signer)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="no file"):
        seal(tmp_path / "empty", predicate={}, signer=signer)


def test_the_default_key_is_used(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEMBLANCE_KEY_DIR", str(tmp_path / "keys"))
    seal(run, predicate={})
    assert verify(run).fingerprint == Signer.load(tmp_path / "keys").fingerprint
