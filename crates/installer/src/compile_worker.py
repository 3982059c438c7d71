# Byte-compiles the files named on standard input with the interpreter that runs it.
# In:  a count, then that many times: source path, path to embed; each ended by NUL.
# Out: one line per request, "1" or "0" for each file.
import gc
import os
import py_compile
import sys
from importlib.util import cache_from_source

try:
    from importlib._bootstrap_external import _code_to_timestamp_pyc as timestamp_pyc
except ImportError:
    timestamp_pyc = None

gc.disable()  # compiling leaves no cycles to be found
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


def write_new(path, content, mode):
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    try:
        descriptor = os.open(path, flags, mode)
    except FileNotFoundError:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        descriptor = os.open(path, flags, mode)
    try:
        with open(descriptor, "wb", 0) as file:
            # A disk that is almost full takes a part of it.
            if file.write(content) != len(content):
                raise OSError("cut short")
    except OSError:
        os.unlink(path)
        raise


# What py_compile does, less what a new file doesn't need: a temporary name, and questions about
# what is there. With the collector it is a twentieth of the time.
def compile_new(source, target, final):
    with open(source, "rb", 0) as file:
        facts = os.fstat(file.fileno())
        content = file.readall()
    code = compile(content, final, "exec", dont_inherit=True)
    content = timestamp_pyc(code, int(facts.st_mtime), facts.st_size)
    write_new(target, content, (facts.st_mode | 0o200) & 0o666)


# Where this is set byte-code has the source's digest in place of its time.
has_times = timestamp_pyc is not None and not os.environ.get("SOURCE_DATE_EPOCH")

while True:
    answers = bytearray()
    for _ in range(int(field())):
        source, final = field(), field()
        try:
            target = cache_from_source(source)
            # One that the wheel brings is replaced: it may be a link into the store.
            if has_times and not os.path.lexists(target):
                compile_new(source, target, final)
            else:
                py_compile.compile(source, target, final, True)
            answers += b"1"
        except Exception:
            answers += b"0"
    stdout.write(answers + b"\n")
    stdout.flush()
