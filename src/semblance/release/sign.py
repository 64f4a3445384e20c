"""Signing: an in-toto statement in a DSSE envelope, signed with an Ed25519 key that is made on first use.

The envelope carries its public key, so that anyone can check that nothing was changed. Whether the key belongs to
someone to be trusted only its fingerprint can tell, and that must travel another way (a letter, a web page).

Formats: in-toto Attestation Framework, Statement v1; DSSE v1 (secure-systems-lab/dsse, protocol.md); RFC 8032.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from semblance.core.errors import ResourceError, SignatureError, UsageError
from semblance.core.files import user_folder

PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "urn:semblance:attestation:release:v1"
KEY_NAME = "signing-key.pem"


@dataclass(frozen=True)
class Signer:
    """A private key and what it signs. `fingerprint` is the SHA-256 of the raw public key, in hex."""

    key: Ed25519PrivateKey

    @classmethod
    def load(cls, folder: Path | None = None) -> Signer:
        """The key of `folder` (default: SEMBLANCE_KEY_DIR, or the user's data folder), made there on first use.

        Raises UsageError where the key is damaged or others may read it.
        """
        path = (key_folder() if folder is None else folder) / KEY_NAME
        if not path.exists():
            _make(path)
        if path.stat().st_mode & 0o077:
            rule, fix = "a signing key is readable by its owner alone", f"chmod 600 '{path}'"
            raise UsageError.of(f"others may read '{path.name}'", rule=rule, fix=fix)
        return cls(_read(path))

    @property
    def public(self) -> bytes:
        """The raw public key, 32 bytes."""
        return _raw(self.key.public_key())

    @property
    def fingerprint(self) -> str:
        """How the key is named."""
        return fingerprint(self.public)

    def envelope(self, statement: Mapping[str, Any]) -> bytes:
        """The signed DSSE envelope of a statement, in the one spelling that `opened` accepts."""
        payload = json.dumps(statement, sort_keys=True, ensure_ascii=False, allow_nan=False).encode()
        signature = self.key.sign(pae(PAYLOAD_TYPE, payload))
        entry = {"keyid": self.fingerprint, "sig": _encoded(signature), "publicKey": _encoded(self.public)}
        return _spelled({"payload": _encoded(payload), "payloadType": PAYLOAD_TYPE, "signatures": [entry]})


def key_folder() -> Path:
    """Where the signing key lives."""
    override = os.environ.get("SEMBLANCE_KEY_DIR")
    return Path(override) if override else user_folder()


def fingerprint(public: bytes) -> str:
    """SHA-256 of a raw public key, in hex."""
    return hashlib.sha256(public).hexdigest()


def pae(payload_type: str, payload: bytes) -> bytes:
    """DSSE's pre-authentication encoding: what is really signed.

    >>> pae("http://example.com/HelloWorld", b"hello world")
    b'DSSEv1 29 http://example.com/HelloWorld 11 hello world'
    """
    kind = payload_type.encode()
    return b" ".join([b"DSSEv1", str(len(kind)).encode(), kind, str(len(payload)).encode(), payload])


def statement(subjects: Mapping[str, str], *, predicate: Mapping[str, Any]) -> dict[str, Any]:
    """The in-toto statement about files: `subjects` maps each name to its SHA-256 in hex."""
    named = [{"name": name, "digest": {"sha256": subjects[name]}} for name in sorted(subjects)]
    return {"_type": STATEMENT_TYPE, "subject": named, "predicateType": PREDICATE_TYPE, "predicate": dict(predicate)}


def opened(envelope: bytes) -> tuple[dict[str, Any], str]:
    """The statement of an envelope and the fingerprint of its signer. Raises SignatureError if one bit is wrong.

    JSON and base64 can spell one thing in many ways; only our own spelling is accepted, so that no byte is free.
    """
    try:
        data = json.loads(envelope)
        payload = _decoded(data["payload"])
        (entry,) = data["signatures"]
        public = _decoded(entry["publicKey"])
        Ed25519PublicKey.from_public_bytes(public).verify(_decoded(entry["sig"]), pae(data["payloadType"], payload))
        said = json.loads(payload)
        kinds = data["payloadType"], said["_type"], said["predicateType"]
        good = kinds == (PAYLOAD_TYPE, STATEMENT_TYPE, PREDICATE_TYPE)
        good = good and entry["keyid"] == fingerprint(public) and _spelled(data) == envelope
    except (InvalidSignature, ValueError, KeyError, TypeError, AttributeError, RecursionError, binascii.Error) as error:
        raise _forged("does not hold a valid signature") from error
    if not good:
        raise _forged("is not spelled as it was signed")
    return said, entry["keyid"]


def _forged(found: str) -> SignatureError:
    fix = "get the bundle again from who made it; do not use this one"
    return SignatureError.of(f"attestation.json {found}", rule="an attestation is exactly what was signed", fix=fix)


def _spelled(envelope: Mapping[str, Any]) -> bytes:
    return (json.dumps(envelope, indent=1) + "\n").encode()


def _encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _decoded(text: str) -> bytes:
    data = base64.b64decode(text, validate=True)
    if _encoded(data) != text:
        raise ValueError("base64 with loose bits")
    return data


def _raw(public: Ed25519PublicKey) -> bytes:
    return public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)


def _make(path: Path) -> None:
    """Make a key. Two processes may try at once: the link is made by one of them, and both then read that key."""
    try:
        _store(path)
    except OSError as error:
        fix = "make the folder writable, or name another in SEMBLANCE_KEY_DIR"
        raise ResourceError.of(f"cannot write '{path}'", rule="a signing key is kept", fix=fix) from error


def _store(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.parent.chmod(0o700)
    pem = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(pem)
            file.flush()
            os.fsync(file.fileno())
        if not path.exists():
            _link(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except FileExistsError:
        return  # another process was first; its key is used


def _read(path: Path) -> Ed25519PrivateKey:
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (ValueError, TypeError) as error:
        raise _damaged(path) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise _damaged(path)
    return key


def _damaged(path: Path) -> UsageError:
    fix = "restore it from a backup, or move it away to make a new key (whose fingerprint nobody trusts yet)"
    return UsageError.of(f"'{path}' holds no key", rule="the key is an Ed25519 key in PEM", fix=fix)
