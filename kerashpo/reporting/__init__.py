"""What people read: tables and texts in English and Spanish.

============  ======================================================================
``language``  every visible sentence, from ``lang/en.toml`` and ``lang/es.toml``
``blocks``    what a report is made of
``markdown``  blocks as Markdown
``page``      blocks as one HTML file that loads nothing (jinja2, ``templates/``)
``study``     the report of one study, as blocks; ``pictures`` its figures
``drawing``   figures as small SVG in the page's own colour
``writing``   a study's report into a file
============  ======================================================================

To add a language: a file beside those two with the same keys and placeholders (a test
holds them together), and its name in `LANGUAGES`.
"""
