"""The words that every other package speaks.

=============  ======================================================================
``records``    what travels: `Objective`, `Job` (`Start`, `Resume`, `Fork`), `Report`,
               `Decision`, `Status`, and the named outcomes of asking
``events``     what happened: the append-only log of a study, with its JSON codec
``history``    `History`, the fold of the events: the only state everything else reads
``trial``      `Trial`, one configuration for life, and its best epoch
``rng``        random streams keyed by seed, purpose and trial: no global generator
``directions`` which way a metric improves, from a table of the field's names
``errors``     every error of ours, each with what was expected, what came, what to do
=============  ======================================================================

To add an event: a frozen dataclass in ``events`` with a line in ``EVENTS``, and a
branch in ``History.apply``. Nothing here imports anything of ours from elsewhere.
"""
