"""Parts of libraries that their documentation does not promise: each is still there, and is used in one file.

Nothing here imports the package, which a lost part can break: then run `pytest --noconftest` on this file.
"""

import ast
import inspect
import textwrap
from collections.abc import Iterator
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any, TypeGuard

import pytest

PACKAGE = Path(__file__).parents[2] / "src/customergraph"

# A module, a part of it, and sometimes a parameter of that part.
BORROWED_PARTS = """
graphql.execution:Executor(enable_early_execution)
graphql.execution:Executor(fragment_definitions)
graphql.execution:Executor(hide_suggestions)
graphql.execution:Executor(is_async_iterable)
graphql.execution:Executor(is_awaitable)
graphql.execution:Executor(middleware_manager)
graphql.execution:Executor.build_response
graphql.execution:Executor.collected_errors
graphql.execution:Executor.complete_leaf_value
graphql.execution:Executor.complete_list_value(position_context)
graphql.execution:Executor.execute_operation
graphql.execution:Executor.handle_field_error
graphql.execution:Executor.schema
graphql.execution:Executor.variable_values
graphql.execution.collect_fields:CollectedFields.grouped_field_set
graphql.execution.collect_fields:FieldDetailsList
graphql.execution.collect_fields:FragmentDetails
graphql.execution.collect_fields:collect_fields(hide_suggestions)
graphql.execution.collect_fields:collect_subfields(hide_suggestions)
graphql.execution.executor:CollectedErrors.add
graphql.execution.get_variable_signature:GraphQLVariableSignature.default
graphql.execution.get_variable_signature:get_variable_signature
graphql.execution.values:VariableValueSource
graphql.execution.values:VariableValues
graphql.type.directives:GraphQLDisableErrorPropagationDirective
graphql.utilities.sort_value_node:sort_value_node

strawberry:Info(_field)
strawberry:Info(_raw_info)
strawberry:Schema._schema
strawberry:Schema.schema_converter
strawberry.execution:optimized_is_awaitable
strawberry.schema.schema_converter:GraphQLCoreConverter.DEFINITION_BACKREF
strawberry.schema.schema_converter:GraphQLCoreConverter.scalar_registry
strawberry.types.arguments:convert_arguments
strawberry.types.enum:StrawberryEnumDefinition.values
strawberry.types.field:StrawberryField(base_resolver)
strawberry.types.field:StrawberryField(metadata)
strawberry.types.field:StrawberryField.arguments
strawberry.types.field:StrawberryField.base_resolver
strawberry.types.field:StrawberryField.default_resolver
strawberry.types.field:StrawberryField.extensions
strawberry.types.field:StrawberryField.get_result
strawberry.types.field:StrawberryField.is_basic_field
strawberry.types.field:StrawberryField.python_name
strawberry.types.fields.resolver:StrawberryResolver.info_parameter
strawberry.types.fields.resolver:StrawberryResolver.wrapped_func
strawberry.types.scalar:ScalarDefinition

sqlalchemy:Insert._values
sqlalchemy:Select._correlate
sqlalchemy:Update._values
sqlalchemy.sql.compiler:SQLCompiler.positiontup
sqlalchemy.sql.elements:BooleanClauseList.operator
sqlalchemy.sql.elements:ColumnClause.is_literal
sqlalchemy.sql.elements:ColumnElement._from_objects
sqlalchemy.sql.operators:and_

aiosqlite:Connection._conn
aiosqlite:Connection._execute

asyncpg:InternalClientError
asyncpg:PostgresError.severity_en

httptools:HttpParserUpgrade
httptools:HttpRequestParser.feed_data
httptools:HttpRequestParser.get_method
httptools:HttpRequestParser.set_dangerous_leniencies
httptools:HttpRequestParser.should_upgrade

uvicorn:Config(h11_max_incomplete_event_size)
uvicorn:Server._captured_signals
uvicorn:Server.capture_signals
uvicorn:Server.force_exit
uvicorn:Server.handle_exit
uvicorn:Server.lifespan
uvicorn:Server.main_loop
uvicorn:Server.on_tick
uvicorn:Server.server_state
uvicorn:Server.servers
uvicorn:Server.shutdown
uvicorn:Server.startup
uvicorn.lifespan.on:LifespanOn.shutdown
uvicorn.lifespan.on:LifespanOn.state
uvicorn.protocols.http.httptools_impl:HttpToolsProtocol._should_upgrade
uvicorn.protocols.http.httptools_impl:HttpToolsProtocol._start_asgi_task
uvicorn.protocols.http.httptools_impl:HttpToolsProtocol._unset_keepalive_if_required
uvicorn.protocols.http.httptools_impl:HttpToolsProtocol.config
uvicorn.protocols.http.httptools_impl:HttpToolsProtocol.connection_lost
uvicorn.protocols.http.httptools_impl:HttpToolsProtocol.cycle
uvicorn.protocols.http.httptools_impl:HttpToolsProtocol.data_received
uvicorn.protocols.http.httptools_impl:HttpToolsProtocol.eof_received
uvicorn.protocols.http.httptools_impl:HttpToolsProtocol.handle_websocket_upgrade
uvicorn.protocols.http.httptools_impl:HttpToolsProtocol.headers
uvicorn.protocols.http.httptools_impl:HttpToolsProtocol.logger
uvicorn.protocols.http.httptools_impl:HttpToolsProtocol.loop
uvicorn.protocols.http.httptools_impl:HttpToolsProtocol.on_body
uvicorn.protocols.http.httptools_impl:HttpToolsProtocol.on_header
uvicorn.protocols.http.httptools_impl:HttpToolsProtocol.on_headers_complete
uvicorn.protocols.http.httptools_impl:HttpToolsProtocol.on_message_begin
uvicorn.protocols.http.httptools_impl:HttpToolsProtocol.on_message_complete
uvicorn.protocols.http.httptools_impl:HttpToolsProtocol.on_response_complete
uvicorn.protocols.http.httptools_impl:HttpToolsProtocol.on_url
uvicorn.protocols.http.httptools_impl:HttpToolsProtocol.parser
uvicorn.protocols.http.httptools_impl:HttpToolsProtocol.pipeline
uvicorn.protocols.http.httptools_impl:HttpToolsProtocol.shutdown
uvicorn.protocols.http.httptools_impl:HttpToolsProtocol.timeout_keep_alive_handler
uvicorn.protocols.http.httptools_impl:HttpToolsProtocol.timeout_keep_alive_task
uvicorn.protocols.http.httptools_impl:HttpToolsProtocol.transport
uvicorn.protocols.http.httptools_impl:HttpToolsProtocol.url
uvicorn.protocols.http.httptools_impl:RequestResponseCycle.default_headers
uvicorn.protocols.http.httptools_impl:RequestResponseCycle.disconnected
uvicorn.protocols.http.httptools_impl:RequestResponseCycle.flow
uvicorn.protocols.http.httptools_impl:RequestResponseCycle.keep_alive
uvicorn.protocols.http.httptools_impl:RequestResponseCycle.message_event
uvicorn.protocols.http.httptools_impl:RequestResponseCycle.more_body
uvicorn.protocols.http.httptools_impl:RequestResponseCycle.on_response
uvicorn.protocols.http.httptools_impl:RequestResponseCycle.response_complete
uvicorn.protocols.http.httptools_impl:RequestResponseCycle.response_started
uvicorn.protocols.http.httptools_impl:RequestResponseCycle.scope
uvicorn.protocols.http.httptools_impl:RequestResponseCycle.transport
uvicorn.protocols.http.httptools_impl:RequestResponseCycle.scope
uvicorn.protocols.http.httptools_impl:STATUS_LINE
uvicorn.protocols.websockets.websockets_sansio_impl:WebSocketsSansIOProtocol.handle_connect
uvicorn.protocols.websockets.websockets_sansio_impl:WebSocketsSansIOProtocol.handshake_complete
uvicorn.protocols.websockets.websockets_sansio_impl:WebSocketsSansIOProtocol.scope
uvicorn.protocols.websockets.websockets_sansio_impl:WebSocketsSansIOProtocol.shutdown
uvicorn.protocols.websockets.websockets_sansio_impl:WebSocketsSansIOProtocol.transport
uvicorn.protocols.websockets.websockets_sansio_impl:WebSocketsSansIOProtocol.writable
uvicorn.server:ServerState.connections
uvicorn.server:ServerState.tasks
""".split()

# The files that use private parts, and the modules that no other file imports.
BORROWERS = {
    "execution/graphql_core.py": (
        "graphql.execution.collect_fields",
        "graphql.execution.executor",
        "graphql.execution.get_variable_signature",
        "graphql.execution.values",
        "graphql.type",
        "graphql.utilities.sort_value_node",
    ),
    "execution/strawberry_internals.py": (
        "strawberry.execution",
        "strawberry.schema.schema_converter",
        "strawberry.types",
    ),
    "store/sqlalchemy_internals.py": ("sqlalchemy.sql.util",),
    "store/aiosqlite_internals.py": (),
    "store/postgresql.py": ("asyncpg",),
    "web/protocol.py": ("httptools", "uvicorn.protocols.http"),
    "web/socket_protocol.py": ("uvicorn.protocols.websockets",),
    "web/server.py": ("uvicorn.server", "uvicorn.lifespan"),
}
# Private in name alone: os._exit and the methods of named tuples are documented, and no other name
# describes the type of zlib's compressor.
PUBLIC = {"_exit", "_fields", "_replace", "_asdict", "_make", "_Compress"}
TREES = {str(path.relative_to(PACKAGE)): ast.parse(path.read_text("utf-8")) for path in sorted(PACKAGE.rglob("*.py"))}


def is_stored_attribute(node: ast.AST) -> TypeGuard[ast.Attribute]:
    return isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)


def attributes_of_instances(class_: type) -> set[str]:
    """Return the names of the attributes that the methods of a class set or that it declares."""
    names: set[str] = set()
    for ancestor in class_.__mro__[:-1]:
        names |= set(inspect.get_annotations(ancestor))
        # Compiled classes have no source.
        with suppress(OSError):
            source = ast.parse(textwrap.dedent(inspect.getsource(ancestor)))
            names |= {node.attr for node in ast.walk(source) if is_stored_attribute(node)}
    return names


def exists(part: str) -> bool:
    module_name, _, path = part.partition(":")
    path, _, parameter = path.rstrip(")").partition("(")
    *owners, name = path.split(".")
    try:
        owner: Any = import_module(module_name)
        for owner_name in owners:
            owner = getattr(owner, owner_name)
    except (ImportError, AttributeError):
        return False
    if not hasattr(owner, name):
        return isinstance(owner, type) and name in attributes_of_instances(owner)
    return not parameter or parameter in inspect.signature(getattr(owner, name)).parameters


@pytest.mark.parametrize("part", BORROWED_PARTS)
def test_a_borrowed_part_is_there(part: str) -> None:
    assert exists(part), f"This version has no {part}"


@pytest.mark.parametrize(
    "part", ["none:Part", "uvicorn:Part", "uvicorn:Server.part", "uvicorn:Part.part", "uvicorn:Config(part)"]
)
def test_a_lost_part_is_missed(part: str) -> None:
    assert not exists(part)


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.endswith("__") and name not in PUBLIC


def own_names(tree: ast.AST) -> set[str]:
    """Return the names that a file defines: functions, classes, variables, and attributes of its objects."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif is_stored_attribute(node):
            names.add(node.attr)
    return names


PACKAGES_NAMES = set().union(*map(own_names, TREES.values()))


def foreign_names(tree: ast.AST) -> Iterator[str]:
    """Yield the private names of others that a file uses."""
    own = own_names(tree)
    for node in ast.walk(tree):
        match node:
            case (
                ast.Attribute(value=ast.Name(id="self" | "cls"), attr=name)
                | ast.Attribute(value=ast.Call(func=ast.Name(id="super")), attr=name)
            ):
                # A class of another file may have defined it.
                names, known = [name], PACKAGES_NAMES
            case ast.Attribute(attr=name):
                names, known = [name], own
            case ast.Call(
                func=ast.Name(id="getattr" | "hasattr" | "setattr"), args=[_, ast.Constant(value=str(name)), *_]
            ):
                names, known = [name], own
            case ast.Call(keywords=keywords):
                names, known = [keyword.arg or "" for keyword in keywords], own
            case ast.ImportFrom(names=aliases):
                names, known = [alias.name for alias in aliases], set[str]()
            case _:
                continue
        yield from (name for name in names if is_private(name) and name not in known)


def imported_modules(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_other_files_use_no_private_names() -> None:
    uses = {name: list(foreign_names(tree)) for name, tree in TREES.items() if name not in BORROWERS}

    assert not {name: names for name, names in uses.items() if names}


@pytest.mark.parametrize(("borrower", "module"), [(file, module) for file in BORROWERS for module in BORROWERS[file]])
def test_a_borrowed_module_is_imported_by_one_file(borrower: str, module: str) -> None:
    importers = [
        name
        for name, tree in TREES.items()
        if any(f"{imported}.".startswith(f"{module}.") for imported in imported_modules(tree))
    ]

    assert set(importers) <= {borrower}


@pytest.mark.parametrize(
    "code",
    ["other._part", "self._part_of_a_library", "getattr(other, '_part')", "Info(_part=1)", "from library import _part"],
)
def test_private_names_are_found(code: str) -> None:
    assert list(foreign_names(ast.parse(code)))
