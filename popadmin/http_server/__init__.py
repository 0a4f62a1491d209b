"""The web port: gunicorn's threaded worker, with all waiting for peers taken out of its threads.

One thread of each process, the poller, does every read and write. A thread of the pool gets a request once it is
complete, and writes its answer to memory or to a file. So no peer, however slow, holds a thread.
"""
