"""The comparison: ``python -m kerashpo.compare``.

Plan, run what is missing, summarise, say what may be claimed. For each problem, tuner and
seed: the search, then its winner on the test set, which no search sees. Beside the tuners,
ours and peers, stand the untuned default configuration and an answer that needs no model.

==============  ======================================================================
``options``     what to compare: flags and a TOML plan
``tuners``      who can be compared, and what each may spend
``runs``        one tuner on one seed, and where its study and its row are kept
``carry``       carries out one run; ``winner`` ours, ``peers`` other libraries'
``measure``     a winner on the test set
``workers``     runs side by side in processes
``folder``      what is known already; ``stored`` reads it back from CSV files
``files``       the CSV files
``summary``     means and intervals over seeds
``findings``    ranks, tests, bootstrap intervals, times to a target
``verdict``     what may be claimed, in words
``document``    the report; ``simulated`` its table beside made-up numbers
``figures``     its pictures
``provenance``  when, with what, on which machine, under which load
``output``      tables on the screen; ``numbers`` in the report
``results``     publishes all of that
``__main__``    the command
==============  ======================================================================

What has run is kept below ``DIR/runs`` and in the CSV files, and not run again; an
interrupted search goes on. To add a tuner of ours: its name in ``tuners`` and its case in
``winner``.
"""
