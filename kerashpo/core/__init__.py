"""The records, events and history that every other package uses.

==================  ==================================================================
``records``         values passed between the parts: `Objective`, `Job` (`Start`, `Resume`,
                    `Fork`), `Report`, `Decision`, `Status`, `Plan`
``events``          the append-only log of a study, with its JSON codec
``history``         `History`, the fold of the events: the only state everything else reads
``trial``           `Trial`, one configuration from its start to its end, and its best epoch
``objective``       the direction in which a metric improves, scoring rules, weighted sums
``spread``          a measured number with its spread
``sizes``           sizes such as ``"4GB"`` in bytes
``pareto``          non-dominated sorting, crowding distance, the knee of a front
``hypervolume``     the hypervolume of a front
``limits``          limits that a feasible trial satisfies
``listener``        `Listener`, the interface of loggers and displays
``rng``             random streams keyed by seed, purpose and trial: no global generator
``import_string``   ``my_file.py:function`` and ``package.module:function``, imported
``errors``          every exception of kerashpo
``requirements``    errors for packages that are not installed
==================  ==================================================================

To add an event: a frozen dataclass in ``events`` with a line in ``EVENTS``, and a
branch in ``History.apply``. Nothing here imports another package of ours. Open
``records.py`` first, then ``events.py`` and ``history.py``.
"""
