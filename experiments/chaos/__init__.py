"""Fault injection: the results of a search after kill -9, cut files, no memory and a full disk.

==============  ==========================================================================
``searches``    the searches that are disturbed: curves of a formula, and real training
``probe``       what a process is doing, readable after it was killed; every epoch trained
``killing``     one search in a process of its own, killed and started again until it is done
``kills``       many such searches: ``python -m experiments.chaos.kills --runs 200``
``table``       the peers' table: ``python -m experiments.chaos.table``
``cuts``        logs and checkpoints cut short: ``python -m experiments.chaos.cuts``
``limits``      little memory, a small disk: ``python -m experiments.chaos.limits``
``throughput``  epochs a second through loop and log: ``python -m experiments.chaos.throughput``
==============  ==========================================================================
"""
