"""The command `operate`: files for the programs that run the gateway, guard it and watch it."""

import hashlib
import re
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Annotated

import typer

from customergraph.cli.console import report
from customergraph.errors import CommandRefused
from customergraph.staging import Place

# The digests of the files that were written, as `sha256sum --check` reads them.
SUMS = "SHA256SUMS"
_LINE = re.compile(rb"([0-9a-f]{64})  (\S+)")


def operate(
    folder: Annotated[Path, typer.Argument(help="A new folder, or an earlier one, whose files are replaced.")],
) -> None:
    """Write files for operators to a folder: systemd, nginx, Docker, Prometheus and Grafana."""
    contents = {each.name: each.read_bytes() for each in files("customergraph").joinpath("operate").iterdir()}
    contents[SUMS] = "".join(f"{_digest(contents[name])}  {name}\n" for name in sorted(contents)).encode()
    earlier = _listed(folder / SUMS)
    _make(folder)
    # The list comes last: a command that is stopped can be repeated.
    places = {_place(folder / name, content, earlier): content for name, content in contents.items()}
    for place in places:
        place.refuse_others()
    for place, content in places.items():
        _write(place, content)
    report(f"Wrote {', '.join(sorted(contents))} to {folder}. Each says at its top how it is used.")


def _make(folder: Path) -> None:
    try:
        folder.mkdir(exist_ok=True)
    except FileNotFoundError:
        raise CommandRefused(f"there is no folder {folder.parent}") from None
    except FileExistsError:
        raise CommandRefused(f"{folder} is no folder") from None
    except OSError as error:
        raise CommandRefused(f"the folder {folder} cannot be made: {error.strerror}") from None


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _listed(path: Path) -> dict[str, str]:
    """Return the digests that an earlier command wrote, by the names of the files."""
    if not path.is_file():
        return {}
    return {name.decode(): digest.decode() for digest, name in _LINE.findall(path.read_bytes())}


def _place(path: Path, content: bytes, earlier: Mapping[str, str]) -> Place:
    """Return where a file is written; one that was changed since an earlier command is not replaced."""

    def is_ours(target: Path) -> bool:
        if path.name == SUMS:
            return any((files("customergraph") / "operate" / name).is_file() for name in earlier)
        return _digest(target.read_bytes()) in {_digest(content), earlier.get(path.name)}

    return Place(path, "file", is_ours, "it was changed, or is not of this command: choose another folder")


def _write(place: Place, content: bytes) -> None:
    with place.refusing(), place.temporary() as temporary:
        temporary.write_bytes(content)
        place.put(temporary)
