"""What a check of the store can find. The texts have no remedies: the command line adds them, by the kind."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is wrong with the store."""

    text: str

    def __str__(self) -> str:
        return self.text


class SearchIndexMissing(Problem):
    """PostgreSQL has no index for searches."""


class IndexInvalid(Problem):
    """PostgreSQL does not use an index, since it was never finished."""


class WrongKeys(Problem):
    """Rows have keys that do not follow from their texts."""


class DeletionUnfinished(Problem):
    """The deletion of a project was interrupted, or is not at its end."""


class MailboxShared(Problem):
    """Several customers have one mailbox."""
