"""What is used of Strawberry that the library does not document. No other file touches its private parts."""

from types import SimpleNamespace
from typing import Any

import strawberry
from graphql import GraphQLField, GraphQLSchema
from strawberry.execution import optimized_is_awaitable as is_awaitable
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types import arguments as strawberry_arguments
from strawberry.types.field import StrawberryField
from strawberry.types.fields.resolver import StrawberryResolver
from strawberry.types.scalar import ScalarDefinition
from strawberry.utils.str_converters import to_camel_case

__all__ = ["ScalarDefinition", "StrawberryField", "StrawberryResolver", "is_awaitable", "to_camel_case"]


def core_schema(schema: strawberry.Schema) -> GraphQLSchema:
    """Return graphql-core's own schema object."""
    return schema._schema  # noqa: SLF001


def declared_field(definition: GraphQLField) -> Any:
    """Return the field as it was declared; None for one of graphql-core's, such as `__typename`."""
    return definition.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)


def reads_attribute(field: StrawberryField) -> bool:
    """Return whether a field has no resolver, and gives the attribute of its name."""
    return field.is_basic_field and field.default_resolver is getattr


def convert_arguments(schema: GraphQLSchema, field: StrawberryField, coerced: dict[str, Any]) -> dict[str, Any]:
    """Return coerced arguments of a field as Strawberry passes them to a resolver."""
    strawberry_schema: strawberry.Schema = schema.extensions[GraphQLCoreConverter.DEFINITION_BACKREF]
    registry, config = strawberry_schema.schema_converter.scalar_registry, strawberry_schema.config
    return strawberry_arguments.convert_arguments(coerced, field.arguments, registry, config)


def context_info(context: Any) -> strawberry.Info[Any, Any]:
    """Return an info that has the context of an operation, and nothing of a field."""
    raw_info: Any = SimpleNamespace(context=context)
    return strawberry.Info(_raw_info=raw_info, _field=None)  # type: ignore[arg-type]


def argument_names(schema: GraphQLSchema, field: StrawberryField) -> dict[str, str]:
    """Return the names of a field's arguments in Python, by their names in the schema."""
    strawberry_schema: strawberry.Schema = schema.extensions[GraphQLCoreConverter.DEFINITION_BACKREF]
    converter = strawberry_schema.config.name_converter
    return {converter.get_graphql_name(argument): argument.python_name for argument in field.arguments}


def enum_values(enumeration: Any) -> list[Any]:
    """Return the declared values of an enumeration; each has a name and a description, which may be set."""
    values: list[Any] = enumeration.__strawberry_definition__.values
    return values
