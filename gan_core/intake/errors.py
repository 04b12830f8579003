"""What is wrong with data, in one sentence each."""

from __future__ import annotations


class DataError(ValueError):
    """Data that cannot be used; ``str()`` is one sentence for the person who brought it."""


class DataMissing(DataError):
    """Data that is not on this machine; the sentence says which, and what to do."""


class Cancelled(DataError):
    """Whoever waited for it said so; nothing was kept."""
