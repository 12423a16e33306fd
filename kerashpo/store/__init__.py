"""Persistence: the event log (a journal) and the checkpoints of a study.

===============  =======================================================================
``base``         `Store`, the append-only event log, and `Blobs`, bytes under keys;
                 `MemoryStore` for tests, simulations and `kerashpo.optimize`
``journal``      `JournalStore`: the log as a file of JSON lines with checksums, and `repair`
``lock``         `WriterLock`: keeps a second process from writing to a study
``blobs``        `MemoryBlobs` and `FileBlobs` (files replaced atomically), and the names of
                 checkpoints and weights
``uri_blobs``    `UriBlobs`: the same below a URL of fsspec, e.g. in an object store
``checkpoints``  checkpoints as bytes: arrays and plain values, never pickles
``trial_checkpoints``  which checkpoints of a trial and its forks are kept
``open``         `open_store` and `open_blobs`: a study's log and checkpoints, from a path or URL
``measuring``    the lock under which workers measure models, one at a time
``disk_full``    the error that ends a search whose disk is full
===============  =======================================================================

A `Store` has one writer, the loop. To add one: a final subclass with `append`, `read`
and `close`, and a line in ``kerashpo.testing.stores``. Open ``base.py`` first.
"""

from kerashpo.store.base import Blobs, MemoryStore, Store
from kerashpo.store.blobs import FileBlobs, MemoryBlobs
from kerashpo.store.journal import JournalStore

__all__ = ["Blobs", "FileBlobs", "JournalStore", "MemoryBlobs", "MemoryStore", "Store"]
