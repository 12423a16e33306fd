"""Ray clusters: a transport of the worker pool whose workers are actors on the cluster's nodes.

=============  ==========================================================================
``factory``    `Ray`, the value of ``executor=``; imports Ray only when it is used
``connection`` connects to a cluster: its nodes, their resources, whether its head answers
``transport``  `RayTransport` and `RayLink`: start actors and exchange messages with them
``worker``     the actor: a `Channel` and the runner's thread
``keeper``     the actor that reads and writes checkpoints for workers on other nodes
``silence``    decides when a head that does not answer counts as lost
``last_words`` a message in case Ray ends the search's process
``check``      ``kerashpo doctor --cluster``: versions of all nodes
=============  ==========================================================================

The driver (the process that searches) calls ``exchange`` of each actor, one call at a time: it
brings new orders and waits for the actor's messages, so that an epoch costs one call. Orders
that must not wait for its return go through ``take``. Workers on the driver's node read and
write the checkpoints in the study's folder themselves. Open ``transport.py`` first.
"""
