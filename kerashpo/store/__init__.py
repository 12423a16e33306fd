"""Where the log and the checkpoints live.

==========  ============================================================================
``memory``  a list and a dict, for tests, simulations and `kerashpo.optimize`
``sqlite``  the standard library's SQLite in WAL mode: a study survives ``kill -9``
``schema``  the table of events, its versions, and a checksum for each row
``repair``  saves the whole events of a damaged log; ``pages`` reads them without SQLite
``blobs``   checkpoints: bytes under a key, in memory or as files replaced atomically
``keys``    the names of checkpoints and weights
``lock``    keeps a second process from writing to a study
``full``    the error that ends a search whose disk is full
==========  ============================================================================

A `Store` has one writer, the loop. To add one: a final subclass with `append`, `read`
and `close`, and a line in ``kerashpo.testing.stores``.
"""

from kerashpo.store.base import Blobs, MemoryStore, Store
from kerashpo.store.blobs import FileBlobs, MemoryBlobs
from kerashpo.store.sqlite import SQLiteStore

__all__ = ["Blobs", "FileBlobs", "MemoryBlobs", "MemoryStore", "SQLiteStore", "Store"]
