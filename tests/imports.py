"""Every import of a source file, module level or inside a function, read from its syntax tree without running it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[1] / "src" / "semblance"


@dataclass(frozen=True)
class Import:
    """`file` (relative to the package) imports `module`; `top` where it happens on import of the file."""

    file: str
    module: str
    line: int
    top: bool

    def __str__(self) -> str:
        return f"{self.file}:{self.line} imports {self.module}"


def _nodes(node: ast.AST, top: bool) -> Iterator[tuple[ast.AST, bool]]:
    for child in ast.iter_child_nodes(node):
        yield child, top
        typing_only = isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test)
        inner = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        yield from _nodes(child, top and not inner and not typing_only)


def _absolute(node: ast.ImportFrom, file: str) -> str:
    if node.level == 0:
        return node.module or ""
    package = ["semblance", *Path(file).parts[:-1]]
    return ".".join([*package[: len(package) - node.level + 1], *filter(None, [node.module])])


def _imports(call: ast.Call) -> bool:
    named = ast.unparse(call.func).split(".")[-1] in ("need", "import_module")
    return named and bool(call.args) and isinstance(call.args[0], ast.Constant)


def imports_of(tree: ast.AST, file: str) -> Iterator[Import]:
    """Every import of one file. `from a import b` counts as `a.b`, because b may be a module; so does need("a")."""
    for node, top in _nodes(tree, True):
        if isinstance(node, ast.Import):
            yield from (Import(file, alias.name, node.lineno, top) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (Import(file, f"{_absolute(node, file)}.{a.name}", node.lineno, top) for a in node.names)
        elif isinstance(node, ast.Call) and _imports(node):
            yield Import(file, ast.literal_eval(node.args[0]), node.lineno, top)


@cache
def trees() -> dict[str, ast.Module]:
    """The syntax tree of every source file, by its path inside the package."""
    files = sorted(SOURCE.rglob("*.py"))
    return {f.relative_to(SOURCE).as_posix(): ast.parse(f.read_text(encoding="utf-8")) for f in files}


@cache
def all_imports() -> tuple[Import, ...]:
    """Every import of the package."""
    return tuple(entry for file, tree in trees().items() for entry in imports_of(tree, file))
