"""Loading with transformers, without its reports.

Transformers is imported on use, since every parse of the Snakefile imports this module.
"""

from contextlib import contextmanager


@contextmanager
def quiet():
    """Silence what transformers reports while loading; its callers check the report instead."""
    from transformers.utils import logging

    verbosity, bar = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bar:
            logging.enable_progress_bar()
