"""Winners of searches on unseen data: see README.md."""

import os

# Before Keras is imported, see cheap.py: one thread, and the backend whose steps are numpy's.
for _name in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
os.environ.setdefault("KERAS_BACKEND", "numpy")
