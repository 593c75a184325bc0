"""The rows of a file, checked, in batches."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from customergraph.domain.contact import mailbox
from customergraph.domain.entry import Entry
from customergraph.importing.files import Content
from customergraph.importing.identity import Contents, Seen
from customergraph.importing.kind import ImportKind
from customergraph.importing.layouts import Layout, Layouts
from customergraph.importing.mapping import NamedMapping
from customergraph.importing.marks import without_apostrophes
from customergraph.importing.reading import Reading
from customergraph.importing.rows import Record, Reject

BATCH_ROWS = 5_000
# Reviews can be long: this bounds the memory that the rows of a batch take.
BATCH_CHARACTERS = 8_000_000
# A rejected row of more lines may be many rows between two stray quotes.
USUAL_LINES = 100
_64_BITS = 2**64 - 1


@dataclass(slots=True)
class Batch:
    """The next rows of a file that can be imported, the rejects among them, and the rows as the file has them."""

    rows: list[Entry] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    records: dict[int, Record] = field(default_factory=dict)
    left_out: int = 0
    doubles: int = 0


class Checking:
    """Checks the rows of one reading of a file."""

    def __init__(self, kind: ImportKind, reading: Reading, mapping: NamedMapping | None) -> None:
        self.layouts = Layouts(kind, mapping)
        self._kind = kind
        self._reading = reading
        self._contents = Contents(kind.name)
        self._seen = Seen()

    def batches(self, content: Content, advance: Callable[[int], None]) -> Iterator[Batch]:
        batch = Batch()
        count = characters = 0
        for record in content.records(self.layouts, advance):
            if isinstance(record, Reject):
                batch.rejects.append(record)
            else:
                batch.records[record.line] = record
                self._check(record, batch)
                characters += sum(map(len, record.texts))
            count += 1
            if count == BATCH_ROWS or characters >= BATCH_CHARACTERS:
                yield batch
                batch, count, characters = Batch(), 0, 0
        if count:
            yield batch

    def _check(self, record: Record, batch: Batch) -> None:
        layout = self.layouts.of(record.names)
        rows = layout.rows(record)
        if "'" in "".join(record.texts):
            rows = [without_apostrophes(cells) for cells in rows]
        results = [self._kind.check(record.line, cells, self._reading) for cells in rows]
        checked = [result for result in results if isinstance(result, Entry)]
        if len(checked) < len(results):
            rejects = [reject for result in results if not isinstance(result, Entry) for reject in result]
            batch.rejects.extend(_in_own_names(rejects, record, layout))
            return
        batch.left_out += not rows
        for entry in checked:
            self._add(entry, batch)

    def _add(self, entry: Entry, batch: Batch) -> None:
        """Add a row to a batch; a row of history gets a uuid. Notes whether an earlier row says, or names, the same."""
        values, email = entry.values, entry.values.get("email")
        address = mailbox(email) if email else None
        if self._kind.is_history and values.get("uuid") is None:
            uuid, times = self._contents.uuid(values, address)
            entry = Entry(entry.field, {**values, "uuid": uuid}, entry.fills)
        else:
            key = values.get("slug") or values.get("uuid") or address or values.get("phone")
            times = self._seen.times(hash(key) & _64_BITS)
        batch.doubles += times > 1
        batch.rows.append(entry)


def _in_own_names(rejects: list[Reject], record: Record, layout: Layout) -> Iterator[Reject]:
    hint = ""
    if record.lines > USUAL_LINES:
        last = record.line + record.lines - 1
        hint = f"; the row goes on to line {last:,}: a quote may be missing"
    for reject in rejects:
        yield replace(reject, column=layout.own_name(reject.column), reason=reject.reason + hint)
