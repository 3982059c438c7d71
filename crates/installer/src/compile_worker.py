# Byte-compiles the files named on standard input with the interpreter that runs it.
# In:  a count, then that many times: source path, path to embed; each ended by NUL.
# Out: one line per request, "1" or "0" for each file.
import os
import py_compile
import sys
from importlib.util import cache_from_source

sys.pycache_prefix = None
stdin, stdout = sys.stdin.buffer, sys.stdout.buffer
pending = b""


def field():
    global pending
    while True:
        head, separator, tail = pending.partition(b"\0")
        if separator:
            pending = tail
            return os.fsdecode(head)
        chunk = stdin.read1(1 << 16)
        if not chunk:
            sys.exit(0)
        pending += chunk


while True:
    answers = bytearray()
    for _ in range(int(field())):
        source, final = field(), field()
        try:
            py_compile.compile(source, cache_from_source(source), final, True)
            answers += b"1"
        except Exception:
            answers += b"0"
    stdout.write(answers + b"\n")
    stdout.flush()
