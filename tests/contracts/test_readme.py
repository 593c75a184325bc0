"""README and the pages that it links to tell the truth: their queries, commands and tables are run and compared."""

import asyncio
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import MakeServer
from customergraph import demo
from customergraph.domain.principal import Scope
from customergraph.importing.kinds import IMPORT_KINDS
from customergraph.settings import Settings
from customergraph.store import access
from customergraph.store.database import Database
from graphql_client import GraphQLClient
from statements import recorded

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
CONTRIBUTING = (ROOT / ".github/CONTRIBUTING.md").read_text("utf-8")
OPERATING = (ROOT / "src/customergraph/operate/README.md").read_text("utf-8")
IMPORTING = (ROOT / "src/customergraph/importing/README.md").read_text("utf-8")


def blocks(name: str, page: str = README) -> list[str]:
    texts = re.findall(rf"<!-- {name} -->\n```\w+\n(.*?)```", page, re.DOTALL)
    assert texts, name
    return texts


def rows(name: str, page: str = README) -> list[list[str]]:
    table = re.search(rf"<!-- {name} -->\n((?:\|.*\n)+)", page)
    assert table
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in table[1].splitlines()[2:]]


def run_block(block: str, folder: Path) -> None:
    """Run the commands of a block; none may fail."""
    ran = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block],  # noqa: S607
        cwd=folder,
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.fixture
def demo_client(serve: MakeServer, database_url: str) -> Iterator[GraphQLClient]:
    async def fill() -> str:
        database = Database(database_url)
        await demo.fill(database, 1000)
        secret = await access.create_token(database, demo.SLUG, "readme", set(Scope), None)
        await database.close()
        return secret

    secret = asyncio.run(fill())
    client = GraphQLClient(serve(Settings(database_url=database_url)), secret)
    yield client
    client.close()


def test_the_nested_query_answers_what_readme_shows_in_six_statements(demo_client: GraphQLClient) -> None:
    query, expected = blocks("nested-query")[0], json.loads(blocks("nested-answer")[0])["data"]["customers"]

    with recorded() as over_50:
        answer = demo_client.data(query)["customers"]
    with recorded() as over_5:
        few = demo_client.data(query.replace("first: 50", "first: 5"))["customers"]

    assert (len(answer["nodes"]), len(few["nodes"])) == (50, 5)
    assert answer["nodes"][: len(expected["nodes"])] == expected["nodes"]
    assert {**answer, "nodes": []} == {**expected, "nodes": []}
    assert len(over_5) == len(over_50), over_50
    assert len(over_50) <= 6, over_50


def test_the_mutation_answers_what_readme_shows(demo_client: GraphQLClient) -> None:
    assert demo_client.answer(blocks("mutation")[0]) == json.loads(blocks("mutation-answer")[0])


def test_the_eight_examples_of_graphiql_run(demo_client: GraphQLClient) -> None:
    folder = ROOT / "src/graphiql"
    menu = re.findall(r'from "(\S+\.graphql)"', (folder / "Examples.jsx").read_text("utf-8"))

    answers = {path: demo_client.answer((folder / path).read_text("utf-8")) for path in menu}

    assert len(answers) == 8
    assert {path: answer["errors"] for path, answer in answers.items() if "errors" in answer} == {}
    fields = {f"{path} {name}": value for path, answer in answers.items() for name, value in answer["data"].items()}
    assert [name for name, value in fields.items() if value.get("nodes") == []] == []


@pytest.mark.slow
def test_the_commands_run_in_readmes_order(tmp_path: Path) -> None:
    (tmp_path / "locations.csv").write_text("slug,name\nmitte,Mitte\n", "utf-8")
    (tmp_path / "customers.ndjson").write_text('{"first_name": "Ann", "email": "ann@example.com"}\n', "utf-8")
    (tmp_path / "customers.csv").write_text("first_name,phone,location\nBo,+4930123456,mitte\n", "utf-8")

    for block in blocks("commands"):
        run_block(block, tmp_path)


def test_the_commands_of_the_recipes_run() -> None:
    for block in blocks("recipe-commands", CONTRIBUTING):
        run_block(block, ROOT)


def test_the_files_that_contributing_names_are_there() -> None:
    names = set(re.findall(r"`((?:[a-z_]+/)+(?:[a-z_0-9]+\.[a-z]+)?)`", CONTRIBUTING))

    assert names
    for name in names:
        assert any((folder / name).exists() for folder in (ROOT, ROOT / "src/customergraph")), name


def test_the_lines_of_clients_are_those_of_the_programs_that_the_tests_run() -> None:
    sections = re.findall(r"^(?://|#) (\S+): .*\n((?:(?!// |# ).*\n)+)", "".join(blocks("clients")), re.MULTILINE)

    assert sections
    for name, section in sections:
        program = [line.strip() for line in (ROOT / "tests/clients" / name).read_text("utf-8").splitlines()]
        places = [program.index(line.strip()) for line in section.splitlines()]
        assert places == sorted(places), name


def test_the_copying_client_in_readme_is_the_one_that_the_tests_run() -> None:
    (program,) = blocks("keep-a-copy")

    assert program == (ROOT / "tests/clients/keep_a_copy.py").read_text("utf-8")
    assert len(program.splitlines()) <= 60


def test_the_links_of_the_pages_lead_somewhere() -> None:
    pages = ("README.md", "src/customergraph/operate/README.md", "src/customergraph/importing/README.md")
    for page in pages:
        text = (ROOT / page).read_text("utf-8")
        for link in re.findall(r"\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)", text):
            assert ((ROOT / page).parent / link).exists(), f"{page}: {link}"


def test_readme_has_250_lines_at_most() -> None:
    assert len(README.splitlines()) <= 250


def test_the_settings_are_those_of_the_page_for_operators() -> None:
    documented = {name.strip("`"): default.strip("`") for name, default, _ in rows("settings", OPERATING)}

    fields = {f"CUSTOMERGRAPH_{name.upper()}": field.default for name, field in Settings.model_fields.items()}

    assert documented.keys() == fields.keys()
    for name, default in fields.items():
        default_text = "none" if default in {(), None} else str(default).lower()
        assert documented[name] == default_text, name


def test_the_codes_are_those_of_readme() -> None:
    documented = {code for row in rows("codes") for code in re.findall(r"`([A-Z_]+)`", row[0])}
    sources = "".join(path.read_text("utf-8") for path in (ROOT / "src/customergraph").rglob("*.py"))

    codes_in_sources = re.findall(r'\bcode\b.{0,30}"([A-Z]+_?[A-Z_]+)"', sources)

    assert documented == set(codes_in_sources)


def test_the_import_columns_are_those_of_the_page_about_imports() -> None:
    documented = {kind.strip("`"): columns for kind, columns, _ in rows("columns", IMPORTING)}

    assert documented.keys() == set(IMPORT_KINDS)
    for name, kind in IMPORT_KINDS.items():
        assert set(re.findall(r"`([a-z_0-9]+)`", documented[name])) == set(kind.rules)
        required = set(re.findall(r"\*\*`([a-z_]+)`\*\*", documented[name]))
        assert required == kind.required


def test_the_rest_table_names_every_operation_and_parameter() -> None:
    operations = re.findall(r"^\| `((?:GET|POST|PUT|DELETE) [^`]+)`", README, re.MULTILINE)
    assert len(operations) == 14
    parameters = (
        "date_from date_key date_to email filter limit q sort_dir sort_key tag_slug first_name last_name phone company"
        " has_subscription location_slug signed_up_at notes address1 address2 city state postal_code tag_slugs"
    )
    for parameter in parameters.split():
        assert f"`{parameter}`" in README, parameter
