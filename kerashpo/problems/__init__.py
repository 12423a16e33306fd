"""What to tune.

==========  =========================================================================
``base``    `Problem`, what `kerashpo.simulate` searches
``curves``  learning curves from formulas, for tests and for studying schedulers
==========  =========================================================================
"""
