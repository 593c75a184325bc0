"""The limits of documents and variables, as the settings have them."""

from customergraph.execution.limits import Limits
from customergraph.settings import Settings


def limits_of(settings: Settings) -> Limits:
    """Return the limits of documents and variables."""
    return Limits(
        document_bytes=settings.document_limit,
        tokens=settings.token_limit,
        depth=settings.depth_limit,
        fields=settings.field_limit,
        repeated_fields=settings.repeated_field_limit,
        aliases_of_a_field=settings.field_alias_limit,
        aliases=settings.alias_limit,
        directives=settings.directive_limit,
        definitions=settings.definition_limit,
        list_entries=settings.list_limit,
        name_characters=settings.name_limit,
        nested_values=settings.nested_value_limit,
    )
