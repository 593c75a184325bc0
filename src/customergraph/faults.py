"""Unexpected errors in a command: one line for the operator, and the trace in a file."""

import os
import tempfile
import traceback
from uuid import uuid4


def report(error: BaseException) -> str:
    """Write the trace of an error to a file that only its owner can read; returns the line that names the file."""
    error_id = uuid4().hex
    line = f"internal error {error_id} ({type(error).__name__})"
    try:
        descriptor, path = tempfile.mkstemp(".txt", f"customergraph-{error_id}-")
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.writelines(traceback.format_exception(error))
    except OSError as write_error:
        return f"{line}: its trace cannot be written: {write_error.strerror}"
    return f"{line}: please report it with the file {path}"
