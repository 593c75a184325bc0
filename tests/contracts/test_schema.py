"""The schema: what is committed, what the contract names, and a description on everything."""

import subprocess
import sys
from pathlib import Path

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    build_schema,
    introspection_types,
    is_specified_scalar_type,
)

from customergraph.schema.schema import sdl

ROOT = Path(__file__).parents[2]


def test_the_committed_schema_is_what_the_command_prints() -> None:
    printed = subprocess.run(
        [sys.executable, "-m", "customergraph", "schema"], capture_output=True, check=True, cwd=ROOT
    ).stdout

    assert printed == (ROOT / "schema.graphql").read_bytes()


def test_everything_in_the_schema_is_described() -> None:
    schema = build_schema(sdl())
    undescribed = [] if schema.description else ["the schema itself"]
    for type_ in schema.type_map.values():
        if type_.name in introspection_types or is_specified_scalar_type(type_):
            continue
        parts = {type_.name: type_.description}
        if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType):
            parts |= {f"{type_.name}.{name}": field.description for name, field in type_.fields.items()}
        if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType):
            parts |= {
                f"{type_.name}.{name}({argument})": definition.description
                for name, field in type_.fields.items()
                for argument, definition in field.args.items()
            }
        if isinstance(type_, GraphQLEnumType):
            parts |= {f"{type_.name}.{name}": value.description for name, value in type_.values.items()}
        undescribed += [name for name, description in parts.items() if not description]

    assert undescribed == []
