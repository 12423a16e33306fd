"""What workers on other machines need: code, data, checkpoints, and equal versions.

===============  ========================================================================
``recipe``       serialises the runner's factory and its arrays for other machines
``sources``      the user's own modules travel as source text and are importable there
``kept_blobs``   checkpoints that a keeper beside the search writes to the study's folder
``versions``     compares versions of Python, Keras and kerashpo
===============  ========================================================================

The transports of `kerashpo.executors.ray` and `kerashpo.executors.dial` use all of them; workers
of this machine (`kerashpo.executors.processes`) share a file system and need none.
"""
