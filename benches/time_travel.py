#!/usr/bin/env python3
"""Time travel: what would have been installed on the first day of each month, and would it work?

Six requests, Linux and Windows, resolved by bnbpip, uv and pip as of each day, with nothing but files
uploaded before it. A resolution counts as broken if it contains a pair of `known_broken.json`, each
of which was measured. pip evaluates markers for the machine that it runs on, so its Windows column is
only about wheels.

    time_travel.py --bnbpip PATH [--uv PATH] [--pip PATH] [--from 2023-06] [--to 2026-11] [--step 6]
"""

import argparse
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
TIMEOUT_SECONDS = 300


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


def with_pip(program, request, platform, day):
    tags = {"linux": "manylinux_2_28_x86_64", "windows": "win_amd64"}
    with tempfile.TemporaryDirectory() as folder:
        command = [program, "install", "--dry-run", "--ignore-installed", "--quiet"]
        command += ["--target", folder, "--platform", tags[platform]]
        if platform == "linux":
            command += ["--platform", "manylinux2014_x86_64", "--platform", "manylinux1_x86_64"]
        command += ["--python-version", PYTHON, "--only-binary", ":all:"]
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
    arguments = parser.parse_args()
    runners = {"bnbpip": with_bnbpip, "uv": with_uv, "pip": with_pip}
    programs = {name: getattr(arguments, name) for name in runners if getattr(arguments, name)}
    if not programs:
        parser.error("name at least one program")
    counts = {name: {"resolved": 0, "refused": 0, "broken": 0} for name in programs}
    for day in months(arguments.first, arguments.last, arguments.step):
        for platform in ["linux", "windows"]:
            for request in requests(platform):
                for name, program in programs.items():
                    resolved = runners[name](program, request, platform, day)
                    count = counts[name]
                    if isinstance(resolved, str):
                        count["refused"] += 1
                        where = f"{day} {platform} {name} `{' '.join(request)}`"
                        print(f"{where}: refused: {resolved}", file=sys.stderr, flush=True)
                        continue
                    count["resolved"] += 1
                    faults = list(broken(resolved, platform))
                    count["broken"] += bool(faults)
                    for fault in faults:
                        print(f"{day} {platform} {name} `{' '.join(request)}`: {fault}", flush=True)
    print(json.dumps(counts, indent=2))
    return 1 if counts.get("bnbpip", {}).get("broken") else 0


if __name__ == "__main__":
    sys.exit(main())
