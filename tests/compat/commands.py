#!/usr/bin/env python3
"""Runs the same command lines with pip and with bnbpip, and compares what comes of them.

Both work on environments with the same content and ask an index that this script serves on this
machine; nothing needs the internet. Compared are exit codes, what is installed afterwards, and,
row by row, standard output as it is, lines of either stream that scripts look for, or JSON.

    python tests/compat/commands.py --bnbpip target/debug/bnbpip [--pip "python -m pip"]
        [--markdown FILE] [--only WORD] [-v]

`--pip` must be pip 24 or newer (it is run with `--python`). The exit code is 0 when every row is
the same or is marked as different on purpose. `--markdown` writes the table of `docs/pip-and-uv.md`.
It is run by hand: the test suite doesn't need pip.
"""

import argparse
import base64
import collections
import hashlib
import http.server
import io
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tarfile
import tempfile
import threading
import zipfile

BACKEND = '''
import base64, hashlib, io, os, pathlib, tarfile, zipfile

NAME, VERSION, REQUIRES = {name!r}, {version!r}, {requires!r}
INFO = f"{{NAME}}-{{VERSION}}.dist-info"
METADATA = f"Metadata-Version: 2.1\\nName: {{NAME}}\\nVersion: {{VERSION}}\\n" + "".join(
    f"Requires-Dist: {{one}}\\n" for one in REQUIRES
)
WHEEL = "Wheel-Version: 1.0\\nGenerator: x\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"


def prepare_metadata_for_build_wheel(folder, settings=None):
    os.makedirs(os.path.join(folder, INFO))
    for file, text in (("METADATA", METADATA), ("WHEEL", WHEEL)):
        pathlib.Path(folder, INFO, file).write_text(text)
    return INFO


prepare_metadata_for_build_editable = prepare_metadata_for_build_wheel


def build_wheel(folder, settings=None, metadata=None, editable=False):
    name = f"{{NAME}}-{{VERSION}}-py3-none-any.whl"
    files = {{f"{{INFO}}/METADATA": METADATA, f"{{INFO}}/WHEEL": WHEEL}}
    if editable:
        files[f"__editable__{{NAME}}.pth"] = os.getcwd() + "\\n"
    else:
        files[f"{{NAME}}.py"] = "x = 1\\n"
    record = ""
    with zipfile.ZipFile(os.path.join(folder, name), "w") as archive:
        for path, text in files.items():
            digest = hashlib.sha256(text.encode()).digest()
            digest = base64.urlsafe_b64encode(digest).decode().rstrip("=")
            record += f"{{path}},sha256={{digest}},{{len(text)}}\\n"
            archive.writestr(path, text)
        archive.writestr(f"{{INFO}}/RECORD", record + f"{{INFO}}/RECORD,,\\n")
    return name


def build_editable(folder, settings=None, metadata=None):
    return build_wheel(folder, settings, metadata, True)
'''
PYPROJECT = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'


def wheel(name, version, requires=(), extras=(), files=None, scripts=(), python=None, tag="py3-none-any"):
    """A wheel as (file name, bytes, Requires-Python)."""
    module = re.sub(r"[-.]+", "_", name)
    info = f"{module}-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nSummary: The {name} package\n"
    metadata += "Home-page: https://example.org\nAuthor: A. Author\nAuthor-email: a@example.org\n"
    metadata += "License: MIT\nClassifier: Topic :: Software Development\n"
    metadata += f"Requires-Python: {python}\n" if python else ""
    metadata += "".join(f"Provides-Extra: {extra}\n" for extra in extras)
    metadata += "".join(f"Requires-Dist: {one}\n" for one in requires)
    content = {f"{module}.py": "def main():\n    print('it runs')\n", **(files or {})}
    content[f"{info}/METADATA"] = metadata
    content[f"{info}/WHEEL"] = f"Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: {tag}\n"
    if scripts:
        content[f"{info}/entry_points.txt"] = "[console_scripts]\n" + "".join(
            f"{script} = {module}:main\n" for script in scripts
        )
    buffer = io.BytesIO()
    record = ""
    with zipfile.ZipFile(buffer, "w") as archive:
        for path, text in content.items():
            digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode()
            record += f"{path},sha256={digest.rstrip('=')},{len(text)}\n"
            archive.writestr(zipfile.ZipInfo(path, (2020, 1, 1, 0, 0, 0)), text)
        archive.writestr(zipfile.ZipInfo(f"{info}/RECORD", (2020, 1, 1, 0, 0, 0)), record + f"{info}/RECORD,,\n")
    return f"{module}-{version}-{tag}.whl", buffer.getvalue(), python


def project_files(name, version, requires=()):
    """A project that builds itself."""
    backend = BACKEND.format(name=name, version=version, requires=list(requires))
    info = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    return {"pyproject.toml": PYPROJECT, "backend.py": backend, "PKG-INFO": info}


def sdist(name, version, requires=()):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for path, text in project_files(name, version, requires).items():
            member = tarfile.TarInfo(f"{name}-{version}/{path}")
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))
    return f"{name}-{version}.tar.gz", buffer.getvalue(), None


YANKED = {"beta-3.0-py3-none-any.whl": "broken upload"}
FILES = [
    wheel("alpha", "1.0", ["beta>=1"]),
    wheel("alpha", "1.1", ["beta>=1"]),
    wheel("alpha", "2.0", ["beta>=1"]),
    wheel("alpha", "2.1rc1", ["beta>=1"]),
    wheel("beta", "1.0"),
    wheel("beta", "2.0"),
    wheel("beta", "3.0"),
    wheel("gamma", "1.0", ["alpha<2"]),
    wheel("delta", "1.0", ["alpha>=2"]),
    wheel("extras", "1.0", ["beta ; extra == 'more'"], ["more"]),
    wheel("marked", "1.0", ["beta ; sys_platform == 'plan9'"]),
    wheel("future", "1.0", python=">=4"),
    wheel("Mixed_Case.Name", "1.0"),
    wheel("tool", "1.0", scripts=["run-tool"]),
    wheel("missing", "1.0", ["nowhere-to-be-found"]),
    wheel("win-only", "1.0", tag="cp311-cp311-win_amd64"),
    sdist("source", "1.0", ["beta"]),
]


def canonical(name):
    return re.sub(r"[-_.]+", "-", name).lower()


class Index(http.server.BaseHTTPRequestHandler):
    """The Simple API over FILES."""

    def log_message(self, *arguments):
        pass

    def do_GET(self):
        parts = self.path.strip("/").split("/")
        if parts[0] == "simple" and len(parts) == 2:
            body = self.page(parts[1])
            kind = "text/html"
        else:
            body = next((data for name, data, _ in FILES if name == parts[-1]), None)
            kind = "application/octet-stream"
        if body is None:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def page(self, project):
        links = ""
        for name, data, python in FILES:
            of = name.split("-")[0] if name.endswith(".whl") else name.rsplit("-", 1)[0]
            if canonical(of) != project:
                continue
            more = f' data-requires-python="{python.replace(">", "&gt;")}"' if python else ""
            more += f' data-yanked="{YANKED[name]}"' if name in YANKED else ""
            digest = hashlib.sha256(data).hexdigest()
            links += f'<a href="/files/{name}#sha256={digest}"{more}>{name}</a><br>\n'
        return f"<!DOCTYPE html><html><body>{links}</body></html>".encode() if links else None


ALPHA = next(data for name, data, _ in FILES if name == "alpha-1.0-py3-none-any.whl")
BETA = next(data for name, data, _ in FILES if name == "beta-1.0-py3-none-any.whl")
H_ALPHA, H_BETA = (hashlib.sha256(data).hexdigest() for data in (ALPHA, BETA))

# Files in the working directory of both.
WORK = {
    "r.txt": "# wanted\nalpha==1.0\n\nbeta  # any\n",
    "nested.txt": "-r r.txt\n-c c.txt\ntool\n",
    "c.txt": "beta<2\n",
    "hashed.txt": f"alpha==1.0 --hash=sha256:{H_ALPHA}\nbeta==1.0 \\\n    --hash=sha256:{H_BETA}\n",
    "badhash.txt": f"beta==1.0 --hash=sha256:{'0' * 64}\n",
    "unpinned.txt": f"beta --hash=sha256:{H_BETA}\n",
    "nohash.txt": f"alpha==1.0 --hash=sha256:{H_ALPHA}\nbeta==1.0\n",
    "loop.txt": "-r loop.txt\n",
    "badoption.txt": "--bogus x\n",
    "badline.txt": "alpha = 1\n",
    "cextra.txt": "extras[more]==1.0\n",
    "env.txt": "beta==${BETA_VERSION}\n",
    "marker.txt": 'beta ; sys_platform == "plan9"\n',
    "freeze.txt": "# first\n--pre\nbeta\nalpha\nnot-installed\n",
    "freeze2.txt": "beta\n",
    "empty.txt": "",
    "archive.bin": "abc",
}


class World:
    """A folder with an environment, its pristine copy, and a working directory."""

    def __init__(self, root, program, cache_variable, index):
        self.root, self.program = root, program
        self.work = root / "work"
        self.work.mkdir(parents=True)
        for name, text in WORK.items():
            (self.work / name).write_text(text)
        for name, version in (("localpkg", "0.1"), ("editpkg", "0.2")):
            folder = self.work / name
            folder.mkdir()
            for path, text in project_files(name, version).items():
                (folder / path).write_text(text)
        (self.work / "wheels").mkdir()
        for name, data, _ in FILES:
            if name.startswith(("alpha-1", "beta-1", "beta-2")):
                (self.work / "wheels" / name).write_bytes(data)
        self.env = {
            "PATH": os.environ["PATH"],
            "HOME": str(root / "home"),
            "TMPDIR": str(root / "tmp"),
            "LC_ALL": "C.UTF-8",
            "NO_COLOR": "1",
            "COLUMNS": "500",
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "PIP_INDEX_URL": f"{index}/simple",
            "BETA_VERSION": "1.0",
            cache_variable: str(root / "cache"),
        }
        for folder in ("home", "tmp", "cache"):
            (root / folder).mkdir()
        if sys.platform == "win32":
            self.env["SYSTEMROOT"] = os.environ["SYSTEMROOT"]

    def make_environment(self, pip):
        """The same content in both, put there by pip."""
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", self.root / "venv"], check=True)
        shutil.copytree(self.root / "venv", self.root / "bare", symlinks=True)
        wanted = ["alpha==1.0", "beta==1.0", "Mixed_Case.Name", "tool", "./wheels/alpha-1.0-py3-none-any.whl"]
        for arguments in (wanted[:4], ["--no-deps", "--force-reinstall", wanted[4]], ["-e", "./editpkg"]):
            command = [*pip, "--python", str(self.root / "venv"), "install", "-q", *arguments]
            subprocess.run(command, cwd=self.work, env=self.env, check=True, stdin=subprocess.DEVNULL)
        shutil.copytree(self.root / "venv", self.root / "pristine", symlinks=True)

    def reset(self, kind):
        for name in ("venv", "out"):
            shutil.rmtree(self.root / name, ignore_errors=True)
        shutil.rmtree(self.work / "out", ignore_errors=True)
        shutil.copytree(self.root / kind, self.root / "venv", symlinks=True)

    def run(self, line, answer="", variables=None):
        arguments = shlex.split(line)
        command = [*self.program, "--python", str(self.root / "venv"), *arguments]
        if line.startswith("!"):  # without --python
            command = [*self.program, *shlex.split(line[1:])]
        env = {**self.env, **(variables or {})}
        done = subprocess.run(
            command, cwd=self.work, env=env, input=answer, capture_output=True, text=True, timeout=120
        )
        return done.returncode, self.normal(done.stdout), self.normal(done.stderr)

    def normal(self, text):
        text = text.replace(str(self.root.resolve()), "[W]").replace(str(self.root), "[W]")
        text = re.sub(r"127\.0\.0\.1:\d+", "[HOST]", text)
        return text.replace("\r\n", "\n")

    def installed(self):
        found = (self.root / "venv").rglob("*.dist-info")
        return sorted(path.name for path in found)

    def saved(self):
        """What lies in `out`."""
        out = self.work / "out"
        paths = (str(path.relative_to(out)) for path in out.rglob("*.*"))
        return sorted(self.normal("/" + path) for path in paths)


Case = collections.namedtuple("Case", "line how phrases state answer variables purpose")


def case(line, *phrases, how="phrases", state="pristine", answer="", variables=None, purpose=None):
    """A row: `how` is `exact` (stdout), `phrases` (regular expressions that lines of either stream
    of both must match), `json` (equal), `keys` (the same shape) or `code`. `purpose` is why a row
    differs, where it is meant to."""
    return Case(line, how, phrases, state, answer, variables, purpose)


from commands_table import TABLE  # noqa: E402


def shape(value):
    """The keys of a JSON value, without what it says."""
    if isinstance(value, dict):
        return {key: shape(item) for key, item in value.items()}
    if isinstance(value, list):
        return sorted({json.dumps(shape(item), sort_keys=True) for item in value})
    return type(value).__name__


def differences(row, pip, bnb):
    found = []
    if pip[0] != bnb[0]:
        found.append(f"exit code {bnb[0]} rather than {pip[0]}")
    if row.how == "exact" and pip[1].rstrip() != bnb[1].rstrip():
        found.append(f"stdout {bnb[1]!r} rather than {pip[1]!r}")
    if row.how in ("json", "keys"):
        try:
            one, other = json.loads(pip[1]), json.loads(bnb[1])
        except ValueError as error:
            found.append(f"no JSON: {error}")
        else:
            if row.how == "keys":
                other.pop("bnbpip", None)
                one, other = shape(one), shape(other)
            if one != other:
                found.append(f"JSON {other} rather than {one}")
    for phrase in row.phrases:
        for stream, name in ((1, "stdout"), (2, "stderr")):
            theirs, ours = (re.search(phrase, side[stream], re.M) for side in (pip, bnb))
            if theirs and not ours:
                found.append(f"no `{phrase}` on {name}")
                break
        else:
            if not any(re.search(phrase, pip[stream], re.M) for stream in (1, 2)):
                found.append(f"pip says no `{phrase}`")
    if pip[3] != bnb[3]:
        found.append(f"installed {bnb[3]} rather than {pip[3]}")
    if pip[4] != bnb[4]:
        found.append(f"saved {bnb[4]} rather than {pip[4]}")
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pip", default=f"{sys.executable} -m pip")
    parser.add_argument("--bnbpip", required=True, type=pathlib.Path)
    parser.add_argument("--markdown", type=pathlib.Path)
    parser.add_argument("--only")
    parser.add_argument("-v", "--verbose", action="store_true")
    options = parser.parse_args()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Index)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    index = f"http://127.0.0.1:{server.server_port}"
    pip = shlex.split(options.pip)
    with tempfile.TemporaryDirectory(prefix="compat-") as folder:
        root = pathlib.Path(folder)
        worlds = [
            World(root / "p", pip, "PIP_CACHE_DIR", index),
            World(root / "b", [str(options.bnbpip.resolve())], "BNBPIP_CACHE_DIR", index),
        ]
        for world in worlds:
            world.make_environment(pip)
        return compare(worlds, options)


def compare(worlds, options):
    results = collections.Counter()
    groups = collections.defaultdict(collections.Counter)
    intended, failed = [], []
    for group, row in TABLE(case):
        if options.only and options.only not in f"{group} {row.line}":
            continue
        sides = []
        for world in worlds:
            world.reset(row.state)
            code, stdout, stderr = world.run(row.line, row.answer, row.variables)
            sides.append((code, stdout, stderr, world.installed(), world.saved()))
        found = differences(row, *sides)
        result = "same" if not found else "on purpose" if row.purpose else "different"
        if row.purpose and not found:
            result = "different"
            found = ["it is marked as different, and is the same"]
        results[result] += 1
        groups[group][result] += 1
        if result == "on purpose":
            intended.append((row.line, row.purpose))
        if result == "different":
            failed.append(row.line)
            print(f"DIFFERENT  {row.line}")
            for line in found:
                print(f"    {line}")
        if options.verbose:
            for name, side in zip(("pip", "bnbpip"), sides):
                print(f"  --- {name}: {side[0]}\n{side[1]}  --- stderr\n{side[2]}")
    print(", ".join(f"{count} {result}" for result, count in sorted(results.items())))
    if options.markdown:
        options.markdown.write_text(markdown(groups, intended))
    return 1 if failed else 0


def markdown(groups, intended):
    lines = ["| command lines | rows | same | different on purpose | different |", "|---|---:|---:|---:|---:|"]
    total = collections.Counter()
    for group, counts in groups.items():
        total.update(counts)
        lines.append(row_of(group, counts))
    lines.append(row_of("all", total))
    lines.append("")
    lines += ["| different on purpose | why |", "|---|---|"]
    lines += [f"| `{line.lstrip('!')}` | {why} |" for line, why in intended]
    return "\n".join(lines) + "\n"


def row_of(name, counts):
    cells = [counts[key] for key in ("same", "on purpose", "different")]
    return f"| {name} | {sum(cells)} | " + " | ".join(map(str, cells)) + " |"


if __name__ == "__main__":
    sys.exit(main())
