"""Worker processes: a pool of long-lived processes that train trials.

=============  ===========================================================================
``pool``       `ProcessExecutor`, the policy: queue, affinity, lost workers, checkpoints
``worker``     the parent's end of one worker, over a pipe
``main``       the worker's own main function, and its end of the pipe
``protocol``   the messages that parent and worker exchange
``pickling``   sends code by value and arrays by memory-mapped files
``resources``  assigns cores, threads and GPUs to workers
=============  ===========================================================================
"""
