"""Signatures: the encoding by hand, the key's file, and no free byte in an envelope."""

from __future__ import annotations

import base64
import json
import os
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from semblance.core.errors import SignatureError, UsageError
from semblance.release.sign import KEY_NAME, PAYLOAD_TYPE, Signer, fingerprint, key_folder, opened, pae, statement

SECRET = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
PUBLIC = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")


def rfc8032() -> Signer:
    """The key of RFC 8032, section 7.1, test 1."""
    return Signer(Ed25519PrivateKey.from_private_bytes(SECRET))


def signed() -> bytes:
    return rfc8032().envelope(statement({"b": "22", "a": "11"}, predicate={"verdict": "CONTROLLED"}))


def test_pae_is_the_vector_of_the_specification() -> None:
    assert pae("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )
    assert pae("", b"") == b"DSSEv1 0  0 "
    assert pae("\u00e9", b"\x00") == b"DSSEv1 2 \xc3\xa9 1 \x00"  # lengths count bytes


def test_the_public_key_is_that_of_the_rfc() -> None:
    assert rfc8032().public == PUBLIC
    assert rfc8032().fingerprint == fingerprint(PUBLIC) and len(fingerprint(PUBLIC)) == 64


def test_the_envelope_checks_by_hand() -> None:
    data = json.loads(signed())
    payload = base64.b64decode(data["payload"])
    (entry,) = data["signatures"]
    message = b"DSSEv1 28 application/vnd.in-toto+json " + str(len(payload)).encode() + b" " + payload
    rfc8032().key.public_key().verify(base64.b64decode(entry["sig"]), message)
    said = json.loads(payload)
    assert data["payloadType"] == PAYLOAD_TYPE and said["_type"] == "https://in-toto.io/Statement/v1"
    assert said["subject"] == [{"name": "a", "digest": {"sha256": "11"}}, {"name": "b", "digest": {"sha256": "22"}}]
    assert base64.b64decode(entry["publicKey"]) == PUBLIC


def test_opening_gives_back_the_statement() -> None:
    said, signer = opened(signed())
    assert said["predicate"] == {"verdict": "CONTROLLED"} and signer == fingerprint(PUBLIC)


def test_no_byte_of_an_envelope_is_free() -> None:
    envelope = signed()
    for position in range(len(envelope)):
        for flip in (1, 32):  # 32 turns upper case into lower case, and a space into a NUL
            bad = bytearray(envelope)
            bad[position] ^= flip
            with pytest.raises(SignatureError):
                opened(bytes(bad))


@pytest.mark.parametrize("junk", [b"", b"[]", b"{}", b"null", b"\xff", b'{"payload": 1}', b"[" * 5000])
def test_junk_is_no_envelope(junk: bytes) -> None:
    with pytest.raises(SignatureError, match=r"attestation\.json"):
        opened(junk)


def test_another_spelling_is_refused() -> None:
    with pytest.raises(SignatureError, match="spelled"):
        opened(json.dumps(json.loads(signed())).encode())


def test_another_payload_type_is_refused() -> None:
    payload = b'{"_type": "https://in-toto.io/Statement/v1"}'
    key = rfc8032()
    b64 = lambda data: base64.b64encode(data).decode()  # noqa: E731
    entry = {
        "keyid": key.fingerprint,
        "sig": b64(key.key.sign(pae("text/plain", payload))),
        "publicKey": b64(key.public),
    }
    data = {"payload": b64(payload), "payloadType": "text/plain", "signatures": [entry]}
    with pytest.raises(SignatureError):
        opened((json.dumps(data, indent=1) + "\n").encode())


def test_the_key_is_made_once_and_kept_private(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    first = Signer.load(folder)
    assert Signer.load(folder).fingerprint == first.fingerprint
    assert stat.S_IMODE((folder / KEY_NAME).stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert [path.name for path in folder.iterdir()] == [KEY_NAME]


def test_the_folder_can_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEMBLANCE_KEY_DIR", str(tmp_path / "mine"))
    assert key_folder() == tmp_path / "mine"
    monkeypatch.delenv("SEMBLANCE_KEY_DIR")
    assert key_folder().name == "semblance"


def test_a_readable_key_is_refused(tmp_path: Path) -> None:
    Signer.load(tmp_path)
    os.chmod(tmp_path / KEY_NAME, 0o644)
    with pytest.raises(UsageError, match="chmod 600"):
        Signer.load(tmp_path)


@pytest.mark.parametrize("kind", ["junk", "other"])
def test_a_damaged_key_is_told(tmp_path: Path, kind: str) -> None:
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

    pem = X25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (tmp_path / KEY_NAME).write_bytes(b"junk" if kind == "junk" else pem)
    os.chmod(tmp_path / KEY_NAME, 0o600)
    with pytest.raises(UsageError, match="holds no key"):
        Signer.load(tmp_path)
