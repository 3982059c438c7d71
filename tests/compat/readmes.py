#!/usr/bin/env python3
"""The install commands of the READMEs of 15 GPU projects, as `--dry-run`, by pip and by bnbpip:
exit codes, and which versions each would install.

    python tests/compat/readmes.py --bnbpip target/debug/bnbpip [--pip "python -m pip"]
        [--markdown FILE] [--only WORD] [--timeout SECONDS]

It asks the configured index, so it needs the network, and is run by hand. Requirements that name
addresses of release pages are left out: what an index has is compared.
"""

import argparse
import json
import os
import pathlib
import shlex
import subprocess
import sys
import tempfile
import time

COMFYUI = """comfyui-frontend-package==1.45.15
comfyui-workflow-templates==0.9.98
comfyui-embedded-docs==0.5.3
torch
torchsde
torchvision
torchaudio
numpy>=1.25.0
einops
transformers>=4.50.3
tokenizers>=0.13.3
sentencepiece
safetensors>=0.4.2
aiohttp>=3.11.8
yarl>=1.18.0
pyyaml
Pillow
scipy
tqdm
psutil
alembic
SQLAlchemy>=2.0.0
filelock
av>=16.0.0
comfy-kitchen==0.2.10
comfy-aimdo==0.4.10
requests
simpleeval>=1.0.0
blake3

#non essential dependencies:
kornia>=0.7.1
spandrel
pydantic~=2.0
pydantic-settings~=2.0
PyOpenGL
glfw
"""

WEBUI = """accelerate==1.13.*
audioop-lts<1.0; python_version >= "3.13"
bitsandbytes==0.49.*
datasets
diffusers==0.37.*
einops
fastapi==0.112.4
flash-linear-attention==0.4.*
huggingface-hub==1.5.*
jinja2==3.1.6
markdown
numpy==2.2.*
pandas
peft==0.18.*
Pillow>=9.5.0
pydantic==2.11.0
pymupdf==1.27.*
python-docx==1.1.2
pyyaml
requests
rich
safetensors==0.7.*
scipy
sentencepiece
tensorboard
torchao==0.15.*
trafilatura==2.0.0
transformers==5.5.*
triton-windows==3.5.1.post24; platform_system == "Windows"
tqdm
wandb

# API
flask_cloudflared==0.0.15
sse-starlette==1.6.5
tiktoken
"""

KOHYA = """accelerate==0.15.0
albumentations==1.3.0
altair==4.2.2
bitsandbytes==0.35.0
dadaptation==1.5
diffusers[torch]==0.10.2
easygui==0.98.3
einops==0.6.0
ftfy==6.1.1
lion-pytorch==0.0.6
opencv-python==4.7.0.68
pytorch-lightning==1.9.0
safetensors==0.2.6
toml==0.10.2
transformers==4.26.0
voluptuous==0.13.1
fairscale==0.4.13
requests==2.28.2
timm==0.6.12
huggingface-hub==0.12.0
lycoris_lora==0.1.2
"""

# (project, what its README or its requirements file has one type, files beside it)
CASES = [
    ("unsloth", "unsloth", {}),
    ("axolotl", "axolotl", {}),
    ("text-generation-webui", "-r requirements.txt --upgrade", {"requirements.txt": WEBUI}),
    ("ComfyUI", "-r requirements.txt", {"requirements.txt": COMFYUI}),
    ("vllm", "vllm", {}),
    ("kohya_ss", "-r requirements.txt", {"requirements.txt": KOHYA}),
    ("transformers", '"transformers[torch]"', {}),
    ("diffusers", '--upgrade "diffusers[torch]"', {}),
    ("xformers", "-U xformers", {}),
    ("peft", "peft", {}),
    ("trl", "trl", {}),
    ("accelerate", "accelerate", {}),
    ("bitsandbytes", "bitsandbytes", {}),
    ("torchtune", "torch torchvision torchao torchtune", {}),
    ("LLaMA-Factory", '"llamafactory[torch,metrics]"', {}),
]


class Side:
    """What one of the two said."""

    def __init__(self, program, line, folder, timeout):
        command = [*program, "--python", str(folder / "venv"), "install", "--dry-run", "-q"]
        command += ["--report", str(folder / "report.json"), *shlex.split(line)]
        started = time.monotonic()
        try:
            done = subprocess.run(
                command, cwd=folder, capture_output=True, text=True, timeout=timeout, stdin=subprocess.DEVNULL
            )
            self.code, self.said = str(done.returncode), done.stderr
        except subprocess.TimeoutExpired:
            self.code, self.said = "out of time", ""
        self.seconds = time.monotonic() - started
        report = folder / "report.json"
        self.versions = {}
        if report.exists():
            items = json.loads(report.read_text())["install"]
            self.versions = {it["metadata"]["name"].lower().replace("_", "-"): it["metadata"]["version"] for it in items}
            report.unlink()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pip", default=f"{sys.executable} -m pip")
    parser.add_argument("--bnbpip", required=True, type=pathlib.Path)
    parser.add_argument("--markdown", type=pathlib.Path)
    parser.add_argument("--only")
    parser.add_argument("--timeout", type=float, default=300)
    options = parser.parse_args()
    lines = ["| project | `install …` | pip | bnbpip | packages | other versions |", "|---|---|---|---|---:|---|"]
    with tempfile.TemporaryDirectory(prefix="readmes-") as name:
        folder = pathlib.Path(name)
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "venv"], check=True)
        for project, line, files in CASES:
            if options.only and options.only not in project:
                continue
            for file, text in files.items():
                (folder / file).write_text(text)
            ours = Side([str(options.bnbpip.resolve())], line, folder, options.timeout)
            theirs = Side(shlex.split(options.pip), line, folder, options.timeout)
            names = sorted(ours.versions.keys() | theirs.versions.keys())
            other = [
                f"{it} {ours.versions.get(it, '–')} rather than {theirs.versions.get(it, '–')}"
                for it in names
                if ours.versions.get(it) != theirs.versions.get(it) and theirs.versions
            ]
            row = f"| {project} | `{line}` | {theirs.code}, {theirs.seconds:.0f} s | {ours.code}, {ours.seconds:.0f} s "
            row += f"| {len(ours.versions)} | {', '.join(other) or 'none'} |"
            lines.append(row)
            print(row, flush=True)
            for side, words in (("pip", theirs.said), ("bnbpip", ours.said)):
                if words.strip():
                    print(f"  --- {side}: {words.strip()[-1500:]}", flush=True)
    if options.markdown:
        options.markdown.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
