#!/usr/bin/env python3
"""Locks of real projects against other programs: are they valid, complete, always the same, and does
everybody install the same from them?

    python tests/compat/locks.py --bnbpip target/release/bnbpip [CHECK …]     (needs packaging>=26.3, pip>=26.3, uv)

    corpus        locks of many projects: valid by packaging.pylock, every field there, and bnbpip,
                  pip and uv install the same versions (Linux) and uv the Windows ones (--windows);
                  with --dry-run, or for what is too large, what they would install: bnbpip and uv on
                  Linux, uv on Windows, and what pip's own copy of packaging selects
    accelerators  unsloth for Windows and Linux, two Pythons, cpu, cu126 and cu128, torch from a local
                  index: each selection equals a lock of that one alone; pip and uv take the right torch
    determinism   the same bytes whatever the order, the cache and the number of processors
    merging       one added package is one hunk; two branches that add one each merge
    time          locking against `uv pip compile --universal`, a sync without work against uv's

Uses the network and the index that pip is configured for. Exit status 0: all that was checked holds.
"""

import argparse
import hashlib
import http.server
import itertools
import random
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import tomllib
import zipfile
from pathlib import Path

from packaging.pylock import Pylock
from packaging.tags import compatible_tags, cpython_tags
from packaging.utils import canonicalize_name

CORPUS = """
requests numpy pandas flask django fastapi httpx pydantic sqlalchemy click rich typer pytest black ruff mypy
jupyter airflow[celery]=apache-airflow[celery] transformers celery boto3 scipy scikit-learn matplotlib pillow
lxml beautifulsoup4 aiohttp uvicorn gunicorn jinja2 cryptography paramiko redis psycopg2-binary=psycopg2-binary
pymongo alembic scrapy sphinx mkdocs poetry hatch tox nox pre-commit ipython notebook jupyterlab streamlit gradio
dash plotly bokeh polars pyarrow duckdb networkx sympy openai anthropic tiktoken tokenizers datasets
huggingface-hub safetensors opencv-python-headless grpcio protobuf unsloth
""".split()
# Not installed: gigabytes of CUDA.
TOO_LARGE = {"unsloth"}
FAMILIES = ["cpu", "cu126", "cu128"]


class Checker:
    def __init__(self, arguments):
        self.bnbpip = str(Path(arguments.bnbpip).resolve())
        self.pip, self.uv, self.python = arguments.pip, arguments.uv, arguments.python
        self.cache = arguments.cache
        self.windows = arguments.windows
        self.only = arguments.only
        self.dry_run = arguments.dry_run
        self.failures = []

    def fail(self, text):
        print("FAIL", text, flush=True)
        self.failures.append(text)

    def run(self, *command, cwd=None, check=False, cores=None):
        command = [str(part) for part in command]
        if cores is not None:
            command = ["taskset", "-c", cores, *command]
        done = subprocess.run(command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if check and done.returncode:
            raise RuntimeError(f"{command}: {done.stdout[-1500:]}")
        return done

    def lock(self, folder, *arguments, cache=None, cores=None):
        return self.run(self.bnbpip, "lock", "--cache-dir", cache or self.cache, *arguments, cwd=folder, cores=cores)

    def venv(self, folder):
        self.run(self.uv, "venv", "-q", "--python", self.python, folder, check=True)
        return folder

    def python_of(self, venv):
        return venv / "bin" / "python"


def target(system, version):
    """Markers and tags of an environment, as packaging takes them."""
    windows = system == "win32"
    machine = "AMD64" if windows else "x86_64"
    parsed = tuple(map(int, version.split(".")))
    if windows:
        platforms = ["win_amd64"]
    else:
        platforms = [f"manylinux_2_{n}_x86_64" for n in range(28, 4, -1)]
        platforms += ["manylinux2014_x86_64", "manylinux2010_x86_64", "manylinux1_x86_64", "linux_x86_64"]
    environment = {
        "implementation_name": "cpython", "implementation_version": f"{version}.1",
        "os_name": "nt" if windows else "posix", "platform_machine": machine, "platform_release": "",
        "platform_system": "Windows" if windows else "Linux", "platform_version": "",
        "python_full_version": f"{version}.1", "platform_python_implementation": "CPython",
        "python_version": version, "sys_platform": system,
    }
    tags = list(cpython_tags(parsed, platforms=platforms))
    tags += list(compatible_tags(parsed, f"cp{parsed[0]}{parsed[1]}", platforms))
    return environment, tags


def selection(path, system, version, extras=()):
    """`name==version` of what packaging selects."""
    lock = Pylock.from_dict(tomllib.loads(path.read_text()))
    environment, tags = target(system, version)
    selected = lock.select(environment=environment, tags=tags, extras=list(extras))
    return {f"{package.name}=={package.version}" for package, _ in selected}


def installed(venv):
    found = set()
    for folder in venv.glob("lib/python*/site-packages/*.dist-info"):
        name, _, version = folder.name.removesuffix(".dist-info").rpartition("-")
        found.add(re.sub(r"[-_.]+", "-", name).lower() + "==" + version)
    return found


def completeness(text):
    """How many files there are, and what share of them has each field."""
    data = tomllib.loads(text)
    files = [
        (package, file)
        for package in data["packages"]
        for file in package.get("wheels", []) + ([package["sdist"]] if "sdist" in package else [])
    ]
    count = len(files)
    share = lambda has: 100 * sum(map(has, files)) / max(count, 1)
    return count, {
        "sha256": share(lambda it: "sha256" in it[1]["hashes"]),
        "size": share(lambda it: "size" in it[1]),
        "upload-time": share(lambda it: "upload-time" in it[1]),
        "index": share(lambda it: "index" in it[0]),
    }


PIP_SELECTS = """
import sys, tomllib
from pip._vendor.packaging.pylock import Pylock
lock = Pylock.from_dict(tomllib.load(open(sys.argv[1], "rb")))
for package, _ in lock.select():
    print(f"{package.name}=={package.version}")
"""


def would_install(checker, scratch, lock):
    """`name==version` of what each tool would install, without a file downloaded."""
    venv = checker.venv(scratch / "empty")
    python = checker.python_of(venv)
    would = {}
    done = checker.run(checker.bnbpip, "sync", "--cache-dir", checker.cache, "--python", python, "--dry-run", lock)
    line = re.search("^Would install (.*)$", done.stdout, re.M)
    listed = [it.rpartition("-") for it in line[1].split()] if line else []
    would["bnbpip"] = {f"{canonicalize_name(name)}=={version}" for name, _, version in listed}
    pip_python = Path(shutil.which(checker.pip)).parent / "python"
    selected = scratch / "pip_selects.py"
    selected.write_text(PIP_SELECTS)
    would["pip"] = set(checker.run(pip_python, selected, lock).stdout.split())
    sync = [checker.uv, "pip", "sync", "--dry-run", "--python", checker.python]
    into = [sync + ["--target", scratch / "none", lock],
            sync + ["--python-platform", "windows", "--target", scratch / "none", lock]]
    for tool, command in zip(("uv", "uv on Windows"), into):
        done = checker.run(*command)
        would[tool] = set(re.findall(r"^ \+ (\S+==\S+)", done.stdout, re.M))
    return would


def corpus(checker):
    totals, valid, same, dry, files = {}, 0, 0, 0, 0
    for item in checker.only or CORPUS:
        label, _, requirement = item.partition("=")
        requirement = requirement or label
        with tempfile.TemporaryDirectory() as scratch:
            scratch = Path(scratch)
            lock = scratch / "pylock.toml"
            done = checker.lock(scratch, requirement, "--environment", "linux-3.12", "--environment", "windows-3.12")
            if done.returncode:
                checker.fail(f"{label}: no lock: {done.stdout[-600:]}")
                continue
            try:
                wanted = selection(lock, "linux", "3.12")
                on_windows = selection(lock, "win32", "3.12")
            except Exception as error:  # whatever packaging says
                checker.fail(f"{label}: not valid: {error}")
                continue
            valid += 1
            count, shares = completeness(lock.read_text())
            files += count
            for key, share in shares.items():
                totals[key] = totals.get(key, 0) + share * count
                if share < 100:
                    print(f"  {label}: {key} {share:.0f} %")
            if re.search(r"://[^/\s\"']*:[^/@\s\"']+@", lock.read_text()):
                checker.fail(f"{label}: a password")
            if checker.dry_run or label in TOO_LARGE:
                would = would_install(checker, scratch, lock)
                if would == {"bnbpip": wanted, "pip": wanted, "uv": wanted, "uv on Windows": on_windows}:
                    dry += 1
                else:
                    expected = {tool: on_windows if "Windows" in tool else wanted for tool in would}
                    difference = {tool: sorted(found ^ expected[tool])[:5] for tool, found in would.items()}
                    checker.fail(f"{label}: would install otherwise: {difference}")
                print(f"{label}: {len(wanted)} on Linux, {len(on_windows)} on Windows; not installed", flush=True)
                continue
            results = {}
            for tool in ("bnbpip", "pip", "uv"):
                venv = checker.venv(scratch / tool)
                python = checker.python_of(venv)
                command = {
                    "bnbpip": [checker.bnbpip, "sync", "--cache-dir", checker.cache, "--python", python, lock],
                    "pip": [checker.pip, "--python", python, "install", "-q", "-r", lock],
                    "uv": [checker.uv, "pip", "sync", "-q", "--python", python, lock],
                }[tool]
                done = checker.run(*command, cwd=scratch)
                results[tool] = installed(venv)
                if done.returncode:
                    checker.fail(f"{label}: {tool}: {done.stdout[-400:]}")
            if checker.windows:
                there = scratch / "windows"
                done = checker.run(
                    checker.uv, "pip", "sync", "-q", "--python", checker.python, "--python-platform", "windows",
                    "--target", there, lock, cwd=scratch,
                )
                found = {
                    re.sub(r"[-_.]+", "-", it.name.removesuffix(".dist-info").rpartition("-")[0]).lower()
                    + "==" + it.name.removesuffix(".dist-info").rpartition("-")[2]
                    for it in there.glob("*.dist-info")
                }
                if done.returncode or found != on_windows:
                    checker.fail(f"{label}: Windows: {sorted(found ^ on_windows)[:6]} {done.stdout[-300:]}")
            if all(result == wanted for result in results.values()):
                same += 1
            else:
                difference = {tool: sorted(result ^ wanted)[:5] for tool, result in results.items()}
                checker.fail(f"{label}: {difference}")
            print(f"{label}: {len(wanted)} on Linux, {len(on_windows)} on Windows", flush=True)
    shares = ", ".join(f"{key} {total / max(files, 1):.1f} %" for key, total in totals.items())
    print(f"corpus: {valid} valid locks with {files} files ({shares}); {same} installed alike by bnbpip, pip and uv, "
          f"{dry} would be")


def wheel(folder, name, version, requires, tag):
    """A wheel with nothing in it but its metadata."""
    folder.mkdir(parents=True, exist_ok=True)
    info = f"{name}-{version}.dist-info"
    requires = "".join(f"Requires-Dist: {one}\n" for one in requires)
    members = {
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{requires}",
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: false\nTag: {tag}\n",
    }
    record = "".join(f"{path},,\n" for path in members) + f"{info}/RECORD,,\n"
    path = folder / f"{name}-{version}-{tag}.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for member, text in {**members, f"{info}/RECORD": record}.items():
            archive.writestr(zipfile.ZipInfo(member), text)
    return path


class Index(http.server.SimpleHTTPRequestHandler):
    """Pages as PyTorch's: HTML, digests in the addresses, no sizes and no times."""

    def do_GET(self):
        folder = Path(self.translate_path(self.path))
        if not folder.is_dir():
            return super().do_GET()
        links = []
        for path in sorted(folder.iterdir()):
            digest = "" if path.is_dir() else "#sha256=" + hashlib.sha256(path.read_bytes()).hexdigest()
            end = "/" if path.is_dir() else ""
            links.append(f'<a href="{path.name.replace("+", "%2B")}{end}{digest}">{path.name}</a><br>')
        page = ("<!DOCTYPE html><html><body>" + "\n".join(links) + "</body></html>").encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, *_):
        pass


def torch_index(root, torch, vision, audio):
    for family in FAMILIES:
        for tag in ("py3-none-manylinux_2_28_x86_64", "py3-none-win_amd64"):
            exactly = [f"torch=={torch}"]
            wheel(root / family / "torch", "torch", f"{torch}+{family}", ["numpy", "typing-extensions"], tag)
            wheel(root / family / "torchvision", "torchvision", f"{vision}+{family}", exactly, tag)
            wheel(root / family / "torchaudio", "torchaudio", f"{audio}+{family}", exactly, tag)
    handler = lambda *a, **k: Index(*a, directory=str(root), **k)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server, f"http://127.0.0.1:{server.server_port}"


def accelerators(checker, project="unsloth", torch=("2.9.1", "0.24.1", "2.9.1")):
    cells = same = planned = right = 0
    with tempfile.TemporaryDirectory() as scratch:
        scratch = Path(scratch)
        server, url = torch_index(scratch / "whl", *torch)
        environments = [f"{system}-{python}" for system in ("linux", "windows") for python in ("3.11", "3.12")]
        named = [part for it in environments for part in ("--environment", it)]
        chosen = [part for it in FAMILIES for part in ("--accelerator", it)]
        where = ["--accelerator-index-url", url]
        lock = scratch / "pylock.toml"
        began = time.time()
        done = checker.lock(scratch, project, *named, *chosen, *where)
        if done.returncode:
            checker.fail(f"accelerators: {done.stdout[-1500:]}")
            return
        print(f"one lock for {len(environments)} environments and {len(FAMILIES)} accelerators: "
              f"{len(tomllib.loads(lock.read_text())['packages'])} packages, {time.time() - began:.1f} s", flush=True)
        count, shares = completeness(lock.read_text())
        print(f"  {count} files: " + ", ".join(f"{key} {share:.1f} %" for key, share in shares.items()))
        for environment, family in itertools.product(environments, FAMILIES):
            system, version = environment.split("-")
            system = "win32" if system == "windows" else system
            single = scratch / "single" / "pylock.toml"
            single.parent.mkdir(exist_ok=True)
            shutil.copy(lock, single)
            done = checker.lock(single.parent, project, "--environment", environment, "--accelerator", family, *where)
            cells += 1
            if done.returncode:
                checker.fail(f"{environment} {family}: {done.stdout[-500:]}")
                continue
            ours, alone = selection(lock, system, version, [family]), selection(single, system, version)
            if ours == alone and any(it == f"torch=={torch[0]}+{family}" for it in ours):
                same += 1
            else:
                checker.fail(f"{environment} {family}: {sorted(ours ^ alone)[:6]}")
            platform = "windows" if system == "win32" else "x86_64-manylinux_2_28"
            done = checker.run(
                checker.uv, "pip", "sync", "--dry-run", "--python", checker.python, "--python-version", version,
                "--python-platform", platform, "--extra", family, "--target", scratch / "none", lock,
            )
            by_uv = set(re.findall(r"^ \+ (\S+==\S+)", done.stdout, re.M))
            if by_uv == ours:
                planned += 1
            else:
                checker.fail(f"{environment} {family}: uv: {sorted(by_uv ^ ours)[:6]} {done.stdout[-300:]}")
        for family in FAMILIES:
            # The stand-ins alone: the others are gigabytes.
            small = scratch / "small" / "pylock.toml"
            small.parent.mkdir(exist_ok=True)
            done = checker.lock(small.parent, "torchvision", *named, *chosen, *where)
            if done.returncode:
                checker.fail(f"small lock: {done.stdout[-500:]}")
                break
            wanted = selection(small, "linux", "3.12", [family])
            for tool in ("bnbpip", "pip", "uv"):
                venv = checker.venv(scratch / f"{tool}-{family}")
                python = checker.python_of(venv)
                command = {
                    "bnbpip": [checker.bnbpip, "sync", "--cache-dir", checker.cache, "--python", python,
                               "--accelerator", family, small],
                    "pip": [checker.pip, "--python", python, "install", "-q", "-r", f"{small}[{family}]"],
                    "uv": [checker.uv, "pip", "sync", "-q", "--python", python, "--extra", family, small],
                }[tool]
                done = checker.run(*command, cwd=scratch)
                if done.returncode or installed(venv) != wanted:
                    checker.fail(f"{tool} {family}: {sorted(installed(venv) ^ wanted)} {done.stdout[-400:]}")
                else:
                    right += 1
        server.shutdown()
    print(f"accelerators: {same} of {cells} selections equal a lock of that one alone, "
          f"{planned} what uv would install; {right} of {3 * len(FAMILIES)} installations by extra have the right torch")


REQUIREMENTS = "requests flask httpx rich click pydantic jinja2 sqlalchemy numpy pandas fastapi typer".split()


def determinism(checker, runs=50):
    seen, cold = {}, 0
    with tempfile.TemporaryDirectory() as scratch:
        scratch = Path(scratch)
        for number in range(runs):
            order = random.sample(REQUIREMENTS, len(REQUIREMENTS))
            cache = None
            if number % 5 == 0:
                cache, cold = scratch / f"cache-{number}", cold + 1
            cores = "0" if number % 2 else "0,1"
            done = checker.lock(scratch, *order, "--environment", "windows-3.12", "--environment", "linux-3.12",
                                cache=cache, cores=cores)
            if done.returncode:
                checker.fail(f"determinism: {done.stdout[-500:]}")
                return
            lock = scratch / "pylock.toml"
            digest = hashlib.sha256(lock.read_bytes()).hexdigest()
            seen[digest] = seen.get(digest, 0) + 1
            lock.unlink()
            if cache:
                shutil.rmtree(cache)
    if len(seen) != 1:
        checker.fail(f"determinism: {seen}")
    print(f"determinism: {runs} runs ({cold} with an empty cache, half on one processor): {len(seen)} result")


LEAVES = "toml six attrs pytz zipp tabulate termcolor wrapt filelock humanize markdown ply cachetools chardet".split()


def merging(checker, rounds=10):
    hunks = merges = 0
    environments = ["--environment", "windows-3.12", "--environment", "linux-3.12"]
    with tempfile.TemporaryDirectory() as scratch:
        scratch = Path(scratch)
        lock = scratch / "pylock.toml"
        made = lambda *leaves: (checker.lock(scratch, *REQUIREMENTS, *leaves, *environments), lock.read_text())[1]
        base = made()
        for number in range(rounds):
            ours, theirs = random.Random(number).sample(LEAVES, 2)
            texts = {"base": base}
            for name, leaf in (("ours", ours), ("theirs", theirs)):
                lock.write_text(base)
                texts[name] = made(leaf)
            for name, text in texts.items():
                (scratch / name).write_text(text)
            diff = checker.run("git", "diff", "--no-index", "-U0", "base", "ours", cwd=scratch).stdout
            removed = [it for it in diff.splitlines() if it.startswith("-") and not it.startswith("---")]
            if diff.count("\n@@") == 1 and not removed:
                hunks += 1
            else:
                checker.fail(f"merging: {ours}: {diff.count(chr(10) + '@@')} hunks, {len(removed)} deletions")
            merged = checker.run("git", "merge-file", "-p", "ours", "base", "theirs", cwd=scratch)
            lock.write_text(base)
            both = made(ours, theirs)
            if merged.returncode == 0 and merged.stdout == both:
                merges += 1
            else:
                checker.fail(f"merging: {ours} and {theirs}: {merged.returncode} conflicts")
    print(f"merging: {hunks} of {rounds} added leaves are one hunk without deletions; "
          f"{merges} of {rounds} pairs of branches merge to what a lock of both is")


def timing(checker, rounds=9):
    def compared(what, cwd, *commands):
        """Medians of runs that take turns, so that whatever else the machine does is shared."""
        times = [[] for _ in commands]
        for _ in range(rounds):
            for command, own in zip(commands, times):
                if "sync" not in command:
                    (cwd / "pylock.toml").unlink(missing_ok=True)
                    (cwd / "pylock.uv.toml").unlink(missing_ok=True)
                began = time.perf_counter()
                done = checker.run(*command, cwd=cwd)
                own.append(time.perf_counter() - began)
                if done.returncode:
                    checker.fail(f"time: {command}: {done.stdout[-500:]}")
                    return
        mine, other = (sorted(own)[rounds // 2] for own in times)
        print(f"time: {what}, medians of {rounds}: bnbpip {mine:.3f} s, uv {other:.3f} s, ratio {mine / other:.2f}",
              flush=True)
        if not mine <= other:
            checker.fail(f"time: {what}")

    with tempfile.TemporaryDirectory() as scratch:
        scratch = Path(scratch)
        (scratch / "in.txt").write_text("unsloth\n")
        ours = [checker.bnbpip, "lock", "unsloth", "--cache-dir", checker.cache, "--environment", "linux-3.12",
                "--environment", "windows-3.12"]
        theirs = [checker.uv, "pip", "compile", "-q", "--universal", "--python", checker.python, "--python-version",
                  "3.12", "in.txt", "-o", "pylock.uv.toml"]
        for command in (ours, theirs):
            checker.run(*command, cwd=scratch)
        compared("locking unsloth, warm", scratch, ours, theirs)
        offline = lambda command: [*command, "--offline"]
        compared("locking unsloth, warm and without network", scratch, offline(ours), offline(theirs))
        checker.lock(scratch, *REQUIREMENTS, "jupyter", "--environment", "linux-3.12")
        venv = checker.venv(scratch / "venv")
        python = checker.python_of(venv)
        sync = [checker.bnbpip, "sync", "--cache-dir", checker.cache, "--python", python, "pylock.toml"]
        uv = [checker.uv, "pip", "sync", "--python", python, "pylock.toml"]
        checker.run(*sync, cwd=scratch, check=True)
        checker.run(*uv, cwd=scratch, check=True)
        compared("a sync without work", scratch, sync, uv)


CHECKS = {"corpus": corpus, "accelerators": accelerators, "determinism": determinism, "merging": merging, "time": timing}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checks", nargs="*", metavar="CHECK", help=", ".join(CHECKS))
    parser.add_argument("--bnbpip", required=True)
    parser.add_argument("--pip", default="pip")
    parser.add_argument("--uv", default="uv")
    parser.add_argument("--python", default=sys.executable, help="Python 3.12, for the environments")
    parser.add_argument("--cache", default=tempfile.gettempdir() + "/bnbpip-locks-cache")
    parser.add_argument("--windows", action="store_true", help="with corpus: install the Windows side, too")
    parser.add_argument("--dry-run", action="store_true", help="with corpus: install nothing")
    parser.add_argument("--only", nargs="*", help="with corpus: these projects")
    arguments = parser.parse_args()
    checker = Checker(arguments)
    for name in arguments.checks or CHECKS:
        CHECKS[name](checker)
    print(f"{len(checker.failures)} failures")
    sys.exit(bool(checker.failures))


main()
