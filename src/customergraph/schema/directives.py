"""The directives of the schema, as the September 2025 edition of the GraphQL specification defines them."""

from collections.abc import Iterable

from graphql import DirectiveLocation, GraphQLDeprecatedDirective, GraphQLDirective

# graphql-core adds a location of the draft. Clients that do not know it cannot read the schema.
_LOCATIONS = (
    DirectiveLocation.FIELD_DEFINITION,
    DirectiveLocation.ARGUMENT_DEFINITION,
    DirectiveLocation.INPUT_FIELD_DEFINITION,
    DirectiveLocation.ENUM_VALUE,
)
DEPRECATED = GraphQLDirective(
    GraphQLDeprecatedDirective.name,
    _LOCATIONS,
    GraphQLDeprecatedDirective.args,
    description=GraphQLDeprecatedDirective.description,
)


def of_september_2025(directives: Iterable[GraphQLDirective]) -> tuple[GraphQLDirective, ...]:
    """Return the directives, with `@deprecated` only at the locations of the specification."""
    return tuple(DEPRECATED if directive.name == DEPRECATED.name else directive for directive in directives)
