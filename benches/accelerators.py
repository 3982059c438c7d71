#!/usr/bin/env python3
"""Which build of torch does a machine get? bnbpip's `--accelerator auto` beside uv's `--torch-backend auto`.

A server on this machine stands in for PyTorch's indexes (one for each family of
`constraints/indexes/pytorch.toml`, with real file names and a stale copy of `requests`) and for the usual
index. MACHINES says what each machine should get; it was written down before anything was run. Exit code 1
if bnbpip gives something else. uv takes no mirror for these indexes, so it comes through a proxy that
answers for every host, with a certificate made for the run (`openssl`).

    accelerators.py --bnbpip PATH [--uv PATH]
"""

import argparse
import hashlib
import html
import http.server
import json
import os
import pathlib
import re
import ssl
import subprocess
import sys
import tempfile
import threading
import tomllib
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parent.parent
INDEXES = tomllib.loads((ROOT / "constraints/indexes/pytorch.toml").read_text())

# torch, and the torchvision that goes with it.
RELEASES = {
    "2.0.1": "0.15.2",
    "2.1.2": "0.16.2",
    "2.2.2": "0.17.2",
    "2.3.1": "0.18.1",
    "2.4.1": "0.19.1",
    "2.5.1": "0.20.1",
    "2.6.0": "0.21.0",
    "2.7.1": "0.22.1",
    "2.8.0": "0.23.0",
    "2.9.1": "0.24.1",
    "2.10.0": "0.25.0",
    "2.11.0": "0.26.0",
    "2.12.1": "0.27.1",
    "2.13.0": "0.28.0",
    "2.14.1": "0.29.1",
    "2.15.0": "0.30.0",
}
PYTHONS = ["cp311", "cp313"]
PLATFORMS = ["win_amd64", "manylinux_2_28_x86_64"]

# System, driver, compute capabilities, Python, request; and what should come of it.
MACHINES = [
    ("windows", "581.57", "6.1", "3.11", "torch", "torch 2.14.1+cu126"),
    ("linux", "580.95.05", "6.1", "3.11", "torch", "torch 2.14.1+cu126"),
    ("windows", "566.36", "6.1", "3.11", "torch", "torch 2.14.1+cu126"),
    ("windows", "472.12", "6.1", "3.11", "torch", "torch 2.7.1+cu118"),
    ("windows", "581.57", "6.1", "3.11", "torch>=2.15", "torch 2.15.0+cpu"),
    ("windows", "581.57", "6.1", "3.11", "torch==2.5.1", "torch 2.5.1+cu124"),
    ("windows", "581.57", "7.5", "3.11", "torch", "torch 2.15.0+cu132"),
    ("windows", "566.36", "7.5", "3.11", "torch", "torch 2.14.1+cu126"),
    ("windows", "528.24", "7.5", "3.11", "torch==2.4.1", "torch 2.4.1+cu118"),
    ("windows", "528.33", "7.5", "3.11", "torch==2.4.1", "torch 2.4.1+cu124"),
    ("windows", "581.57", "8.9", "3.11", "torch", "torch 2.15.0+cu132"),
    ("windows", "581.57", "8.9", "3.11", "torch torchvision", "torch 2.15.0+cu132 torchvision 0.30.0+cu132"),
    ("windows", "566.36", "8.9", "3.11", "torch==2.11.0", "torch 2.11.0+cu128"),
    ("windows", "581.57", "8.9", "3.11", "torch==2.11.0", "torch 2.11.0+cu130"),
    ("windows", "566.36", "8.9", "3.11", "torch==2.8.0", "torch 2.8.0+cu129"),
    ("windows", "566.36", "8.9", "3.11", "torch==2.6.0", "torch 2.6.0+cu126"),
    ("windows", "566.36", "8.9", "3.11", "torch==2.3.1", "torch 2.3.1+cu121"),
    ("windows", "566.36", "8.9", "3.11", "torch==2.0.1", "torch 2.0.1+cu118"),
    ("windows", "566.36", "8.9", "3.11", "torchvision==0.20.1", "torch 2.5.1+cu124 torchvision 0.20.1+cu124"),
    ("windows", "566.36", "8.9", "3.11", "torch<2.9", "torch 2.8.0+cu129"),
    ("windows", "581.57", "12.0", "3.11", "torch", "torch 2.15.0+cu132"),
    ("windows", "572.16", "12.0", "3.11", "torch", "torch 2.11.0+cu128"),
    ("windows", "572.16", "12.0", "3.11", "torch==2.7.1", "torch 2.7.1+cu128"),
    ("windows", "581.57", "12.0", "3.11", "torch==2.6.0", "torch 2.6.0+cpu"),
    ("windows", "390.77", "6.1", "3.11", "torch", "torch 2.15.0+cpu"),
    ("linux", "390.77", "8.9", "3.11", "torch", "torch 2.15.0+cpu"),
    ("windows", "none", "", "3.11", "torch", "torch 2.15.0+cpu"),
    ("linux", "none", "", "3.11", "torch", "torch 2.15.0+cpu"),
    ("windows", "999.99", "8.9", "3.11", "torch", "torch 2.15.0+cu132"),
    ("windows", "581.57", "6.1,8.9", "3.11", "torch", "torch 2.14.1+cu126"),
    ("windows", "581.57", "6.1,12.0", "3.11", "torch", "torch 2.15.0+cu132"),
    ("windows", "581.57", "7.5,12.0", "3.11", "torch", "torch 2.15.0+cu132"),
    ("linux", "580.95.05", "7.0", "3.11", "torch", "torch 2.14.1+cu126"),
    ("linux", "580.95.05", "7.0", "3.11", "torch==2.10.0", "torch 2.10.0+cu128"),
    ("linux", "525.60.13", "8.9", "3.11", "torch==2.6.0", "torch 2.6.0+cu126"),
    ("linux", "525.60.12", "8.9", "3.11", "torch==2.6.0", "torch 2.6.0+cu118"),
    ("linux", "580.95.05", "8.9", "3.13", "torch", "torch 2.15.0+cu132"),
    ("linux", "550.90.07", "9.0", "3.13", "torch", "torch 2.14.1+cu126"),
    ("linux", "470.82.01", "3.7", "3.11", "torch", "torch 2.7.1+cu118"),
    ("windows", "581.57", "8.9", "3.11", "requests torch", "requests 2.32.5 torch 2.15.0+cu132"),
    ("windows", "581.57", "8.9", "3.11", "requests", "requests 2.32.5"),
    ("windows", "581.57", "8.9", "3.11", "torch==2.9.1 torchvision", "torch 2.9.1+cu130 torchvision 0.24.1+cu130"),
]


def numbers(version):
    return [int(part) for part in version.split(".")]


def within(version, specifiers):
    """Whether a release is one of `>=2.6,<2.15`, `==2.8.*`."""
    for specifier in specifiers.split(","):
        operator, bound = re.fullmatch(r"(>=|<|==)([\d.]+?)(?:\.\*)?", specifier).groups()
        parts, ends = numbers(version), numbers(bound)
        fits = {">=": parts >= ends, "<": parts < ends, "==": parts[: len(ends)] == ends}
        if not fits[operator]:
            return False
    return True


def world():
    """The files of each index, by index and project: name and metadata."""
    indexes = {"simple": {"torch": [], "torchvision": [], "requests": []}}

    def add(index, name, version, requires=(), tags=("py3-none-any",)):
        lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
        lines += [f"Requires-Dist: {one}" for one in requires]
        for tag in tags:
            files = indexes[index].setdefault(name, [])
            files.append((f"{name}-{version}-{tag}.whl", "\n".join(lines) + "\n"))

    tags = [f"{python}-{python}-{platform}" for python in PYTHONS for platform in PLATFORMS]
    add("simple", "requests", "2.32.5")
    for torch, vision in RELEASES.items():
        add("simple", "torch", torch, tags=tags)
        add("simple", "torchvision", vision, [f"torch=={torch}"], tags)
    for family in INDEXES["family"]:
        name = family["name"]
        if "cuda" not in family and name != "cpu":
            continue
        ranges = [builds["torch"] for builds in family.get("builds", [])] or [">=2.0"]
        index = f"whl/{name}"
        indexes[index] = {}
        add(index, "requests", "2.28.1")
        for torch, vision in RELEASES.items():
            if any(within(torch, one) for one in ranges):
                add(index, "torch", f"{torch}+{name}", tags=tags)
                add(index, "torchvision", f"{vision}+{name}", [f"torch=={torch}"], tags)
    return indexes


WORLD = world()


class Handler(http.server.BaseHTTPRequestHandler):
    """The indexes, on whatever host; and a proxy that answers for every host."""

    protocol_version = "HTTP/1.1"
    certificate = None

    def log_message(self, *_):
        pass

    def do_CONNECT(self):
        self.send_response(200)
        self.end_headers()
        self.connection = self.certificate.wrap_socket(self.connection, server_side=True)
        self.rfile = self.connection.makefile("rb")
        self.wfile = self.connection.makefile("wb", buffering=0)
        self.close_connection = False

    def do_GET(self):
        path = urllib.parse.unquote(urllib.parse.urlsplit(self.path).path).strip("/")
        index, _, rest = path.rpartition("/")
        if index.startswith("files/"):
            files = WORLD[index.removeprefix("files/").rpartition("/")[0]][rest.split("-")[0]]
            metadata = dict(files).get(rest.removesuffix(".metadata"), "")
            return self.answer(metadata if rest.endswith(".metadata") else None)
        files = WORLD.get(index, {}).get(rest)
        return self.answer(None if files is None else self.page(index, rest, files), "text/html")

    do_HEAD = do_GET

    def page(self, index, name, files):
        """A project's page as PyTorch's are: links from the root, `+` encoded in them."""
        lines = [f"<!DOCTYPE html><html><body><h1>Links for {name}</h1>"]
        for filename, metadata in files:
            digest = hashlib.sha256(metadata.encode()).hexdigest()
            link = urllib.parse.quote(f"/files/{index}/{name}/{filename}")
            lines.append(
                f'<a href="{link}#sha256={digest}" data-dist-info-metadata="sha256={digest}"'
                f' data-core-metadata="sha256={digest}">{html.escape(filename)}</a><br/>'
            )
        return "\n".join(lines) + "\n</body></html>\n<!--TIMESTAMP 1764300000-->\n"

    def answer(self, text, kind="application/octet-stream"):
        body = (text or "").encode()
        self.send_response(404 if text is None else 200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def certificate(folder):
    """A certificate for PyTorch's host, by an authority of our own."""
    host = urllib.parse.urlsplit(INDEXES["url"]).hostname
    new = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    authority = ["-keyout", "authority.key", "-out", "authority.pem", "-subj", "/CN=authority"]
    own = ["-keyout", "own.key", "-out", "own.pem", "-subj", f"/CN={host}"]
    own += ["-CA", "authority.pem", "-CAkey", "authority.key"]
    own += ["-addext", f"subjectAltName=DNS:{host}", "-addext", "basicConstraints=critical,CA:FALSE"]
    for options in (authority, own):
        subprocess.run([*new, *options], cwd=folder, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "own.pem", folder / "own.key")
    return context


def ours(program, address, folder, machine):
    system, driver, cards, python, request, _ = machine
    variables = {**os.environ, "BNBPIP_CUDA_DRIVER": driver}
    if cards:
        variables["BNBPIP_CUDA_ARCH"] = cards
    command = [program, "install", "--dry-run", "--ignore-installed", "--quiet", "--isolated"]
    command += ["--accelerator", "auto", "--accelerator-index-url", f"{address}/whl"]
    command += ["--index-url", f"{address}/simple", "--target", folder / "t", "--report", "-"]
    command += ["--cache-dir", folder / "cache", "--python-platform", system]
    command += ["--python-version", python, "--only-binary", ":all:", *request.split()]
    done = subprocess.run(command, env=variables, capture_output=True, text=True)
    if done.returncode != 0:
        return done.stderr.strip().splitlines()[0]
    found = [one["metadata"] for one in json.loads(done.stdout)["install"]]
    return " ".join(sorted(f"{one['name']} {one['version']}" for one in found))


def uvs(program, address, folder, machine):
    system, driver, _, python, request, _ = machine
    variables = {**os.environ, "HTTPS_PROXY": address, "SSL_CERT_FILE": str(folder / "authority.pem")}
    # Without the variable uv asks this machine, which has no GPU.
    variables.pop("UV_CUDA_DRIVER_VERSION", None)
    if driver != "none":
        variables["UV_CUDA_DRIVER_VERSION"] = driver
    command = [program, "pip", "compile", "-", "--torch-backend", "auto", "--no-header", "--no-config"]
    command += ["--no-annotate", "--default-index", f"{address}/simple", "--quiet"]
    command += ["--cache-dir", folder / "uv", "--python-platform", system, "--python-version", python]
    text = "\n".join(request.split())
    done = subprocess.run(command, env=variables, input=text, capture_output=True, text=True)
    if done.returncode != 0:
        return "refused: " + " ".join(done.stderr.split())[:90]
    return " ".join(line.replace("==", " ") for line in sorted(done.stdout.split()))


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--bnbpip", required=True)
    arguments.add_argument("--uv")
    arguments = arguments.parse_args()
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        if arguments.uv:
            Handler.certificate = certificate(folder)
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_address[1]}"
        print("| system | driver | capability | Python | request | expected | bnbpip | uv |")
        print("|---|---|---|---|---|---|---|---|")
        same = 0
        for machine in MACHINES:
            expected = machine[-1]
            found = ours(arguments.bnbpip, address, folder, machine)
            theirs = uvs(arguments.uv, address, folder, machine) if arguments.uv else ""
            wrong += found != expected
            same += theirs == expected
            mark = "as expected" if found == expected else f"**{found}**"
            print("| " + " | ".join([*machine[:5], expected, mark, theirs]) + " |", flush=True)
        print(f"\n{len(MACHINES)} machines; as expected: bnbpip {len(MACHINES) - wrong}, uv {same}")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
