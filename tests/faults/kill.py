#!/usr/bin/env python3
"""Kills bnbpip with SIGKILL at random moments and judges the environment from outside.

    python3 tests/faults/kill.py PROGRAM [--runs 200] [--scenario NAME ...] [--folder /dev/shm] [--json FILE]

Each run begins with a copy of the same environment, starts the scenario's command and kills it. The environment is then
compared, file by file, with what it was and with what an undisturbed run makes of it: `old`, `new`, or `between`. The next
command (one that only reads, or the same again) must make it the old or the new one, with nothing left over; that Python
starts is tried after every kill. The exit code is 1 if a bar is missed. Linux; the standard library is enough.
"""
import argparse
import base64
import collections
import functools
import hashlib
import http.server
import json
import os
import random
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from pathlib import Path

PACKAGES, MODULES = 24, 40
MAY_BE_BETWEEN = 0.02


def row(path, content):
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
    return f"{path},sha256={digest},{len(content)}\n"


def write_wheel(folder, name, version, files, requires=(), scripts=()):
    info = f"{name}-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    metadata += "".join(f"Requires-Dist: {it}\n" for it in requires)
    files = {path: text.encode() for path, text in files.items()}
    files[f"{info}/METADATA"] = metadata.encode()
    files[f"{info}/WHEEL"] = b"Wheel-Version: 1.0\nGenerator: kill\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    if scripts:
        points = "".join(f"{script} = {name}:main\n" for script in scripts)
        files[f"{info}/entry_points.txt"] = f"[console_scripts]\n{points}".encode()
    record = "".join(row(path, content) for path, content in files.items()) + f"{info}/RECORD,,\n"
    files[f"{info}/RECORD"] = record.encode()
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in files.items():
            archive.writestr(path, content)


def write_wheels(folder):
    """Two versions of everything that makes a change hard."""
    noise = random.Random(3)
    for version in ("1.0", "2.0"):
        for number in range(PACKAGES):
            name = f"part{number:02}"
            # Every fourth lives in a namespace that all of these share.
            top = f"shared_space/{name}" if number % 4 == 0 else name
            files = {f"{top}/__init__.py": f"VERSION = {version!r}\n\n\ndef main():\n    print(VERSION)\n"}
            if number % 4 == 0:
                files[f"{name}.py"] = f"from shared_space.{name} import main, VERSION\n"
            for module in range(MODULES):
                only = f"_{version[0]}" if module % 5 == 0 else ""
                text = f"V = {version!r}\n# " + "".join(noise.choices("abcdef ", k=noise.choice([100, 1000, 9000])))
                files[f"{top}/m{module:02}{only}.py"] = text
            # A folder that becomes a file, and a file that becomes a folder.
            files[f"{top}/shape" if version == "1.0" else f"{top}/shape/inner.txt"] = "x"
            files[f"{name}-{version}.data/data/share/{name}/data.txt"] = version
            scripts = [f"{name}-run"] + ([f"{name}-old"] if version == "1.0" else [f"{name}-new"])
            write_wheel(folder, name, version, files, scripts=scripts)
        requires = [f"part{number:02}=={version}" for number in range(PACKAGES)]
        write_wheel(folder, "everything", version, {"everything.py": ""}, requires)
    write_wheel(folder, "bystander", "1.0", {"bystander/__init__.py": "", "shared_space/own.py": ""}, scripts=["bystander"])


class Handler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def serve(folder):
    """A page with links to the folder's files, as long as this script runs."""
    handler = functools.partial(Handler, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}/"


class Bench:
    """The folders, the program, and the environment's template."""

    def __init__(self, program, root):
        self.program, self.root = program, root
        self.venv, self.cache, self.state = root / "venv", root / "cache", root / "state"
        self.wheels, self.lock = root / "wheels", root / "pylock.toml"
        for folder in (root, root / "home", root / "tmp", self.wheels):
            folder.mkdir()
        write_wheels(self.wheels)
        self.page = serve(self.wheels)
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(self.venv)], check=True)
        self.run("install", "bystander").check_returncode()

    def environ(self):
        return {
            "HOME": str(self.root / "home"),
            "XDG_STATE_HOME": str(self.state),
            "PATH": "/usr/bin:/bin",
            "TMPDIR": str(self.root / "tmp"),
            "BNBPIP_CACHE_DIR": str(self.cache),
            "PIP_CONFIG_FILE": os.devnull,
            "NO_COLOR": "1",
        }

    def argv(self, command, *arguments):
        # A lock takes no files that are on this machine alone.
        places = {"install": str(self.wheels), "lock": self.page}
        found = ["--no-index", "--find-links", places[command]] if command in places else []
        return [self.program, command, "-q", "--python", str(self.venv), *found, *arguments]

    def run(self, *arguments):
        return subprocess.run(
            self.argv(*arguments), env=self.environ(), stdin=subprocess.DEVNULL, capture_output=True, text=True, cwd=self.root
        )

    def keep(self, name):
        for part in ("venv", "cache", "state"):
            copy(self.root / part, self.root / f"{name}-{part}")

    def reset(self, name):
        for part in ("venv", "cache", "state"):
            copy(self.root / f"{name}-{part}", self.root / part)

    def content(self):
        """Every file and folder of the environment, bnbpip's own for a change aside, and byte-code without its source's time."""
        found = {}
        for folder, folders, files in os.walk(self.venv):
            folders[:] = [it for it in folders if it != ".bnbpip"]
            for name in files + folders:
                path = os.path.join(folder, name)
                if os.path.islink(path):
                    found[path] = "link " + os.readlink(path)
                elif os.path.isdir(path):
                    found[path] = "folder"
                else:
                    with open(path, "rb") as file:
                        content = file.read()
                    # A wheel that is unpacked anew has files of another time.
                    content = content[:8] + content[12:] if name.endswith(".pyc") else content
                    found[path] = hashlib.sha256(content).hexdigest()
        return found

    def leftovers(self):
        own = self.venv / ".bnbpip"
        found = [own.name] if own.exists() else []
        library = next((self.venv / "lib").glob("python3*")) / "site-packages"
        return found + [it.name for it in library.iterdir() if it.name.startswith((".bnbpip", "~"))]

    def python_starts(self):
        run = subprocess.run([self.venv / "bin/python", "-c", "import json"], env=self.environ(), capture_output=True)
        return run.returncode == 0


def copy(source, target):
    shutil.rmtree(target, ignore_errors=True)
    if source.exists():
        subprocess.run(["cp", "-a", str(source), str(target)], check=True)


def first(bench):
    bench.run("install", "everything==1.0").check_returncode()


def prepare_fresh(bench):
    bench.keep("before")
    bench.run("install", "everything==2.0").check_returncode()
    copy(bench.root / "before-venv", bench.venv)


def prepare_upgrade(bench):
    first(bench)
    prepare_fresh(bench)


def prepare_cold(bench):
    first(bench)


def prepare_uninstall(bench):
    first(bench)


def prepare_sync(bench):
    first(bench)
    bench.keep("before")
    bench.run("lock", "-o", str(bench.lock), "everything==2.0").check_returncode()
    bench.run("sync", str(bench.lock)).check_returncode()
    copy(bench.root / "before-venv", bench.venv)


def prepare_undo(bench):
    first(bench)
    bench.run("install", "everything==2.0").check_returncode()


NAMES = ["everything", *(f"part{number:02}" for number in range(PACKAGES))]
SCENARIOS = {
    "fresh": (prepare_fresh, ("install", "everything==2.0")),
    "upgrade": (prepare_upgrade, ("install", "everything==2.0")),
    "cold": (prepare_cold, ("install", "everything==2.0")),
    "uninstall": (prepare_uninstall, ("uninstall", "-y", *NAMES)),
    "sync": (prepare_sync, ("sync", "LOCK")),
    "undo": (prepare_undo, ("undo",)),
}


def spawn(bench, arguments):
    return subprocess.Popen(
        bench.argv(*arguments),
        env=bench.environ(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=bench.root,
        start_new_session=True,
    )


def time_it(bench, arguments):
    """How long the command takes, and when the environment's first visible change is."""
    library = next((bench.venv / "lib").glob("python3*")) / "site-packages"
    watched = [library, bench.venv / "bin"]
    ends, changes = [], []
    for _ in range(5):
        bench.reset("start")
        before = [os.stat(it).st_mtime_ns for it in watched]
        begun, change = time.perf_counter(), None
        process = spawn(bench, arguments)
        while process.poll() is None:
            if change is None and [os.stat(it).st_mtime_ns for it in watched] != before:
                change = time.perf_counter() - begun
            time.sleep(0.0003)
        assert process.returncode == 0, process.returncode
        ends.append(time.perf_counter() - begun)
        changes.append(change if change is not None else ends[-1])
    return statistics.median(ends), statistics.median(changes)


def kill_at(bench, arguments, moment):
    """Runs the command until the moment; says whether it was killed in time."""
    begun = time.perf_counter()
    process = spawn(bench, arguments)
    while time.perf_counter() - begun < moment and process.poll() is None:
        time.sleep(0.0002)
    killed = process.poll() is None
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()
    return killed


def trial(bench, scenario, runs, seed):
    prepare, arguments = SCENARIOS[scenario]
    arguments = [str(bench.lock) if it == "LOCK" else it for it in arguments]
    prepare(bench)
    bench.keep("start")
    old = bench.content()
    end, change = time_it(bench, arguments)
    new = bench.content()
    assert old != new
    name = lambda content: "old" if content == old else "new" if content == new else "between"
    states, after, failures = collections.Counter(), collections.Counter(), []
    chance, late = random.Random(seed), 0
    for number in range(runs):
        bench.reset("start")
        moment = chance.uniform(0, end) if number % 4 == 0 else chance.uniform(change * 0.97, end * 1.02)
        if not kill_at(bench, arguments, moment):
            late += 1
        states[name(bench.content())] += 1
        if not bench.python_starts():
            failures.append(f"run {number}: Python doesn't start")
        reads = number % 2 == 0 or scenario == "undo"
        following = bench.run("list") if reads else bench.run(*arguments)
        then = name(bench.content())
        after[f"{then} after {'a reader' if reads else 'the same again'}"] += 1
        left = bench.leftovers()
        gone = scenario == "uninstall" and "not installed" in following.stderr + following.stdout
        if following.returncode and not gone or then == "between" or left or (not reads and then != "new"):
            failures.append(f"run {number}: exit code {following.returncode}, {then}, left {left}: {following.stderr[-300:]}")
    between = states["between"] / runs
    if between > MAY_BE_BETWEEN:
        failures.append(f"{between:.1%} of the kills left something between old and new")
    return {
        "scenario": scenario,
        "runs": runs,
        "killed_in_time": runs - late,
        "median_s": round(end, 4),
        "first_change_s": round(change, 4),
        "states": dict(states),
        "after_the_next_command": dict(after),
        "failures": failures[:20],
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("program")
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--scenario", nargs="+", choices=list(SCENARIOS), default=list(SCENARIOS))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", default="/dev/shm" if os.path.isdir("/dev/shm") else None)
    parser.add_argument("--json")
    options = parser.parse_args()
    results = []
    for scenario in options.scenario:
        with tempfile.TemporaryDirectory(dir=options.folder, prefix="bnbpip-kill-") as folder:
            bench = Bench(os.path.abspath(options.program), Path(folder) / "bench")
            results.append(trial(bench, scenario, options.runs, options.seed))
        print(json.dumps(results[-1], indent=1), flush=True)
    if options.json:
        Path(options.json).write_text(json.dumps(results, indent=1))
    sys.exit(any(result["failures"] for result in results))


if __name__ == "__main__":
    main()
