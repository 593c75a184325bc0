"""What mends what the store refused, or what a check of it found."""

from customergraph.demo import NotMadeByDemo
from customergraph.errors import (
    BehindPgbouncer,
    CommandRefused,
    ProjectDeleted,
    SlugTaken,
    StoreMissing,
    StoreNewer,
    StoreOutdated,
    TokenNameTaken,
    TokenUnusable,
    UnknownProject,
    UnknownToken,
)
from customergraph.store.problems import (
    DeletionUnfinished,
    IndexInvalid,
    MailboxShared,
    Problem,
    SearchIndexMissing,
    WrongKeys,
)

_UPGRADE = "run `customergraph db upgrade`"
_REMEDIES: dict[type[CommandRefused | Problem], str] = {
    BehindPgbouncer: "run it with the URL of PostgreSQL itself, and CUSTOMERGRAPH_PGBOUNCER=false",
    DeletionUnfinished: "run `customergraph project delete` for it",
    IndexInvalid: "REINDEX it",
    MailboxShared: f"give one of them another email or delete it, and {_UPGRADE}",
    NotMadeByDemo: "choose another --path",
    ProjectDeleted: "`project delete` completes that",
    SearchIndexMissing: _UPGRADE,
    SlugTaken: "choose another; `project list` shows them",
    StoreMissing: f"{_UPGRADE} to make it, or name another",
    StoreNewer: "upgrade customergraph",
    StoreOutdated: _UPGRADE,
    TokenNameTaken: "choose another name, or rotate or revoke that token",
    TokenUnusable: "`token list --project SLUG` shows the others",
    UnknownProject: "`project list` shows them",
    UnknownToken: "`token list --project SLUG` shows them",
    WrongKeys: _UPGRADE,
}


def with_remedy(fault: CommandRefused | Problem) -> str:
    """Return the text of what is wrong, and what mends it, if that is known."""
    remedy = _REMEDIES.get(type(fault))
    return f"{fault}: {remedy}" if remedy else str(fault)
