"""Files of documents: GraphQL texts, and the manifests that clients' build tools write.

A manifest is Apollo's (`generate-persisted-query-manifest`), or an object of ids and texts, as graphql-codegen
(`persisted-documents.json`) and Relay's compiler (`persisted_queries.json`) write it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from customergraph.errors import CommandRefused
from customergraph.execution.documents import digest

_GRAPHQL = {".graphql", ".gql"}
_MANIFEST = ".json"
_FORMAT = "apollo-persisted-query-manifest"
_BLANKS = " \t\r\n"
# The prefix that the draft of GraphQL over HTTP gives to ids of this kind.
ID_PREFIX = "sha256:"


@dataclass(frozen=True, slots=True)
class ListedDocument:
    """A document, where it stands, and the id that its manifest gives it."""

    source: str
    text: str
    id: str | None = None

    @property
    def texts(self) -> Mapping[str, str]:
        """The text by each id that clients may send; editors end files with a line feed that clients leave out."""
        texts = {digest(text): text for text in (self.text, self.text.strip(_BLANKS))}
        return texts if self.id is None else {**texts, plain_id(self.id): self.text}


def plain_id(id_: str) -> str:
    return id_.removeprefix(ID_PREFIX)


def listed(folder: Path) -> list[ListedDocument]:
    """Return the documents of a folder and its subfolders; raises CommandRefused for a file that cannot be read."""
    if not folder.is_dir():
        raise CommandRefused(f"{folder} is no folder")
    paths = sorted(path for path in folder.rglob("*") if path.suffix in {*_GRAPHQL, _MANIFEST} and path.is_file())
    documents = [document for path in paths for document in _of_file(path, str(path.relative_to(folder)))]
    if not documents:
        raise CommandRefused(f"{folder} holds no documents: expected files that end in .graphql, .gql or .json")
    return documents


def _of_file(path: Path, name: str) -> Iterator[ListedDocument]:
    try:
        text = path.read_bytes().decode()
    except OSError as error:
        raise CommandRefused(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise CommandRefused(f"{path} is not UTF-8") from None
    return _of_manifest(text, name) if path.suffix == _MANIFEST else iter([ListedDocument(name, text)])


def _of_manifest(text: str, name: str) -> Iterator[ListedDocument]:
    try:
        manifest = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise CommandRefused(f"{name} is not JSON: {error}") from None
    entries = _of_apollo(manifest) if _is_apollos(manifest) else _pairs(manifest)
    for id_, body in entries:
        if not isinstance(id_, str) or not isinstance(body, str):
            raise CommandRefused(
                f"{name} is no manifest: expected an object of ids and texts, or Apollo's with `id` and `body`"
                " of each operation"
            )
        yield ListedDocument(f"{name} {id_}", body, id_)


def _is_apollos(manifest: Any) -> bool:
    return isinstance(manifest, dict) and manifest.get("format") == _FORMAT


def _of_apollo(manifest: Mapping[str, Any]) -> Iterator[tuple[Any, Any]]:
    operations = manifest.get("operations")
    for operation in operations if isinstance(operations, list) else [None]:
        yield (operation.get("id"), operation.get("body")) if isinstance(operation, dict) else (None, None)


def _pairs(manifest: Any) -> Iterator[tuple[Any, Any]]:
    return iter(manifest.items() if isinstance(manifest, dict) else [(None, None)])
