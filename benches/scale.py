#!/usr/bin/env python3
"""How time grows with the number of packages, of versions and of files: is it linear?

    benches/scale.py --bnbpip target/release/bnbpip [--uv uv] [--runs 3] [--svg docs/scale.svg] [--work DIR]

Made-up universes, served on loopback. Printed is the median of each size, and the time per thousand beside it, which stays
as it is where growth is linear. `--svg` draws the same, both axes logarithmic.

  packages   resolve a tree of packages that require three others each, from an empty cache
  resolved   the same with the cache of that
  lock       lock such a tree for one platform, with that cache
  versions   resolve one package with many versions, from an empty cache
  files      install one wheel with many files, from an empty cache, without byte-compiling
  again      the same once more, into the environment that has it
  at once    that many installations of a small tree, each into its own environment, all begun at once on one empty cache
"""

import argparse
import hashlib
import http.server
import io
import json
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from pathlib import Path

SIZES = {
    "packages": [100, 300, 1_000, 3_000, 10_000],
    "resolved": [100, 300, 1_000, 3_000, 10_000],
    "lock": [100, 300, 1_000, 3_000, 10_000],
    "versions": [100, 1_000, 10_000, 30_000],
    "files": [300, 1_000, 3_000, 10_000, 30_000, 100_000],
    "again": [300, 1_000, 3_000, 10_000, 30_000, 100_000],
    "at once": [10, 30, 100, 300, 1_000],
}
SMALL_TREE = 5
COLORS = {"bnbpip": "#1f77b4", "uv": "#d62728"}


def metadata(name, version, requires=()):
    requires = "".join(f"Requires-Dist: {one}\n" for one in requires)
    return f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{requires}\n".encode()


def wheel(name, version, requires=(), files=0):
    """A wheel's bytes."""
    info = f"{name}-{version}.dist-info"
    members = {f"{name}/m{number // 200}/f{number}.py": b"x = 1\n" for number in range(files)}
    members[f"{info}/METADATA"] = metadata(name, version, requires)
    members[f"{info}/WHEEL"] = b"Wheel-Version: 1.0\nGenerator: scale\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    record = "".join(f"{path},,\n" for path in members) + f"{info}/RECORD,,\n"
    members[f"{info}/RECORD"] = record.encode()
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for path, data in members.items():
            archive.writestr(path, data)
    return content.getvalue()


class Universe:
    """Pages, metadata files and wheels by their paths."""

    def __init__(self):
        self.pages, self.files = {}, {}

    def add(self, name, versions, requires=(), files=0):
        page = []
        for version in versions:
            filename = f"{name}-{version}-py3-none-any.whl"
            content, described = wheel(name, version, requires, files), metadata(name, version, requires)
            self.files[f"/files/{filename}"] = content
            self.files[f"/files/{filename}.metadata"] = described
            sha256 = lambda data: {"sha256": hashlib.sha256(data).hexdigest()}
            page.append({
                "filename": filename, "url": f"/files/{filename}", "hashes": sha256(content), "size": len(content),
                "core-metadata": sha256(described), "upload-time": "2026-01-01T00:00:00Z",
            })
        document = {"meta": {"api-version": "1.1"}, "name": name, "files": page, "versions": list(versions)}
        self.pages[name] = json.dumps(document).encode()

    def serve(self):
        universe = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                project = re.fullmatch(r"/simple/([^/]+)/", self.path)
                found = universe.pages.get(project[1]) if project else universe.files.get(self.path)
                self.send_response(200 if found is not None else 404)
                kind = "application/vnd.pypi.simple.v1+json" if project else "application/octet-stream"
                self.send_header("Content-Type", kind)
                self.send_header("Cache-Control", "max-age=600")
                self.send_header("Content-Length", str(len(found or b"")))
                self.end_headers()
                self.wfile.write(found or b"")

            def log_message(self, *_):
                pass

        http.server.ThreadingHTTPServer.request_queue_size = 256
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return server, f"http://127.0.0.1:{server.server_address[1]}/simple/"


def tree(size):
    universe = Universe()
    for number in range(size):
        below = [child for child in (2 * number + 1, 2 * number + 2, number + 1) if child < size]
        universe.add(f"p{number}", ["1.0", "1.1", "2.0"], [f"p{child}>=1.1" for child in dict.fromkeys(below)])
    return universe, "p0"


def many_versions(size):
    universe = Universe()
    universe.add("p0", [f"{number // 100}.{number % 100}" for number in range(size)])
    return universe, "p0"


def many_files(size):
    universe = Universe()
    universe.add("p0", ["1.0"], files=size)
    return universe, "p0"


def small_tree(_size):
    return tree(SMALL_TREE)


UNIVERSES = {
    "packages": tree,
    "resolved": tree,
    "lock": tree,
    "versions": many_versions,
    "files": many_files,
    "again": many_files,
    "at once": small_tree,
}


def command(tool, program, row, index, environment, cache):
    place = ["--python", str(environment / "bin" / "python"), "--cache-dir", str(cache), "--index-url", index]
    pip = [] if tool == "bnbpip" else ["pip"]
    if row == "lock" and tool == "bnbpip":
        return [program, "lock", "-q", *place, "-o", str(environment / "pylock.toml"), "p0"]
    if row == "lock":
        wanted = environment / "wanted.in"
        wanted.write_text("p0\n")
        return [program, *pip, "compile", "-q", *place, "-o", str(environment / "pylock.toml"), str(wanted)]
    if row in ("files", "again", "at once"):
        return [program, *pip, "install", "-q", *(["--no-compile"] if tool == "bnbpip" else []), *place, "p0"]
    return [program, *pip, "install", "-q", "--dry-run", *(["-I"] if tool == "bnbpip" else []), *place, "p0"]


def timed(*commands):
    """Seconds until the last of the commands, which begin at once, has ended."""
    start = time.perf_counter()
    running = [subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) for words in commands]
    said = [process.communicate()[1] for process in running]
    seconds = time.perf_counter() - start
    for process, words, text in zip(running, commands, said):
        if process.returncode:
            sys.exit(f"{' '.join(words)}\n{text}")
    return seconds


def measure(row, size, programs, runs, work):
    """The median of each program, in seconds."""
    universe, _ = UNIVERSES[row](size)
    server, index = universe.serve()
    times = {tool: [] for tool in programs}
    for run in range(runs):
        for tool, program in programs.items():
            place = work / f"{row}-{size}-{run}-{tool}".replace(" ", "-")
            environments = [place / f"env{number}" for number in range(size if row == "at once" else 1)]
            first, *others = environments
            subprocess.run([sys.executable, "-m", "venv", "--without-pip", first], check=True)
            for other in others:
                shutil.copytree(first, other, symlinks=True)
            commands = [command(tool, program, row, index, each, place / "cache") for each in environments]
            if row in ("resolved", "lock", "again"):
                timed(*commands)
            times[tool].append(timed(*commands))
            shutil.rmtree(place)
    server.shutdown()
    return {tool: statistics.median(found) for tool, found in times.items()}


def draw(results, path):
    """A plot a row, both axes logarithmic."""
    import math

    width, height, left, top = 300, 190, 46, 26
    parts = []
    for place, (row, sizes) in enumerate(results.items()):
        seconds = [value for found in sizes.values() for value in found.values()]
        x_range = math.log10(min(sizes)), math.log10(max(sizes))
        y_range = math.floor(math.log10(min(seconds))), math.ceil(math.log10(max(seconds)))
        x_of = lambda size: left + (width - left - 12) * (math.log10(size) - x_range[0]) / (x_range[1] - x_range[0])
        y_of = lambda value: top + (height - top - 30) * (y_range[1] - math.log10(value)) / (y_range[1] - y_range[0])
        parts.append(f'<g transform="translate({place % 2 * width},{place // 2 * height})">')
        parts.append(f'<text x="{left}" y="16" font-weight="bold">seconds by {row}</text>')
        for exponent in range(y_range[0], y_range[1] + 1):
            y = y_of(10**exponent)
            parts.append(f'<path d="M{left} {y:.1f}H{width - 12}" stroke="#ddd"/>')
            parts.append(f'<text x="{left - 5}" y="{y + 4:.1f}" text-anchor="end">{10.0**exponent:g}</text>')
        for size in sizes:
            label = f"{size // 1000}k" if size >= 1000 else str(size)
            parts.append(f'<text x="{x_of(size):.1f}" y="{height - 12}" text-anchor="middle">{label}</text>')
        for tool, color in COLORS.items():
            points = [f"{x_of(size):.1f},{y_of(found[tool]):.1f}" for size, found in sizes.items() if tool in found]
            if points:
                line = f'points="{" ".join(points)}" fill="none" stroke="{color}" stroke-width="2"'
                parts.append(f"<polyline {line}><title>{tool}</title></polyline>")
        parts.append("</g>")
    rows = (len(results) + 1) // 2
    for place, (tool, color) in enumerate(COLORS.items()):
        parts.append(f'<text x="{left + 60 * place}" y="{rows * height + 14}" fill="{color}">{tool}</text>')
    size = f'width="{2 * width}" height="{rows * height + 22}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="11">'
    background = '<rect width="100%" height="100%" fill="white"/>'
    path.write_text("\n".join([head, background, *parts, "</svg>"]) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bnbpip", required=True)
    parser.add_argument("--uv")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--row", action="append", choices=list(SIZES), help="only this one")
    parser.add_argument("--largest", type=int, help="leave out larger sizes")
    parser.add_argument("--svg", type=Path, help="draw a plot into this file")
    parser.add_argument("--work", metavar="DIR", help="keep caches and environments below this folder")
    arguments = parser.parse_args()
    programs = {"bnbpip": arguments.bnbpip} | ({"uv": arguments.uv} if arguments.uv else {})
    results = {}
    with tempfile.TemporaryDirectory(prefix="bnbpip-scale-", dir=arguments.work) as folder:
        for row in arguments.row or SIZES:
            print(f"\n{row:>10}" + "".join(f"{tool + ' s':>12}{'per 1000':>10}" for tool in programs))
            for size in SIZES[row]:
                if arguments.largest and size > arguments.largest:
                    continue
                found = measure(row, size, programs, arguments.runs, Path(folder))
                results.setdefault(row, {})[size] = found
                line = "".join(f"{seconds:>12.3f}{seconds * 1000 / size:>10.3f}" for seconds in found.values())
                print(f"{size:>10}{line}", flush=True)
    if arguments.svg:
        draw(results, arguments.svg)


if __name__ == "__main__":
    main()
