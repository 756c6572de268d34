"""Command lines of people's terminals, whatever their encoding."""

import os
import signal
import sys


def command_line() -> list[str]:
    """Return a command's arguments, and let its output degrade where the terminal lacks characters.

    Characters that the terminal's encoding lacks are printed as their codes (`\\u2191`), as Python
    does in error messages. A reader that stops early (`| head`) ends the command silently.

    Returns:
        The arguments. Bytes that are UTF-8 are read as UTF-8, also in other locales.
    """
    sys.stdout.reconfigure(errors="backslashreplace")
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    return [_decoded(argument) for argument in sys.argv[1:]]


def _decoded(argument: str) -> str:
    try:
        return os.fsencode(argument).decode("utf-8")
    except UnicodeError:
        return argument
