#!/usr/bin/env python3
"""Time travel: what would have been installed on the first day of each month, and would it work?

Six requests, Linux and Windows, resolved by bnbpip, uv and pip as of each day, with nothing but files
uploaded before it. A resolution counts as broken if it contains a pair of `known_broken.json`, each
of which was measured.

`--pip` is a Python 3.11 that has pip. pip takes `--platform` by the letter and evaluates markers for
the machine that it runs on; so it is given every tag that the platform implies, and for Windows it runs
with Windows' markers, without which it would look for Triton there and go back to a torch that needs none.

    time_travel.py --bnbpip PATH [--uv PATH] [--pip PYTHON] [--from 2023-06] [--to 2026-11] [--step 6]
"""

import argparse
import concurrent.futures
import json
import pathlib
import re
import subprocess
import sys
import tempfile

try:
    from packaging.specifiers import SpecifierSet
    from packaging.version import Version
except ImportError:
    from pip._vendor.packaging.specifiers import SpecifierSet
    from pip._vendor.packaging.version import Version

KNOWN = json.loads((pathlib.Path(__file__).parent / "known_broken.json").read_text())
PYTHON = "3.11"
TIMEOUT_SECONDS = 900

# Every tag of manylinux 2.28, the best first: pip doesn't take a newer one to imply an older one.
LINUX_TAGS = [f"manylinux_2_{minor}_x86_64" for minor in range(28, 4, -1)]
LINUX_TAGS += ["manylinux2014_x86_64", "manylinux2010_x86_64", "manylinux1_x86_64", "linux_x86_64"]

# pip, with the markers of Windows.
PIP_ON_WINDOWS = """
import sys
from pip._vendor.packaging import markers
here = markers.default_environment
windows = dict(os_name="nt", sys_platform="win32", platform_system="Windows", platform_machine="AMD64",
               platform_release="10", platform_version="10.0.22631")
markers.default_environment = lambda: {**here(), **windows}
from pip._internal.cli.main import main
sys.exit(main(sys.argv[1:]))
"""


def requests(platform):
    triton = "triton-windows" if platform == "windows" else "triton"
    return [
        ["unsloth"],
        ["bitsandbytes", "torch"],
        ["bitsandbytes", triton],
        ["transformers", "bitsandbytes", "peft", "accelerate"],
        ["torch", "xformers"],
        ["torch", "torchvision", "numpy"],
    ]


def months(first, last, step):
    year, month = map(int, first.split("-"))
    while (text := f"{year}-{month:02}") <= last:
        yield f"{text}-01"
        month += step
        year, month = year + (month - 1) // 12, (month - 1) % 12 + 1


def normalized(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(text):
    """`name==version` lines as a mapping."""
    found = re.findall(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==([^\s;\\]+)", text, re.MULTILINE)
    return {normalized(name): version for name, version in found}


def report_pins(text):
    metadata = [entry["metadata"] for entry in json.loads(text)["install"]]
    return {normalized(one["name"]): one["version"] for one in metadata}


def run(command, text=None):
    try:
        return subprocess.run(
            command, input=text, capture_output=True, text=True, timeout=TIMEOUT_SECONDS
        )
    except subprocess.TimeoutExpired:
        return None


def refusal(done):
    """Why there is no resolution, in one line."""
    if done is None:
        return f"no answer in {TIMEOUT_SECONDS} s"
    lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
    errors = [line for line in lines if "ERROR" in line or "No solution" in line]
    return next(iter(errors + lines), f"exit code {done.returncode}")


def with_bnbpip(program, request, platform, day):
    with tempfile.TemporaryDirectory() as folder:
        command = [program, "install", "--dry-run", "--ignore-installed", "--quiet"]
        command += ["--target", folder, "--python-platform", platform]
        command += ["--python-version", PYTHON, "--only-binary", ":all:"]
        command += ["--uploaded-prior-to", day, "--report", "-", *request]
        done = run(command)
    return report_pins(done.stdout) if done and done.returncode == 0 else refusal(done)


def with_uv(program, request, platform, day):
    command = [program, "pip", "compile", "-", "--quiet", "--no-header", "--no-annotate"]
    command += ["--python-platform", platform, "--python-version", PYTHON]
    command += ["--only-binary", ":all:", "--exclude-newer", f"{day}T00:00:00Z"]
    done = run(command, "\n".join(request))
    return pins(done.stdout) if done and done.returncode == 0 else refusal(done)


def with_pip(python, request, platform, day):
    command = [python, "-c", PIP_ON_WINDOWS] if platform == "windows" else [python, "-m", "pip"]
    tags = ["win_amd64"] if platform == "windows" else LINUX_TAGS
    with tempfile.TemporaryDirectory() as folder:
        command += ["install", "--dry-run", "--ignore-installed", "--quiet", "--target", folder]
        command += [f"--platform={tag}" for tag in tags]
        command += ["--python-version", PYTHON, "--only-binary", ":all:"]
        # Without it pip fetches whole wheels from an index that has no metadata files.
        command += ["--use-feature", "fast-deps"]
        command += ["--uploaded-prior-to", f"{day}T00:00:00Z", "--report", "-", *request]
        done = run(command)
    return report_pins(done.stdout) if done and done.returncode == 0 else refusal(done)


def holds(side, resolved):
    """The package of the resolution that lies in a side, if any."""
    for package in side["packages"]:
        version = resolved.get(package)
        if version and SpecifierSet(side["versions"], prereleases=True).contains(Version(version)):
            return f"{package} {version}"
    return None


def broken(resolved, platform):
    for pair in KNOWN:
        if pair.get("platform", platform) != platform:
            continue
        found = [holds(side, resolved) for side in pair["sides"]]
        if all(found):
            yield f"{pair['name']}: {', '.join(found)}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--bnbpip")
    parser.add_argument("--uv")
    parser.add_argument("--pip")
    parser.add_argument("--from", dest="first", default="2023-06")
    parser.add_argument("--to", dest="last", default="2026-11")
    parser.add_argument("--step", type=int, default=1, help="months between two days")
    parser.add_argument("--jobs", type=int, default=1, help="resolutions at once")
    arguments = parser.parse_args()
    runners = {"bnbpip": with_bnbpip, "uv": with_uv, "pip": with_pip}
    programs = {name: getattr(arguments, name) for name in runners if getattr(arguments, name)}
    if not programs:
        parser.error("name at least one program")
    counts = {name: {"resolved": 0, "refused": 0, "broken": 0} for name in programs}
    tasks = [
        (name, request, platform, day)
        for day in months(arguments.first, arguments.last, arguments.step)
        for platform in ["linux", "windows"]
        for request in requests(platform)
        for name in programs
    ]
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        resolutions = pool.map(lambda task: runners[task[0]](programs[task[0]], *task[1:]), tasks)
        for task, resolved in zip(tasks, resolutions):
            tell(task, resolved, counts[task[0]])
    print(json.dumps(counts, indent=2))
    return 1 if counts.get("bnbpip", {}).get("broken") else 0


def tell(task, resolved, count):
    """Counts a resolution, and prints what is wrong with it."""
    name, request, platform, day = task
    where = f"{day} {platform} {name} `{' '.join(request)}`"
    if isinstance(resolved, str):
        count["refused"] += 1
        print(f"{where}: refused: {resolved}", file=sys.stderr, flush=True)
        return
    count["resolved"] += 1
    faults = list(broken(resolved, platform))
    count["broken"] += bool(faults)
    for fault in faults:
        print(f"{where}: {fault}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
