#!/usr/bin/env python3
"""Puts bnbpip.exe through a user's day with packages from the live index, under Windows or Wine, and pip beside it.

    python3 tests/windows/trial.py bnbpip.exe 'C:\\Python312' FOLDER

The Python is told as Windows knows it, FOLDER as this system does. It must not be there yet; the environment, the cache
and the lock come into it, and stay to be looked at.

Each step is a line: `ok`, `failed` with the reason, or `ends in Wine` where the process itself says that it called what
Wine doesn't have. The exit code is 1 where a step failed. It needs the internet and the standard library alone.
"""

import base64
import collections
import contextlib
import csv
import functools
import hashlib
import importlib.metadata
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

WINE = os.name != "nt"

# What is asked for: the module of it that is compiled.
PACKAGES = {
    "aiohttp": "aiohttp._http_parser",
    "bcrypt": "bcrypt._bcrypt",
    "black[d]": "black",
    "brotli": "_brotli",
    "cffi": "_cffi_backend",
    "coverage": "coverage.tracer",
    "cryptography": "cryptography.hazmat.bindings._rust",
    "greenlet": "greenlet._greenlet",
    "httptools": "httptools.parser.parser",
    "lxml": "lxml.etree",
    "lz4": "lz4.frame._frame",
    "markupsafe": "markupsafe._speedups",
    "msgpack": "msgpack._cmsgpack",
    "numpy": "numpy",
    "orjson": "orjson.orjson",
    "pandas": "pandas",
    "pillow": "PIL._imaging",
    "psutil": "psutil._psutil_windows",
    "pydantic-core": "pydantic_core._pydantic_core",
    "pyyaml": "yaml._yaml",
    "rapidfuzz": "rapidfuzz.fuzz_cpp",
    "regex": "regex._regex",
    "rpds-py": "rpds.rpds",
    "safetensors": "safetensors._safetensors_rust",
    "scipy": "scipy.linalg",
    "sqlalchemy": "sqlalchemy.engine",
    "tokenizers": "tokenizers.tokenizers",
    "tornado": "tornado.speedups",
    "wrapt": "wrapt._wrappers",
    "zstandard": "zstandard.backend_c",
}
UNIMPLEMENTED = re.compile(r"unimplemented function (\S+),")


class Failed(Exception):
    """A step didn't do what it should."""


class EndsInWine(Exception):
    """A process called what Wine doesn't have."""


def expect(condition, what):
    if not condition:
        raise Failed(what)


def some(things):
    """The first few of many, for a reason."""
    return f"{len(things)}: " + ", ".join(sorted(map(str, things))[:5])


@contextlib.contextmanager
def running_wine():
    """One program that runs all the time has Wine's services started, which would hold a step's pipes open."""
    silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    if not WINE:
        yield
        return
    # Whoever starts first has the services: not the first step, then.
    subprocess.run(["wine", "cmd", "/c", "exit"], stdin=subprocess.DEVNULL, check=True, **silent)
    with subprocess.Popen(["wine", "cmd"], stdin=subprocess.PIPE, **silent):
        yield


def normalized(name):
    return re.sub("[-_.]+", "-", name).lower()


def windows(path):
    """The path as programs for Windows know it."""
    return "Z:" + str(path).replace("/", "\\") if WINE else str(path)


class Environment:
    """A virtual environment, judged by its files alone."""

    def __init__(self, root):
        self.root = root
        self.library = root / "Lib" / "site-packages"
        self.scripts = root / "Scripts"

    def distributions(self):
        found = importlib.metadata.distributions(path=[str(self.library)])
        return {normalized(it.metadata["Name"] or ""): it for it in found}

    def versions(self):
        return {name: it.version for name, it in self.distributions().items()}

    def recorded(self, distribution):
        """The files of its RECORD, each with its digest if there is one."""
        for path, digest, _ in csv.reader((distribution.read_text("RECORD") or "").splitlines()):
            yield Path(os.path.normpath(distribution.locate_file(path))), digest

    def files_of(self, name):
        return {path.relative_to(self.root) for path, _ in self.recorded(self.distributions()[name])}

    def check_files(self):
        """Every file of every RECORD is there and is what it should be; says how many those are."""
        count, bad = 0, []
        for name, distribution in self.distributions().items():
            rows = list(self.recorded(distribution))
            count += len(rows)
            if not rows:
                bad.append(f"{name} has no RECORD")
            for path, digest in rows:
                if not path.is_file():
                    bad.append(f"{path} is missing")
                elif digest and digest_of(path, digest.split("=")[0]) != digest:
                    bad.append(f"{path} is another")
        expect(count and not bad, f"of {count} files {some(bad)}")
        return f"{count} files"

    def files(self):
        """All there is."""
        return {path.relative_to(self.root) for path in self.root.rglob("*") if not path.is_dir()}


def digest_of(path, algorithm):
    digest = hashlib.new(algorithm, path.read_bytes()).digest()
    return f"{algorithm}=" + base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


class Trial:
    """The programs, and what they are tried on."""

    def __init__(self, program, python, folder):
        self.program, self.python = program, python
        self.environment = Environment(folder / "env")
        self.interpreter = self.environment.scripts / "python.exe"
        # Wine's debugger would start a desktop, which goes on and holds the pipes of what it was started by.
        wine = {"WINEDEBUG": "-all", "WINEDLLOVERRIDES": "winedbg.exe="}
        variables = {**os.environ, **wine, "BNBPIP_CACHE_DIR": windows(folder / "cache")}
        self.options = {"cwd": folder, "env": variables, "capture_output": True, "timeout": 1800}
        self.bare, self.complete = set(), {}

    def run(self, program, *words, text="", code=0):
        """What the program says; it has to end with this exit code."""
        command = [*(["wine"] if WINE else []), str(program), *words]
        done = subprocess.run(command, input=text.encode(), check=False, **self.options)
        said, errors = (stream.decode(errors="replace").replace("\r\n", "\n") for stream in (done.stdout, done.stderr))
        lacking = UNIMPLEMENTED.search(errors)
        if WINE and lacking and program == self.interpreter:
            raise EndsInWine(lacking[1])
        what = f"{Path(program).name} {' '.join(words)} ended with {done.returncode}"
        expect(done.returncode == code, f"{what}: {(said + errors)[-600:]}")
        return said

    def bnbpip(self, *words):
        return self.run(self.program, *words, "--no-input", "--python", windows(self.environment.root))

    def pip(self, *words):
        return self.run(self.interpreter, "-m", "pip", *words, "--no-input", "--disable-pip-version-check")

    def expect_complete(self, versions):
        expect(versions == self.complete, f"differs in {some(versions.items() ^ self.complete.items())}")

    def check_complete(self):
        """The environment is as the first installation made it."""
        self.expect_complete(self.environment.versions())
        return self.environment.check_files()

    def removes(self, uninstall, name):
        """Uninstalling takes the files that the RECORD has, no other, and no folder stays empty."""
        before, files = self.environment.files(), self.environment.files_of(name)
        uninstall("uninstall", "-y", name)
        differing = before ^ self.environment.files() ^ files
        expect(not differing, f"gone or left against the RECORD: {some(differing)}")
        empty = [path for path in self.environment.library.rglob("*") if path.is_dir() and not any(path.iterdir())]
        expect(not empty, f"empty folders: {some(empty)}")
        return f"{len(files)} files gone, there are {self.environment.check_files()}"

    def venv(self):
        self.run(self.program, "venv", windows(self.environment.root), "--python", self.python)
        self.bare = self.environment.files()
        said = self.run(self.interpreter, "-c", "import sys; print(sys.version.split()[0], sys.prefix)")
        expect(said.rstrip().endswith(" " + windows(self.environment.root)), said)
        return f"Python {said.split()[0]}"

    def install(self):
        self.bnbpip("install", *PACKAGES)
        self.complete = self.environment.versions()
        missing = {name.partition("[")[0] for name in PACKAGES} - self.complete.keys()
        expect(not missing, f"not installed: {some(missing)}")
        return f"{len(self.complete)} packages, {self.environment.check_files()}"

    def imports(self, module):
        said = self.run(self.interpreter, "-c", f"import {module} as it; print(it.__file__)")
        expect(said.startswith(windows(self.environment.library)), f"came from {said!r}")

    def black(self):
        black = self.environment.scripts / "black.exe"
        untidy = "x = {  'a':1 }\n"
        expect(self.run(black, "-q", "-", text=untidy) == 'x = {"a": 1}\n', "formatted otherwise")
        self.run(black, "-q", "--check", "-", text=untidy, code=1)
        self.run(black, "-q", "-", text="x = (\n", code=123)
        expect("blackd" in self.run(self.environment.scripts / "blackd.exe", "--version"), "no version of blackd")

    def listing(self):
        listed = json.loads(self.bnbpip("list", "--format", "json"))
        self.expect_complete({normalized(it["name"]): it["version"] for it in listed})
        return self.bnbpip("check").strip()

    def sync(self):
        version = self.run(self.interpreter, "--version").split()[1].rpartition(".")[0]
        self.bnbpip("lock", *PACKAGES, "--environment", f"windows-{version}")
        self.bnbpip("uninstall", "-y", "regex", "lxml")
        self.bnbpip("install", "iniconfig", "msgpack<1.1")
        disturbed = self.environment.versions().items() ^ self.complete.items()
        expect(len(disturbed) == 5, f"differs in {some(disturbed)}")
        self.bnbpip("sync")
        said = self.bnbpip("sync")
        expect(said == "The environment is as the lock says\n", said)
        return self.check_complete()

    def uninstall(self):
        return self.removes(self.bnbpip, "black")

    def undo(self):
        self.bnbpip("undo")
        self.black()
        return self.check_complete()

    def undo_all(self):
        changes = len(json.loads(self.bnbpip("history", "--json")))
        self.bnbpip("undo", str(changes))
        differing = self.environment.files() ^ self.bare
        expect(not differing, f"differs from the bare environment in {some(differing)}")
        self.bnbpip("undo")
        return f"{changes} changes; and of that: {self.check_complete()}"

    def pip_lists(self):
        self.bnbpip("install", "pip")
        theirs, ours = (json.loads(say("list", "--format", "json")) for say in (self.pip, self.bnbpip))
        expect(theirs == ours, f"pip lists {theirs}, bnbpip {ours}")
        self.pip("check")
        return f"{len(theirs)} packages, the same"

    def pip_uninstalls(self):
        return self.removes(self.pip, "black")

    def pip_installs(self):
        self.pip("install", "--no-deps", f"black=={self.complete['black']}")
        self.black()
        return self.removes(self.bnbpip, "black")

    def steps(self):
        yield "venv", self.venv
        yield f"install of {len(PACKAGES)}", self.install
        yield "list and check", self.listing
        for module in PACKAGES.values():
            yield f"import {module}", functools.partial(self.imports, module)
        yield "black.exe", self.black
        yield "lock and sync", self.sync
        yield "uninstall", self.uninstall
        yield "undo", self.undo
        yield "undo of everything", self.undo_all
        yield "pip lists what bnbpip installed", self.pip_lists
        yield "pip uninstalls what bnbpip installed", self.pip_uninstalls
        yield "bnbpip uninstalls what pip installed", self.pip_installs


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    program, folder = Path(sys.argv[1]).resolve(), Path(sys.argv[3]).resolve()
    folder.mkdir(parents=True)
    counts = collections.Counter()
    with running_wine():
        for name, step in Trial(program, sys.argv[2], folder).steps():
            began, word, detail = time.monotonic(), "ok", ""
            try:
                detail = step()
            except EndsInWine as lacking:
                word, detail = "ends in Wine", f"which lacks {lacking}"
            except (Failed, OSError, LookupError, ValueError, subprocess.TimeoutExpired) as reason:
                word, detail = "failed", reason
            counts[word] += 1
            print(f"{name}: {word} ({time.monotonic() - began:.0f} s)" + (f": {detail}" if detail else ""), flush=True)
    print(", ".join(f"{count} {word}" for word, count in counts.items()))
    return 1 if counts["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
