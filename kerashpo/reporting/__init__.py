"""Reports: a study or a comparison as one HTML page or as Markdown, in English and Spanish.

=======================  ===================================================================
``study_report``         the report of one study: its blocks, and `write_report`
``study_figures``        the figures of that report
``final_round_section``  the finalists of a final round
``blocks``               headings, paragraphs, tables, figures: the parts of a report
``html``                 blocks as one HTML file that loads nothing (jinja2, ``templates/``)
``markdown``             blocks as Markdown
``svg``                  matplotlib figures as small SVG in the page's own colour
=======================  ===================================================================

Sentences come from `kerashpo.i18n`. To add a section: its blocks in ``study_report``, its
sentences in both files of ``i18n/lang``.
"""
