#!/usr/bin/env python3
"""Compares what bnbpip reads of `setup.py` and `setup.cfg` with what setuptools makes of them.

    python tests/compat/plain_setup.py --bnbpip target/debug/bnbpip [--python PYTHON] [REQUIREMENT ...]

Each sdist is resolved twice, the second time with a setting for its backend, which has it asked. Where the first time
needs no build, the requirements, extras and Pythons have to be the same. It takes the releases from the configured index
(needs packaging), and is run by hand; exit status 0: all that was read is what setuptools says.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

# Legacy projects, most of them from before wheels were everywhere.
PROJECTS = """
docopt future==0.18.2 termcolor==1.1.0 sgmllib3k antlr4-python3-runtime==4.9.3 jieba langdetect fire==0.5.0 wget
pyperclip progress oauth2client==4.1.3 crcmod hdfs dill==0.3.1.1 simplejson msgpack==1.0.2 tornado==6.1 bleach==3.3.0
html5lib==1.1 ipython_genutils kazoo==2.8.0 redis==3.5.3 sqlalchemy==1.3.24 alembic==1.4.3 flask==1.1.4
werkzeug==1.0.1 jinja2==2.11.3 click==7.1.2 itsdangerous==1.1.0 requests==2.25.1 urllib3==1.26.4 chardet==3.0.4
idna==2.10 boto3==1.17.0 s3transfer==0.3.7 accelerate==0.5.0 peft==0.3.0 trl==0.4.1 sentence-transformers==2.2.2
bitsandbytes==0.37.2 rouge_score==0.1.2 lm_eval==0.3.0 sacrebleu==1.5.1 gradio==2.0.0 tensorboardX==2.2 timm==0.4.12
optimum==1.5.0 evaluate==0.3.0 ftfy==5.8 thinc==7.4.5 srsly==1.0.5 gensim==3.8.3 networkx==2.5 mpmath==1.1.0
cycler==0.10.0 pydot==1.4.2 ply pycparser==2.20 bcrypt==3.2.0 fabric==2.6.0 invoke==1.5.0 docker==4.4.4 docker-pycreds
pyserial==3.5 tabulate==0.8.9 texttable==1.6.3 colorama==0.4.4 pytz==2021.1 tzlocal==2.1 apscheduler==3.7.0
schedule==1.1.0 gevent==21.1.2 greenlet==1.0.0 eventlet==0.30.2 gunicorn==20.1.0 bottle==0.12.19
djangorestframework==3.12.4 oauthlib==3.1.0 requests-oauthlib==1.3.0 pyTelegramBotAPI==3.7.7 slackclient==2.9.3
dkimpy==1.1.8 scapy==2.4.5 pexpect==4.8.0 pyrsistent==0.17.3 peewee==3.14.4 pymysql==1.0.2 openpyxl==3.0.7 xlwt==1.3.0
reportlab==3.5.67 jax==0.1.77 atomicwrites==1.4.1 lock==2018.3.25.2110 word2number==1.1 auto-gptq==0.7.1
exllamav2==0.2.9 zipp==3.1.0 importlib-metadata==1.7.0 keyring==21.5.0 portend==2.6 tempora==4.0.0
jaraco.functools==3.0.1 inflect==5.3.0 configparser==5.0.0 path==15.0.0 humanize==3.5.0 typeguard==2.9.0
pluggy==0.13.1 build==0.1.0 platformdirs==2.0.0 filelock==3.3.0 cloudpickle==1.6.0 django==3.2 asgiref==3.3.4
sqlparse==0.4.1 jsonschema==3.2.0 tqdm==4.60.0 black==19.10b0 mypy-extensions==0.4.3 adlfs==0.7.0 pycodestyle==2.7.0
flake8==3.9.0 mccabe==0.6.1 27
""".split()


class Asked:
    """What one run of bnbpip says of a project."""

    def __init__(self, options, folder, requirement, *more):
        name = requirement.split("==")[0]
        report = folder / "report.json"
        report.unlink(missing_ok=True)
        command = [options.bnbpip, "install", "--dry-run", "--no-deps", "--ignore-installed", "--no-binary", name]
        command += ["--report", report, "--cache-dir", folder / "cache", *more, requirement]
        if options.python:
            command += ["--python", options.python]
        done = subprocess.run(command, capture_output=True, text=True, timeout=600)
        self.is_built = "from source" in done.stderr
        self.error = done.stderr.strip().splitlines()[-1:] if done.returncode else None
        if not self.error:
            [installed] = json.loads(report.read_text())["install"]
            metadata = installed["metadata"]
            self.requires = (
                {str(Requirement(text)) for text in metadata.get("requires_dist", [])},
                {canonicalize_name(extra) for extra in metadata.get("provides_extra", [])},
                set(metadata.get("requires_python", "").replace(" ", "").split(",")),
            )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bnbpip", required=True, type=pathlib.Path)
    parser.add_argument("--python", help="the environment that is resolved for")
    parser.add_argument("requirements", nargs="*", default=PROJECTS)
    options = parser.parse_args()
    options.bnbpip = options.bnbpip.resolve()
    counts = dict.fromkeys(["same", "asked", "unknown", "DIFFERENT"], 0)
    for requirement in options.requirements:
        # Each has a cache of its own, so that no build is found again.
        with tempfile.TemporaryDirectory(prefix="plain-setup-") as folder:
            read = Asked(options, pathlib.Path(folder), requirement)
            word, detail = "asked", ""
            if not read.is_built and not read.error:
                asked = Asked(options, pathlib.Path(folder), requirement, "-C", "a=b")
                if asked.error or not asked.is_built:
                    word, detail = "unknown", asked.error or "nothing was built"
                elif asked.requires == read.requires:
                    word = "same"
                else:
                    word, detail = "DIFFERENT", (read.requires, asked.requires)
        counts[word] += 1
        print(requirement, word, detail, flush=True)
    print(", ".join(f"{count} {word}" for word, count in counts.items()))
    return 1 if counts["DIFFERENT"] or not counts["same"] else 0


if __name__ == "__main__":
    sys.exit(main())
