"""What people read: tables and texts in English and Spanish.

============  ======================================================================
``language``  every visible sentence, from ``lang/en.toml`` and ``lang/es.toml``
============  ======================================================================

To add a language: a file beside those two with the same keys and placeholders (a test
holds them together), and its name in `LANGUAGES`.
"""
