"""The terminal that a process was started from."""

import os


def is_there() -> bool:
    """Return whether a terminal controls this process. A service has none, and one that was closed is gone."""
    try:
        os.close(os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY))
    except OSError:
        return False
    return True
