"""Translations: every displayed sentence in English and Spanish.

===========  =======================================================================
``texts``    `Texts`: the sentences of ``lang/en.toml`` or ``lang/es.toml`` by key,
             and the choice of the language
``numbers``  numbers, durations, sizes and dates with the language's decimal mark
===========  =======================================================================

Displays, plans, figures, summaries, reports, the comparison and the teaching tools take their
sentences from here. The language is the argument ``lang``, else the environment variable
``KERASHPO_LANG``, else English; ``"auto"`` is the system's.

To add a language: a file beside those two with the same keys and placeholders (a test compares
them), and its name in `LANGUAGES`.
"""
