"""A build backend for tests: makes wheels of `module.py` and of what `build.json` says."""

import json
import os
import sys
import zipfile


def described():
    with open("build.json", encoding="utf-8") as file:
        return json.load(file)


def files(editable):
    said = described()
    name, version = said["name"], said["version"]
    info = f"{name}-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    metadata += "".join(f"Requires-Dist: {one}\n" for one in said.get("requires", []))
    wheel = "Wheel-Version: 1.0\nGenerator: backend\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    content = {f"{info}/METADATA": metadata, f"{info}/WHEEL": wheel}
    if editable:
        content[f"{name}.pth"] = os.getcwd() + "\n"
    else:
        content[f"{name}.py"] = f"built_with = {said.get('settings')!r}\n"
    return info, content


def get_requires_for_build_wheel(config_settings=None):
    said = described()
    return said.get("build_requires", []) + ["x"] * said.get("many_requires", 0)


def prepare_metadata_for_build_wheel(folder, config_settings=None):
    print("preparing")
    if "unprepared" in described():
        sys.exit(described()["unprepared"])
    info, content = files(False)
    os.mkdir(os.path.join(folder, info))
    with open(os.path.join(folder, info, "METADATA"), "w", encoding="utf-8") as file:
        file.write(content[f"{info}/METADATA"])
    return info


def build_wheel(folder, config_settings=None, metadata_directory=None, editable=False):
    said = described()
    for name in said.get("imports", []):
        __import__(name)
    if "noise" in said:
        print("first words")
        print("x" * said["noise"])
    if "fails" in said:
        print("compiling\rcompiling module.c")
        sys.exit(said["fails"])
    info, content = files(editable)
    if not editable:
        name = said["name"]
        content[f"{name}.py"] = f"built_with = {config_settings!r}\n"
    wheel = f"{said['name']}-{said['version']}-py3-none-any.whl"
    record = "".join(f"{path},,\n" for path in [*content, f"{info}/RECORD"])
    with zipfile.ZipFile(os.path.join(folder, wheel), "w") as archive:
        for path, text in content.items():
            archive.writestr(path, text)
        archive.writestr(f"{info}/RECORD", record)
    return wheel


def build_editable(folder, config_settings=None, metadata_directory=None):
    return build_wheel(folder, config_settings, metadata_directory, editable=True)
