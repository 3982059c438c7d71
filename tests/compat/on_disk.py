#!/usr/bin/env python3
"""Installs the same requirement files with pip and with bnbpip, and compares the environments file
by file: names, contents, modes, and each RECORD.

Both work one after the other on the same paths, so that scripts and addresses can be compared as
they are. They ask an index that this script serves; nothing needs the internet.

    python tests/compat/on_disk.py --bnbpip target/debug/bnbpip [--pip "python -m pip"]
        [--markdown FILE] [--only WORD]

What is left out: the content of `INSTALLER` and of `.pyc` files (they hold times), bnbpip's own
`.bnbpip` folder, and what Python wrote into `__pycache__` of neither. The exit code is 0 when no
difference is left. It is run by hand: the test suite doesn't need pip.
"""

import argparse
import csv
import hashlib
import http.server
import json
import os
import pathlib
import re
import shlex
import shutil
import stat
import subprocess
import sys
import tempfile
import threading

import commands as base
from commands import FILES, H_ALPHA, H_BETA, project_files, sdist, wheel


def fancy():
    """A wheel with everything that goes to a place of its own."""
    data = "fancy-1.0.data"
    return wheel(
        "fancy",
        "1.0",
        files={
            "fancy/__init__.py": "",
            "fancy/deep/er/module.py": "x = 1\n",
            "fancy/data.txt": "text\n",
            "broken_syntax.py": "def (:\n",
            f"{data}/scripts/say": "#!python\nprint('said')\n",
            f"{data}/scripts/plain.sh": "#!/bin/sh\necho plain\n",
            f"{data}/data/share/fancy/note.txt": "note\n",
            f"{data}/headers/fancy.h": "int x;\n",
            f"{data}/purelib/fancy_pure.py": "x = 2\n",
            f"{data}/platlib/fancy_plat.py": "x = 3\n",
        },
        scripts=["fancy-run", "fancy-other"],
    )


FILES += [
    fancy(),
    sdist("plain_source", "2.0"),
    wheel("needs_source", "1.0", ["plain_source>=1"]),
    wheel("top", "1.0", ["tool", "extras[more]"]),
]
HOST = "${INDEX_HOST}"
H_FANCY = hashlib.sha512(FILES[-4][1]).hexdigest()


def requirement_files(work):
    """(name, the file's content, what the command line has beside it)."""
    repository = f"git+file://{work}/repository"
    here = f"file://{work}"
    texts = [
        ("pinned", "alpha==1.0\n"),
        ("not pinned", "alpha\n"),
        ("a range", "beta>=1,<3\n"),
        ("several, one per line", "alpha==1.1\ntool\nMixed_Case.Name\n"),
        ("comments and continuations", "# first\nalpha==\\\n1.0  # why\n\n   # last\ntool \\\n  ==1.0\n"),
        ("an extra", "extras[more]\n"),
        ("a dependency's extra", "top\n"),
        ("markers", 'beta==1.0 ; python_version >= "3"\ntool ; sys_platform == "plan9"\n'),
        ("hashes", f"alpha==1.0 --hash=sha256:{H_ALPHA}\nbeta==1.0 \\\n  --hash=sha256:{H_BETA}\n"),
        ("a hash of another kind", f"fancy==1.0 --hash=sha512:{H_FANCY}\n"),
        ("several hashes", f"beta==1.0 --hash=sha256:{'0' * 64} --hash=sha256:{H_BETA}\n"),
        ("nested files", "-r more/inner.txt\ntool\n"),
        ("a constraints file", "-c c.txt\nalpha\n"),
        ("a variable", "beta==${BETA_VERSION}\n"),
        ("a byte order mark, CRLF", "\ufeffalpha==1.0\r\ntool\r\n"),
        ("a wheel's path", "./wheels/beta-1.0-py3-none-any.whl\n"),
        ("a wheel's absolute path", f"{work}/wheels/beta-1.0-py3-none-any.whl\n"),
        ("a wheel's file address", f"beta @ {here}/wheels/beta-1.0-py3-none-any.whl\n"),
        ("a wheel's address", f"http://{HOST}/files/alpha-1.0-py3-none-any.whl\n"),
        ("a wheel's address with a name", f"alpha @ http://{HOST}/files/alpha-1.0-py3-none-any.whl\n"),
        ("an address with a hash", f"beta @ {here}/wheels/beta-1.0-py3-none-any.whl#sha256={H_BETA}\n"),
        ("a path with an extra", "./wheels/extras-1.0-py3-none-any.whl[more]\n"),
        ("a folder", "./localpkg\n"),
        ("a folder's address", f"localpkg @ {here}/localpkg\n"),
        ("an editable folder", "-e ./editpkg\n"),
        ("two editables", f"-e ./editpkg\n-e {here}/localpkg\n"),
        ("an sdist of the index", "source\n"),
        ("an sdist that is needed", "needs_source\n"),
        ("an sdist's path", "./plain_source-2.0.tar.gz\n"),
        ("an sdist's address", f"plain_source @ http://{HOST}/files/plain_source-2.0.tar.gz\n"),
        ("a repository", f"{repository}\n"),
        ("a repository at a tag", f"versioned @ {repository}@v1\n"),
        ("a repository at a commit", f"versioned @ {repository}@{{commit}}\n"),
        ("a repository's folder", f"inner @ {repository}#subdirectory=inner\n"),
        ("an editable repository", f"-e {repository}@v1#egg=versioned\n"),
        ("find-links and no index", "--no-index\n--find-links wheels\nalpha\n"),
        ("pre-releases", "--pre\nalpha\n"),
        ("a pre-release by name", "alpha>=2.1rc1\n"),
        ("a yanked release", "beta==3.0\n"),
        ("by the letter", "beta===2.0\n"),
        ("compatible", "alpha~=1.0\n"),
        ("scripts, data and headers", "fancy\ntool\n"),
        ("no binaries", "--no-binary plain_source\nplain_source\n"),
    ]
    extra = [
        ("a constraints file on the command line", "alpha\n", ["-c", "c.txt"]),
        ("without dependencies", "alpha\n", ["--no-deps"]),
        ("without byte-code", "fancy\n", ["--no-compile"]),
        ("into a prefix", "fancy\nalpha==1.0\n", ["--prefix", "venv/there"]),
        ("into a folder", "fancy\nalpha==1.0\n", ["--target", "venv/there"]),
        ("below another root", "alpha==1.0\n", ["--root", "venv/image"]),
    ]
    return [(name, text, []) for name, text in texts] + extra


def git(folder, *arguments):
    command = ["git", "-c", "user.name=x", "-c", "user.email=x@example.org", "-C", folder, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def write(folder, files):
    for path, text in files.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)


class Place:
    """The paths that both work on, and what each left there."""

    def __init__(self, root, index):
        self.root, self.index = root, index
        self.work, self.venv = root / "work", root / "work" / "venv"
        self.work.mkdir()
        (self.work / "wheels").mkdir()
        for name, data, _ in FILES:
            if name.startswith(("alpha-1", "beta-1", "beta-2", "extras")):
                (self.work / "wheels" / name).write_bytes(data)
        source = next(data for name, data, _ in FILES if name.startswith("plain_source"))
        (self.work / "plain_source-2.0.tar.gz").write_bytes(source)
        write(self.work, {"c.txt": "beta<2\n", "more/inner.txt": "-r deeper.txt\nalpha==1.0\n"})
        write(self.work, {"more/deeper.txt": "beta==1.0\n"})
        for name, version in (("localpkg", "0.1"), ("editpkg", "0.2")):
            write(self.work / name, project_files(name, version))
        repository = self.work / "repository"
        write(repository, project_files("versioned", "1.0"))
        write(repository / "inner", project_files("inner", "0.5"))
        git(self.work, "init", "-q", "repository")
        git(repository, "add", ".")
        git(repository, "commit", "-q", "-m", "one")
        git(repository, "tag", "v1")
        self.commit = git(repository, "rev-parse", "HEAD")
        write(repository, project_files("versioned", "2.0"))
        git(repository, "commit", "-q", "-a", "-m", "two")
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", root / "bare"], check=True)

    def fresh(self):
        for path in (self.venv, self.work / "src"):
            shutil.rmtree(path, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", self.venv], check=True)
        for left in self.work.rglob("__pycache__"):
            shutil.rmtree(left, ignore_errors=True)

    def install(self, program, text, more):
        """Exit code, output, and the environment's files."""
        self.fresh()
        file = self.work / "r.txt"
        file.write_bytes(text.replace("{commit}", self.commit).encode("utf-8"))
        env = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.root / "home"),
            "TMPDIR": str(self.root / "tmp"),
            "LC_ALL": "C.UTF-8",
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "PIP_NO_INPUT": "1",
            "PIP_INDEX_URL": f"http://{self.index}/simple",
            "PIP_TRUSTED_HOST": "127.0.0.1",
            "PIP_CACHE_DIR": str(self.root / "pip-cache"),
            "BNBPIP_CACHE_DIR": str(self.root / "bnbpip-cache"),
            "BETA_VERSION": "1.0",
            "INDEX_HOST": self.index,
        }
        for name in ("home", "tmp"):
            (self.root / name).mkdir(exist_ok=True)
        command = [*program, "--python", str(self.venv), "install", "-r", "r.txt", *more]
        done = subprocess.run(
            command, cwd=self.work, env=env, capture_output=True, text=True, stdin=subprocess.DEVNULL
        )
        left = sorted(path.name for path in (self.root / "tmp").iterdir())
        return done, snapshot(self.venv), left


def snapshot(venv):
    files = {}
    for path in sorted(venv.rglob("*")):
        relative = path.relative_to(venv).as_posix()
        if relative.startswith("src/") and "/.git/" in relative:
            continue
        if path.is_symlink():
            files[relative] = ("link", os.readlink(path))
        elif path.is_dir():
            files[relative + "/"] = (stat.S_IMODE(path.stat().st_mode), b"")
        else:
            files[relative] = (stat.S_IMODE(path.stat().st_mode), path.read_bytes())
    return files


# What differs on purpose: a pattern for the difference, and why.
ON_PURPOSE = [
    (
        r".*bin/(plain\.sh|say): mode 755 rather than 644",
        "scripts are made executable, though the wheel's own bits don't say so",
    ),
    (
        r"there/fancy-1.0.dist-info/RECORD: .*'bin/fancy-run'",
        "the paths in RECORD are those of the files; pip keeps the ones from before it moves them",
    ),
]


def is_compared(path):
    return not path.endswith((".pyc", "/INSTALLER"))


def rows(content):
    """The rows of a RECORD, the one of INSTALLER without its digest."""
    rows = list(csv.reader(content.decode().splitlines()))
    return [row[:1] if row[0].endswith("/INSTALLER") else row for row in rows]


def differences(pip, bnbpip):
    found = []
    for path in sorted(pip.keys() | bnbpip.keys()):
        one, other = pip.get(path), bnbpip.get(path)
        if other is None:
            found.append(f"{path}: missing")
        elif one is None:
            found.append(f"{path}: only bnbpip's")
        elif one[0] != other[0]:
            found.append(f"{path}: mode {other[0]:o} rather than {one[0]:o}")
        elif path.endswith("/RECORD"):
            if rows(one[1]) != rows(other[1]):
                ours, theirs = (set(map(tuple, rows(it[1]))) for it in (other, one))
                what = f"{sorted(ours - theirs)} rather than {sorted(theirs - ours)}"
                found.append(f"{path}: {what if ours != theirs else 'another order'}")
        elif path.endswith("/direct_url.json"):
            if json.loads(one[1]) != json.loads(other[1]):
                found.append(f"{path}: {other[1].decode()} rather than {one[1].decode()}")
        elif is_compared(path) and one[1] != other[1]:
            found.append(f"{path}: {other[1][:200]!r} rather than {one[1][:200]!r}")
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pip", default=f"{sys.executable} -m pip")
    parser.add_argument("--bnbpip", required=True, type=pathlib.Path)
    parser.add_argument("--markdown", type=pathlib.Path)
    parser.add_argument("--only")
    options = parser.parse_args()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), base.Index)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    lines = ["| requirement file | files | differences |", "|---|---:|---|"]
    failed = compared = 0
    with tempfile.TemporaryDirectory(prefix="on-disk-") as folder:
        place = Place(pathlib.Path(folder).resolve(), f"127.0.0.1:{server.server_port}")
        for name, text, more in requirement_files(place.work):
            if options.only and options.only not in name:
                continue
            theirs, pip, _ = place.install(shlex.split(options.pip), text, more)
            ours, bnbpip, left = place.install([str(options.bnbpip.resolve())], text, more)
            found = differences(pip, bnbpip)
            if theirs.returncode != ours.returncode or ours.returncode:
                found.insert(0, f"exit code {ours.returncode} rather than {theirs.returncode}")
            found += [f"left in the temporary folder: {path}" for path in left if "bnbpip" in path]
            why = [next((why for what, why in ON_PURPOSE if re.match(what, line)), None) for line in found]
            reasons = sorted({reason for reason in why if reason})
            found = [line for line, reason in zip(found, why) if not reason]
            compared += 1
            failed += bool(found)
            what = "<br>".join(found + [f"on purpose: {reason}" for reason in reasons]) or "none"
            lines.append(f"| {name} | {len(pip)} | {what.replace('|', chr(92) + '|')} |")
            print(f"{'same' if not found else 'DIFFERENT'}  {name}")
            for line in found:
                print(f"    {line}")
            if ours.returncode or theirs.returncode:
                print(f"  --- pip: {theirs.stderr[-800:]}\n  --- bnbpip: {ours.stderr[-800:]}")
    print(f"{compared - failed} of {compared} the same")
    if options.markdown:
        options.markdown.write_text("\n".join(lines) + "\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
