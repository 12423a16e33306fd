"""Worker processes of this machine: a transport of the worker pool.

=============  ===========================================================================
``pipe_transport``  `ProcessTransport`: starts processes and reaches them over pipes
``main``            the worker's own main function
``pickling``        sends code by value and arrays by memory-mapped files
``resources``       assigns cores, threads and GPUs to workers
=============  ===========================================================================

None of it imports Keras: a worker imports only what its runner needs. Open
``pipe_transport.py`` first.
"""
