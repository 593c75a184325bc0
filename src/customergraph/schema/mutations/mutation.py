"""A mutation, declared: its act, its payload, its arguments and its description."""

from collections.abc import Awaitable, Callable
from inspect import Parameter, Signature
from typing import Any, NamedTuple

import strawberry

from customergraph.actions.act import Act
from customergraph.errors import InputRefused
from customergraph.schema.context import Info
from customergraph.schema.errors import UserError
from customergraph.schema.mutations.payloads import Payload

# The key of a mutation's scope in the metadata of its field.
SCOPE = "scope"


class Argument(NamedTuple):
    """An argument of a mutation: its type in the schema, and the function that turns its value into the act's."""

    name: str
    type: Any
    parse: Callable[[Any], Any] = lambda value: value
    default: Any = Parameter.empty


def mutation(name: str, act: Act[Any, Any], payload: type[Payload], *arguments: Argument, description: str) -> Any:
    """Declare the mutation that carries out an act.

    The act takes the arguments in this order. The payload's type in the schema has its name from
    the mutation's: `archiveCustomer` returns an `ArchiveCustomerPayload`.
    """
    payload = strawberry.type(
        type(f"{name[0].upper()}{name[1:]}Payload", (payload,), {}), description=f"What `{name}` answers."
    )
    resolver: Any = _resolver(act, payload, arguments)
    resolver.__name__ = name
    # Strawberry reads a field's arguments and type from its resolver's signature.
    parameters = [Parameter(a.name, Parameter.KEYWORD_ONLY, annotation=a.type, default=a.default) for a in arguments]
    info = Parameter("info", Parameter.POSITIONAL_OR_KEYWORD, annotation=Info)
    resolver.__signature__ = Signature([info, *parameters], return_annotation=payload | None)
    return strawberry.mutation(resolver, name=name, description=description, metadata={SCOPE: act.scope})


def _resolver(
    act: Act[Any, Any], payload: type[Payload], arguments: tuple[Argument, ...]
) -> Callable[..., Awaitable[Any]]:
    async def resolve(info: Info, **values: Any) -> Payload:
        context = info.context
        parsed = [argument.parse(values.get(argument.name)) for argument in arguments]
        try:
            changed = await context.change(info.path.key, lambda write: act(write, context.principal, *parsed))
        except InputRefused as refused:
            context.user_errors += [mistake.code for mistake in refused.mistakes]
            return payload(user_errors=list(map(UserError.of, refused.mistakes)))
        return await payload.of(changed, context.loaders)

    return resolve
