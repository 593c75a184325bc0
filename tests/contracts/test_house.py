"""The house: imports point one way, the code passes its own checks, migrations make the tables."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

import stores

ROOT = Path(__file__).parents[2]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
PROJECT = PYPROJECT["project"]
BUILD_DEPENDENCIES: list[str] = PYPROJECT["build-system"]["requires"]
DEPENDENCIES: list[str] = PROJECT["dependencies"]
EXTRAS: list[str] = [*PROJECT["optional-dependencies"]["tracing"], *PROJECT["optional-dependencies"]["xlsx"]]
DEV_DEPENDENCIES: list[str] = PROJECT["optional-dependencies"]["dev"]


@pytest.mark.parametrize(
    "command",
    [
        ["ruff", "check", "src", "tests"],
        ["ruff", "format", "--check", "src", "tests"],
        ["mypy"],
        ["lint-imports"],
    ],
    ids=" ".join,
)
def test_the_code_passes(command: list[str]) -> None:
    tool = Path(sys.executable).parent / command[0]

    ran = subprocess.run([tool, *command[1:]], cwd=ROOT, capture_output=True, text=True, check=False)

    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_no_table_loads_another_behind_anyones_back() -> None:
    assert not [path for path in (ROOT / "src").rglob("*.py") if "relationship(" in path.read_text("utf-8")]


def texts_of(path: Path) -> Iterator[str]:
    """Yield the texts of a file that are no docstrings."""
    tree = ast.parse(path.read_text("utf-8"))
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.value


# The reasons of rejected rows are made by `importing`, and name the options that would read them.
@pytest.mark.parametrize("folder", ["demo", "domain", "saving", "store"])
def test_only_the_command_line_names_commands_and_options(folder: str) -> None:
    paths = (ROOT / "src/customergraph" / folder).rglob("*.py")
    words = re.compile(r"customergraph (demo|serve|db|project|token|import|explain)\b|(^|\W)--[a-z]")

    assert not [text for path in paths for text in texts_of(path) if words.search(text)]


def test_migrations_make_the_tables_that_the_store_declares(database_url: str) -> None:
    assert stores.problems(database_url) == stores.known_problems(database_url)


def normalized(distribution: str) -> str:
    """Return the normalized name of a distribution, or of a requirement (PEP 503)."""
    name = re.split(r"[^\w.-]", distribution, maxsplit=1)[0]
    return re.sub(r"[-_.]+", "-", name).lower()


def imported_modules(path: Path) -> Iterator[str]:
    """Yield the top-level modules that a file imports."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.split(".")[0]


@pytest.mark.parametrize(
    ("folder", "requirements"),
    [
        ("src/customergraph", DEPENDENCIES + EXTRAS),
        ("src/graphiql", BUILD_DEPENDENCIES),
        ("tests", DEPENDENCIES + DEV_DEPENDENCIES),
    ],
    ids=["src", "graphiql", "tests"],
)
def test_imported_libraries_are_declared(folder: str, requirements: list[str]) -> None:
    imported = {module for path in (ROOT / folder).rglob("*.py") for module in imported_modules(path)}
    modules_of_tests = {path.stem for path in (ROOT / "tests").iterdir()}
    libraries = imported - sys.stdlib_module_names - modules_of_tests - {"customergraph"}
    distributions = packages_distributions()
    declared = set(map(normalized, requirements))

    assert libraries
    assert not [library for library in libraries if not declared & set(map(normalized, distributions[library]))]


def test_dependencies_have_upper_bounds() -> None:
    # The time zone database has no versions but the years of its editions.
    requirements = [one for one in DEPENDENCIES + EXTRAS + DEV_DEPENDENCIES if normalized(one) != "tzdata"]

    assert not [one for one in requirements if "<" not in one]


def test_the_lock_has_packages_of_pypi_alone() -> None:
    lock = (ROOT / "uv.lock").read_text("utf-8")
    packages = tomllib.loads(lock)["package"]
    sources = {package["name"]: package["source"] for package in packages}

    assert sources.pop("customergraph") == {"editable": "."}
    assert {tuple(source.items()) for source in sources.values()} == {(("registry", "https://pypi.org/simple"),)}
    assert set(re.findall(r'url = "(https?://[^/"]*)', lock)) == {"https://files.pythonhosted.org"}
