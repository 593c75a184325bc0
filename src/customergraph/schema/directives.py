"""The directives of the schema, as the edition of September 2025 has them."""

from collections.abc import Iterable

from graphql import DirectiveLocation, GraphQLDeprecatedDirective, GraphQLDirective

# graphql-core adds a location of the draft, and older clients cannot read a location that they do not know.
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
    """Give the directives with the locations of `@deprecated` that the specification knows."""
    return tuple(DEPRECATED if one.name == DEPRECATED.name else one for one in directives)
