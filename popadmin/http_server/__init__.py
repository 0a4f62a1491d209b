"""The web port: gunicorn's threaded worker, changed so that its threads never wait for peers.

One thread of each process, the poller, does all reads and writes. A pool thread gets a request when it is complete,
and writes its answer to memory or to a file. A slow peer therefore never holds a thread.
"""
