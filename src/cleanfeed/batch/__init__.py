"""Batch cleaning: files, directories, dumps and crawls, safely and to the end.

``command`` reads the command line, ``job`` does what it asks, ``run`` drives, ``inputs`` finds what there is to do,
``formats`` reads and writes each kind of file, ``work`` cleans in the worker processes, ``pool`` spreads the work,
``journal`` remembers what is done.
"""
