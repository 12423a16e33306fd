"""A study: the loop that runs it, and the facade that answers about it.

=============  ====================================================================
``loop``       ask, submit, poll, decide, append, notify
``opening``    creates a study, or opens one and refuses what does not belong to it
``extending``  makes a study a wider one, where that is asked for
``repairing``  saves what is whole of a damaged log; ``health`` only looks
``resuming``   starts a search's command again
``running``    puts the parts together and runs the loop
``results``    `Results`: best, trials, curves, plots, the same for every kind of search
``study``      `open_study`: results of a folder, without Keras
=============  ====================================================================
"""
