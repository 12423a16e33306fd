"""The comparison: ``python -m kerashpo.compare``.

Plan, run what is missing, summarise. For each problem, tuner and seed: the search, then
its winner on the test set, which no search sees. Beside the tuners stand the untuned
default configuration and the majority class.

===========  =========================================================================
``options``  what to compare: flags and a TOML plan
``runs``     one tuner on one seed, and where its study and its row are kept
``winner``   the winner (or a baseline) on the test set
``summary``  means and intervals over seeds
``output``   tables on the screen, CSV files, the figure
``__main__`` the command
===========  =========================================================================

What has run is kept below ``DIR/runs`` and not run again; an interrupted search goes on.
"""
