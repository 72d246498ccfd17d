"""The map of the code, read from its imports: who may use whom, and what must stay out of start-up."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = "vision_app"
# Bottom to top: a part imports from parts in earlier rows, never from its own row or a later one.
LAYERS = (
    ("errors",),
    ("lookup", "readable", "places", "processes", "records", "device", "edits"),
    ("config",),
    ("runs", "data", "models"),
    ("keeping",),
    ("predict", "evaluation", "explain", "export"),
    ("figures", "evaluate_run"),
    ("training", "health", "importing"),
    ("serving",),
    ("ui",),
    ("console",),
    ("follow", "cli_data"),
    ("cli_import", "cli_models", "cli_runs", "cli_search", "cli_train"),
    ("cli",),
    ("__main__",),
)
LEVEL = {part: level for level, parts in enumerate(LAYERS) for part in parts}
HEAVY = {
    "keras",
    "tensorflow",
    "jax",
    "torch",
    "sklearn",
    "matplotlib",
    "cv2",
    "scipy",
    "skimage",
    "onnxruntime",
    "ai_edge_litert",
}
# Which parts may import a framework at all, at whatever depth.
RESERVED = {"gradio": {"ui"}, "tensorflow": {"export", "explain"}, "jax": {"explain"}, "torch": {"explain", "models"}}

FILES = sorted((ROOT / PACKAGE).rglob("*.py"))


def identify(path: Path) -> str:
    return str(path.relative_to(ROOT))


def part_of(path: Path) -> str:
    """Return the part of the package that a file belongs to: "data", "cli", ..."""
    return path.relative_to(ROOT / PACKAGE).parts[0].removesuffix(".py")


@cache
def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def imports(path: Path, at_start: bool = False) -> Iterator[str]:
    """Yield every module that a file imports, dotted; with `at_start` only those imported when the file is."""
    for node in at_import_time(parse(path)) if at_start else ast.walk(parse(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                package = path.relative_to(ROOT).with_suffix("").parts[: -node.level]
                base = ".".join((*package, *([base] if base else [])))
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


def at_import_time(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes that run when a module is imported: not what is inside functions or `if TYPE_CHECKING`."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            continue
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        yield child
        yield from at_import_time(child)


def file_of(module: str) -> Path | None:
    """Return the file of one of our own modules."""
    base = ROOT.joinpath(*module.split("."))
    return next((path for path in (base.with_suffix(".py"), base / "__init__.py") if path.is_file()), None)


def start_up_files(first: Path) -> set[Path]:
    """Return the project's files that are imported when `first` is."""
    found, waiting = set(), [first]
    while waiting:
        path = waiting.pop()
        if path in found:
            continue
        found.add(path)
        for module in imports(path, at_start=True):
            if module.split(".")[0] == PACKAGE:
                parts = module.split(".")
                own = (file_of(".".join(parts[: end + 1])) for end in range(len(parts)))
                waiting += [file for file in own if file]
    return found


def test_there_is_something_to_read() -> None:
    assert len(FILES) > 10


@pytest.mark.parametrize("path", FILES, ids=identify)
def test_imports_go_one_way(path: Path) -> None:
    part = part_of(path)
    if part == "__init__":
        return
    assert part in LEVEL, f"{part} has no place in LAYERS: add it where it belongs"
    for module in imports(path):
        pieces = module.split(".")
        if pieces[0] == "app":
            pytest.fail(f"{identify(path)} imports app.py, which is above everything")
        if pieces[0] != PACKAGE or len(pieces) < 2 or pieces[1] not in LEVEL or pieces[1] == part:
            continue
        assert LEVEL[pieces[1]] < LEVEL[part], f"{identify(path)} imports {module}: {pieces[1]} is not below {part}"


@pytest.mark.parametrize("path", FILES, ids=identify)
def test_frameworks_stay_in_their_place(path: Path) -> None:
    for module in imports(path):
        allowed = RESERVED.get(module.split(".")[0])
        assert allowed is None or part_of(path) in allowed, f"{identify(path)} imports {module}; only {allowed} may"


@pytest.mark.parametrize("entry", ["app.py", "vision_app/cli.py"])
def test_nothing_heavy_is_imported_at_start(entry: str) -> None:
    if not (ROOT / entry).exists():
        pytest.skip(f"{entry} is not there")
    for path in start_up_files(ROOT / entry):
        heavy = HEAVY & {module.split(".")[0] for module in imports(path, at_start=True)}
        assert not heavy, (
            f"{identify(path)} imports {heavy} when {entry} starts: import it inside the function that needs it"
        )


@pytest.mark.parametrize("path", FILES, ids=identify)
def test_public_code_has_docstrings(path: Path) -> None:
    bare = [name for name, node in public_definitions(parse(path)) if not ast.get_docstring(node)]
    assert not bare, f"{identify(path)} has no docstring for: {', '.join(bare)}"


def public_definitions(module: ast.Module) -> Iterator[tuple[str, ast.AST]]:
    """Yield the module, its public functions and classes, and the methods that its own classes introduce."""
    yield "the module", module
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    for node in module.body:
        if not isinstance(node, (*functions, ast.ClassDef)) or node.name.startswith("_"):
            continue
        yield node.name, node
        # A method of a class with a base may fill in one that the base documents.
        if isinstance(node, ast.ClassDef) and not node.bases:
            members = [
                member for member in node.body if isinstance(member, functions) and not member.name.startswith("_")
            ]
            yield from ((f"{node.name}.{member.name}", member) for member in members)
