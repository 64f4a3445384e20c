"""Croissant: what the specification requires, one field per written column, and gaps that are named."""

from __future__ import annotations

import json

from semblance.app.exports.croissant import CROISSANT, GAP, RAI, croissant
from semblance.app.redact import redact
from semblance.core.report import Report


def test_what_the_specification_requires_is_there(full: Report) -> None:
    told = croissant(full, file="synthetic.csv")
    assert told["@type"] == "sc:Dataset" and CROISSANT in told["conformsTo"] and RAI in told["conformsTo"]
    assert told["@context"]["@vocab"] == "https://schema.org/" and told["@context"]["cr"].endswith("croissant/")
    assert {"name", "description", "license", "creator", "distribution", "recordSet"} <= set(told)
    assert told["license"] == GAP


def test_the_file_is_named_with_its_hash(full: Report) -> None:
    (file,) = croissant(full, file="synthetic.csv")["distribution"]
    assert file["contentUrl"] == "synthetic.csv" and file["sha256"] == "c" * 64
    assert file["encodingFormat"] == "text/csv" and file["@type"] == "cr:FileObject"
    (other,) = croissant(Report((), {}), file="synthetic.odd")["distribution"]
    assert "sha256" not in other and other["encodingFormat"] == "application/octet-stream"


def test_every_written_column_is_a_field(full: Report) -> None:
    (records,) = croissant(full, file="synthetic.csv")["recordSet"]
    written = [c["name"] for c in full.subject["columns"] if c["role"] != "drop"]
    assert [field["name"] for field in records["field"]] == written
    assert [field["dataType"] for field in records["field"]] == ["sc:Text", "sc:Integer", "sc:Text", "sc:Text"]
    ids = [field["@id"] for field in records["field"]]
    assert len(set(ids)) == len(ids)
    assert all(f["source"]["fileObject"]["@id"] == "synthetic.csv" for f in records["field"])


def test_the_public_one_gives_nothing_internal_away(full: Report) -> None:
    text = json.dumps(croissant(redact(full), file="synthetic.csv"))
    for secret in ("hospital number", "6291", "6,291", "4711", "a" * 12):
        assert secret not in text
