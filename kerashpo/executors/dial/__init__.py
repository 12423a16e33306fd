"""Workers that dial in: a transport of the pool for SLURM, plain ssh, or a second terminal.

=============  ==========================================================================
``factory``    `Dial`, the value of ``executor=``
``transport``  `DialTransport` and `DialLink`: take workers that have dialled in
``reception``  accepts connections, and authenticates them by a shared key
``keys``       reads and writes the key's file
``protocol``   the messages besides the pool's: greeting, checkpoints
``worker``     ``kerashpo worker HOST:PORT --key-file F``: the main function of a worker
=============  ==========================================================================

The search listens; workers connect, prove that they have the key, and are sent what they need.
A second connection of each worker asks the search for checkpoints, so that no shared file
system is needed. Connections are authenticated, not encrypted: for trusted networks only. Open
``transport.py`` first.
"""
