"""Searches on a Ray cluster of several nodes on one machine: what kills, reports and trials cost.

===================  =======================================================================
``nodes``            a cluster whose nodes and head can be killed, or cut off
``search``           a search in a process of its own, which can be killed and started again
``kills``            workers, nodes, search and head killed
``network``          packets are lost: the cable to a node is pulled out for a while
``equal``            the lab over three nodes beside the same search in one process
``costs``            processor time per report and trial, efficiency of eight workers
``light``            the search's own process with 200 workers
``beside_ray_tune``  the same trainable under Ray Tune's ASHA
===================  =======================================================================

Each is ``python -m experiments.cluster.NAME``; the README has what was seen.
"""
