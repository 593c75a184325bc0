"""Faults of ours in a command: one line to the operator, and the trace in a file."""

import os
import tempfile
import traceback
from uuid import uuid4


def report(error: BaseException) -> str:
    """Write the trace of an error to a file that only its owner can read; gives the line that names the file."""
    fault_id = uuid4().hex
    line = f"a fault of ours, {fault_id} ({type(error).__name__})"
    try:
        descriptor, path = tempfile.mkstemp(".txt", f"customergraph-{fault_id}-")
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.writelines(traceback.format_exception(error))
    except OSError as unwritten:
        return f"{line}: its trace cannot be written: {unwritten.strerror}"
    return f"{line}: tell us what the file {path} says"
