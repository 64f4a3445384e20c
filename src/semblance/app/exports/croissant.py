"""Croissant metadata (MLCommons, version 1.0) with the RAI vocabulary: a catalogue's view of the synthetic file.

What nobody has told us (licence, creator, address, date of publication) is named as a gap and never guessed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from semblance.app import words
from semblance.app.facts import guarantee
from semblance.app.judged import judge
from semblance.app.views import tally
from semblance.core.report import Report

CROISSANT = "http://mlcommons.org/croissant/1.0"
RAI = "http://mlcommons.org/croissant/RAI/1.0"
GAP = "TO BE FILLED IN by those who release the records"

TERMS = (
    *("citeAs", "column", "extract", "field", "fileObject", "fileProperty", "fileSet", "format", "includes"),
    *("isLiveDataset", "jsonPath", "key", "md5", "parentField", "path", "recordSet", "references", "regex"),
    *("repeated", "replace", "separator", "source", "subField", "transform"),
)
# A boolean column may be written "yes" and "no", and a code may begin with 0: readers must not convert them.
DATA_TYPES = {"numeric": "sc:Float", "integer": "sc:Integer", "date": "sc:Date"}
FORMATS = {
    ".csv": "text/csv",
    ".gz": "application/gzip",
    ".parquet": "application/vnd.apache.parquet",
    ".feather": "application/vnd.apache.arrow.file",
    ".arrow": "application/vnd.apache.arrow.file",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def croissant(report: Report, *, file: str) -> dict[str, Any]:
    """The JSON-LD of a report about the synthetic records in `file` (a name relative to the metadata)."""
    return {
        "@context": context(),
        "@type": "sc:Dataset",
        "conformsTo": [CROISSANT, RAI],
        "name": Path(file).name.partition(".")[0] or "synthetic",
        "description": _description(report),
        "license": GAP,
        "creator": {"@type": "sc:Organization", "name": GAP},
        "version": "1.0.0",
        "keywords": ["synthetic data", "health"],
        "isLiveDataset": False,
        "distribution": [_distribution(report, file)],
        "recordSet": [_records(report, file)],
        **_responsible(report),
    }


def context() -> dict[str, Any]:
    """The JSON-LD context of the specification's first appendix, with the RAI vocabulary."""
    return {
        "@language": "en",
        "@vocab": "https://schema.org/",
        "sc": "https://schema.org/",
        "cr": "http://mlcommons.org/croissant/",
        "rai": "http://mlcommons.org/croissant/RAI/",
        "dct": "http://purl.org/dc/terms/",
        "conformsTo": "dct:conformsTo",
        "data": {"@id": "cr:data", "@type": "@json"},
        "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
        "examples": {"@id": "cr:examples", "@type": "@json"},
        **{name: f"cr:{name}" for name in TERMS},
    }


def _description(report: Report) -> str:
    verdict = words.verdict(report)
    made = report.subject.get("generator")
    by = f"the generator '{made['name']}'" if isinstance(made, Mapping) else "an unknown generator"
    return (
        f"Synthetic records made by {by}: they describe no person. Release verdict {verdict}: "
        f"{words.VERDICTS[verdict][1]} Privacy: {guarantee(report.subject.get('guarantee'))}."
    )


def _distribution(report: Report, file: str) -> dict[str, Any]:
    suffix = Path(file).suffix.lower()
    told = {
        "@type": "cr:FileObject",
        "@id": file,
        "name": file,
        "contentUrl": file,
        "encodingFormat": FORMATS.get(suffix, "application/octet-stream"),
    }
    return {**told, "sha256": report.subject["sha256"]} if report.subject.get("sha256") else told


def _records(report: Report, file: str) -> dict[str, Any]:
    return {"@type": "cr:RecordSet", "@id": "records", "name": "records", "field": list(_fields(report, file))}


def _fields(report: Report, file: str) -> Iterator[dict[str, Any]]:
    written = [column for column in report.subject.get("columns", ()) if column.get("role") != "drop"]
    for i, column in enumerate(written, start=1):
        yield {
            "@type": "cr:Field",
            "@id": f"records/{i}",
            "name": column["name"],
            "description": _role(column),
            "dataType": DATA_TYPES.get(column["kind"], "sc:Text"),
            "source": {"fileObject": {"@id": file}, "extract": {"column": column["name"]}},
        }


def _role(column: Mapping[str, Any]) -> str:
    made = "numbered anew" if column["role"] in ("subject", "key") else "learned from real records"
    return f"{column['kind']}, {column['role']}, {made}"


def _responsible(report: Report) -> dict[str, Any]:
    """The RAI properties that a report can speak to."""
    fair = [one for one in judge(report) if one.finding.section == "fairness"]
    biases = tally(fair) or "groups of patients were not compared"
    names = [column["name"] for column in report.subject.get("columns", ()) if column.get("role") != "drop"]
    return {
        "rai:dataCollection": "Sampled from a generative model that learned from records of patients; nothing was "
        "collected for this data set itself.",
        "rai:dataCollectionType": ["Others"],
        "rai:dataCollectionRawData": f"How the real records were collected: {GAP}",
        "rai:personalSensitiveInformation": [
            "The records describe health and no real person. Columns: " + ", ".join(names)
        ],
        "rai:dataLimitations": [*words.untested(report)],
        "rai:dataBiases": [f"Biases of the real records are kept unless measured otherwise. Fairness: {biases}"],
        "rai:dataUseCases": [*words.INTENDED],
        "rai:dataSocialImpact": "Not allowed: " + "; ".join(words.PROHIBITED),
        "rai:dataReleaseMaintenancePlan": [GAP],
    }
