#!/usr/bin/env python3
"""Builds and installs projects from their source distributions, one for each kind of build that
there is, and imports what was installed.

    python tests/compat/sdists.py --bnbpip target/debug/bnbpip [--markdown FILE] [--only WORD]

It takes the releases from the configured index, so it needs the network, a C compiler and (for
maturin) Rust, and is run by hand. Where a project has wheels too, `--no-binary` asks for the
source. The last row is a build that fails: what the compiler says has to be shown.
"""

import argparse
import io
import pathlib
import subprocess
import sys
import tarfile
import tempfile
import time

# (requirement, how it is built, what is imported)
CASES = [
    ("docopt==0.6.2", "setuptools, legacy setup.py", "docopt"),
    ("sgmllib3k==1.0.0", "setuptools, legacy setup.py", "sgmllib"),
    ("antlr4-python3-runtime==4.9.3", "setuptools, legacy setup.py", "antlr4"),
    ("wget==3.2", "setuptools, legacy setup.py", "wget"),
    ("termcolor==1.1.0", "setuptools, legacy setup.py", "termcolor"),
    ("pathtools==0.1.2", "setuptools, legacy setup.py", "pathtools"),
    ("langdetect==1.0.9", "setuptools, legacy setup.py", "langdetect"),
    ("jieba==0.42.1", "setuptools, legacy setup.py", "jieba"),
    ("iopath==0.1.10", "setuptools, legacy setup.py", "iopath"),
    ("fvcore==0.1.5.post20221221", "setuptools, legacy setup.py", "fvcore"),
    ("crcmod==1.7", "setuptools, C extension", "crcmod"),
    ("markupsafe", "setuptools, C extension", "markupsafe"),
    ("wrapt", "setuptools, C extension", "wrapt"),
    ("simplejson", "setuptools, C extension", "simplejson"),
    ("msgpack", "setuptools, C extension by Cython", "msgpack"),
    ("pyyaml", "setuptools with a backend of its own, Cython", "yaml"),
    ("six", "setuptools", "six"),
    ("idna", "flit", "idna"),
    ("typing-extensions", "flit", "typing_extensions"),
    ("flit-core", "flit, by itself", "flit_core"),
    ("attrs", "hatchling", "attrs"),
    # Later ones want `python-sbom` for their build, which is not on the index.
    ("filelock==3.16.1", "hatchling, version by hatch-vcs", "filelock"),
    ("hatchling", "hatchling, by itself", "hatchling"),
    ("rich", "poetry-core", "rich"),
    ("tomlkit", "poetry-core", "tomlkit"),
    ("pdm-backend", "pdm-backend, by itself", "pdm.backend"),
    ("unearth", "pdm-backend", "unearth"),
    ("fastuuid", "maturin", "fastuuid"),
    ("contourpy", "meson-python, C++", "contourpy"),
    ("meson-python", "meson-python, by itself", "mesonpy"),
    ("spglib", "scikit-build-core", "spglib"),
]

BROKEN = {
    "pyproject.toml": '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n',
    "setup.py": (
        "from setuptools import Extension, setup\n"
        "setup(name='broken-extension', version='1.0', ext_modules=[Extension('broken', ['broken.c'])])\n"
    ),
    "broken.c": "#include <Python.h>\nint f(void) { return no_such_name; }\n",
}


def broken(folder):
    """An sdist whose C file doesn't compile."""
    path = folder / "broken-extension-1.0.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name, text in BROKEN.items():
            member = tarfile.TarInfo(f"broken-extension-1.0/{name}")
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))
    return path


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bnbpip", required=True, type=pathlib.Path)
    parser.add_argument("--markdown", type=pathlib.Path)
    parser.add_argument("--only")
    parser.add_argument("--timeout", type=float, default=600)
    options = parser.parse_args()
    lines = ["| sdist | built by | result | seconds |", "|---|---|---|---:|"]
    failed = 0
    with tempfile.TemporaryDirectory(prefix="sdists-") as name:
        folder = pathlib.Path(name)

        def install(venv, *arguments):
            subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True)
            command = [options.bnbpip.resolve(), "--python", venv, "install", "--no-cache-dir", *arguments]
            return subprocess.run(command, capture_output=True, text=True, timeout=options.timeout)

        for requirement, how, module in CASES:
            if options.only and options.only not in f"{requirement} {how}":
                continue
            project = requirement.split("=")[0]
            venv = folder / project
            started = time.monotonic()
            try:
                done = install(venv, "--no-deps", "--no-binary", project, requirement)
                installed = [line for line in done.stdout.splitlines() if line.startswith("Successfully installed")]
                # What it requires isn't installed: that the module is there is what counts.
                code = f"import importlib.util; assert importlib.util.find_spec({module.split('.')[0]!r})"
                found = subprocess.run([venv / "bin" / "python", "-c", code], capture_output=True, text=True)
                well = done.returncode == 0 and installed and "Building" in done.stderr and found.returncode == 0
                result = installed[0].split()[-1] if well else f"code {done.returncode}"
                said = "" if well else (done.stderr + found.stderr)[-3000:]
            except subprocess.TimeoutExpired:
                well, result, said = False, "out of time", ""
            failed += not well
            lines.append(f"| {requirement} | {how} | {result} | {time.monotonic() - started:.0f} |")
            print(lines[-1], flush=True)
            if said:
                print(said, flush=True)
        done = install(folder / "broken", str(broken(folder)))
        shown = "no_such_name" in done.stderr and "error" in done.stderr and done.returncode == 1
        failed += not shown
        lines.append(f"| a C file that doesn't compile | setuptools | {'the words of the compiler' if shown else 'NOT SHOWN'} | – |")
        print(lines[-1])
    print(f"{failed} failed")
    if options.markdown:
        options.markdown.write_text("\n".join(lines) + "\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
