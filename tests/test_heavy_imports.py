"""Heavy packages stay behind their adapters, nothing unpickles, and the package stays quick to import."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path

import pytest

from semblance import catalog
from tests.imports import all_imports, trees

ROOT = Path(__file__).resolve().parents[1]

# Where a package may be imported at all. Tensors live in learn/, which the encoders and generators of a modality drive.
ADAPTERS = {
    "torch": r"learn/.*|modalities/\w+/(encode|embed)\.py|modalities/\w+/generators/\w+\.py",
    "cryptography": r"release/sign\.py",
    "jinja2": r"app/html\.py",
}
# These are imported in exactly one file, whichever it is.
ONE_FILE = ("sksurv", "imblearn", "openpyxl", "narwhals", "cryptography", "jinja2", "tomli_w", "platformdirs", "psutil")
ONE_FILE += ("wfdb", "pyedflib", "pydicom", "nibabel", "PIL", "tifffile", "imagecodecs", "onnxruntime", "gdcm")
# What the user may not have: outside learn/ it is reached through core/need.py, so that the error names the extra.
OPTIONAL = {"sksurv": "demo", "imblearn": "balance", "opendp": "private", "dp_accounting": "private"}
OPTIONAL |= {"wfdb": "signal", "pyedflib": "signal", "pydicom": "signal|images", "nibabel": "images", "PIL": "images"}
OPTIONAL |= {"tifffile": "slides", "imagecodecs": "slides", "onnxruntime": "extractors", "gdcm": "images"}
# A package by which two modalities read has one adapter, and one extra, in each: they never import each other.
ONE_EACH = {"pydicom": {"modalities/signal", "modalities/image"}}
FORBIDDEN = {"pickle", "cPickle", "cloudpickle", "dill", "shelve", "marshal", "joblib"}


def root(module: str) -> str:
    return module.split(".")[0]


@cache
def nodes() -> tuple[ast.AST, ...]:
    """All that stands in the package's syntax trees."""
    return tuple(node for tree in trees().values() for node in ast.walk(tree))


@cache
def needs() -> tuple[ast.Call, ...]:
    """Every call of core/need.py in the package."""
    return tuple(node for node in nodes() if isinstance(node, ast.Call) and ast.unparse(node.func) == "need")


@pytest.mark.parametrize("package", ADAPTERS)
def test_a_heavy_package_stays_in_its_adapter(package):
    rule = re.compile(ADAPTERS[package])
    assert [str(e) for e in all_imports() if root(e.module) == package and not rule.fullmatch(e.file)] == []


@pytest.mark.parametrize("package", ONE_FILE)
def test_an_adapter_is_one_file(package):
    files = {e.file for e in all_imports() if root(e.module) == package}
    rooms = {"/".join(file.split("/")[:2]) for file in files}
    assert len(files) <= 1 or (len(files) == len(rooms) and rooms <= ONE_EACH.get(package, set())), files


@pytest.mark.parametrize("package", OPTIONAL)
def test_an_optional_package_is_reached_through_need(package):
    needed = [node for node in needs() if package in ast.unparse(node.args[0])]
    plain = [
        node
        for node in nodes()
        if (isinstance(node, ast.Import) and package in {root(alias.name) for alias in node.names})
        or (isinstance(node, ast.ImportFrom) and package == root(node.module or ""))
    ]
    assert plain == []
    assert needed
    extras = OPTIONAL[package].split("|")
    assert all(any(f"extra='{extra}'" in ast.unparse(node) for extra in extras) for node in needed)


def test_every_extra_that_the_code_names_exists():
    text = "\n".join(ast.unparse(tree) for tree in trees().values())
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert set(re.findall(r"extra='(\w+)'", text)) <= set(declared)


def unpickles(call: ast.Call) -> bool:
    """Whether a call writes or reads pickle, or may: numpy does unless told not to."""
    name = ast.unparse(call.func)
    if name in ("np.save", "np.load", "np.savez"):
        return "allow_pickle=False" not in ast.unparse(call)
    return name in ("torch.load", "torch.save", "pd.read_pickle", "exec") or name.endswith(".to_pickle")


def test_nothing_unpickles():
    assert [str(e) for e in all_imports() if root(e.module) in FORBIDDEN] == []
    calls = {
        f"{file}:{node.lineno}"
        for file, tree in trees().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and unpickles(node)
    }
    assert calls == set()


def test_no_global_randomness():
    kept = ("default_rng", "Generator", "SeedSequence", "PCG64", "Philox", "BitGenerator")
    found = {
        f"{file}:{node.lineno} {ast.unparse(node.func)}"
        for file, tree in trees().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and re.match(r"(np\.random|numpy\.random|random|torch\.manual_seed)\b", ast.unparse(node.func))
        and not ast.unparse(node.func).endswith(kept)
    }
    assert found == set()


def loaded_by(code: str) -> set[str]:
    told = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print(*sys.modules)"], capture_output=True, text=True, check=True
    )
    return {root(name) for name in told.stdout.split()}


def test_import_of_the_package_is_light():
    assert not loaded_by("import semblance") & {"torch", "pandas", "sklearn", "scipy", "pyarrow", "numpy"}


@pytest.mark.parametrize("name", catalog.MODALITIES)
def test_a_manifest_is_light(name):
    loaded = loaded_by(f"from semblance import catalog; catalog.modality({name!r})")
    assert not loaded & {"torch", "pandas", "sklearn", "scipy", "pyarrow"}


def test_the_command_line_starts_light():
    assert not loaded_by("import semblance.app.cli") & {"torch", "pandas", "sklearn", "scipy", "pyarrow"}
