"""Searches on a Ray cluster of several nodes on one machine: what kills, reports and trials cost.

==========  ================================================================================
``search``  a search in a process of its own, which can be killed and started again
``kills``   workers, nodes, search and head killed: ``python -m experiments.cluster.kills``
``costs``   processor time per report and trial, efficiency: ``python -m experiments.cluster.costs``
==========  ================================================================================
"""
