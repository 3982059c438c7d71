# Prints facts about the interpreter that runs it, as one line of JSON between two markers.
# Kept to syntax that Python 2 also reads, so that an old interpreter can say what it is.
import sys

if sys.path and sys.path[0] == "":
    del sys.path[0]  # `-c` puts the working directory first; a json.py there must not be taken

import json
import os


def emit(facts):
    sys.stdout.write("\n<<bnbpip-facts>>" + json.dumps(facts) + "<</bnbpip-facts>>\n")
    sys.stdout.flush()


if sys.version_info < (3, 7):
    emit({"unsupported": "%d.%d.%d" % tuple(sys.version_info[:3])})
    sys.exit(0)

import platform
import struct
import sysconfig

BASE = "/bnbpip-base"
if os.name == "nt":
    BASE = "X:\\bnbpip-base"
IN_VENV = sys.prefix != getattr(sys, "base_prefix", sys.prefix) or hasattr(sys, "real_prefix")
PARTS = ("purelib", "platlib", "scripts", "data", "include")
XY = "python%d.%d" % sys.version_info[:2]


def config_var(name):
    try:
        return sysconfig.get_config_var(name)
    except Exception:
        return None


def full_version(info):
    text = "%d.%d.%d" % tuple(info[:3])
    if info[3] != "final":
        text += {"alpha": "a", "beta": "b", "candidate": "rc"}.get(info[3], "rc") + str(info[4])
    return text


def is_framework():
    return bool(config_var("PYTHONFRAMEWORK"))


def preferred_scheme(key):
    # The order of a well-known tool: the interpreter's own word, else what the OS name suggests.
    ask = getattr(sysconfig, "get_preferred_scheme", None) or getattr(
        sysconfig, "_get_preferred_schemes", None
    )
    if ask is not None:
        try:
            return ask(key)
        except TypeError:
            return ask()[key]
    names = set(sysconfig.get_scheme_names())
    if key == "user":
        if is_framework() and not IN_VENV and "osx_framework_user" in names:
            return "osx_framework_user"
        return "%s_user" % os.name if "%s_user" % os.name in names else "posix_user"
    if key == "home":
        return "%s_home" % os.name if "%s_home" % os.name in names else "posix_home"
    if "osx_framework_library" in names and not IN_VENV and is_framework():
        return "osx_framework_library"
    implementation = sys.implementation.name
    for name in (
        "%s_%s" % (implementation, os.name),
        implementation,
        "%s_prefix" % os.name,
        os.name,
    ):
        if name in names:
            return name
    return "posix_prefix"


def sysconfig_scheme(key, base=None):
    name = preferred_scheme(key)
    variables = {}
    if base is not None:
        # These two place files for the system's package manager, not under any other prefix.
        if key == "prefix" and name in ("posix_local", "osx_framework_library"):
            name = "posix_prefix"
        names = "installed_base base installed_platbase platbase prefix exec_prefix userbase"
        variables = dict.fromkeys(names.split(), base)
    paths = sysconfig.get_paths(scheme=name, vars=variables)
    return name, {part: paths[part] for part in PARTS}


def distutils_scheme(key, base=None):
    import warnings

    warnings.simplefilter("ignore")
    from distutils.dist import Distribution

    distribution = Distribution({"name": "x"})
    if base is None:
        distribution.parse_config_files()
    command = distribution.get_command_obj("install", create=True)
    if key == "user":
        command.user = True
        command.prefix = ""
    elif key == "home":
        command.prefix = ""
        command.home = base
    elif base is not None:
        command.prefix = base
    command.finalize_options()
    paths = {
        "purelib": command.install_purelib,
        "platlib": command.install_platlib,
        "scripts": command.install_scripts,
        "data": command.install_data,
        "include": os.path.dirname(command.install_headers),
    }
    if "install_lib" in distribution.get_option_dict("install"):
        paths["purelib"] = paths["platlib"] = command.install_lib
    return "distutils", paths


def use_sysconfig():
    return bool(getattr(sysconfig, "_PIP_USE_SYSCONFIG", sys.version_info >= (3, 10)))


def scheme(key, base=None):
    name = paths = None
    if not use_sysconfig():
        try:
            name, paths = distutils_scheme(key, base)
        except Exception:
            pass
    if paths is None:
        try:
            name, paths = sysconfig_scheme(key, base)
        except Exception:
            return None
    if IN_VENV:
        root = sysconfig.get_config_var("userbase") if key == "user" else base
        paths["include"] = os.path.join(root or sys.prefix, "include", "site", XY)
    paths["name"] = name
    return paths


def relative_scheme(key):
    paths = scheme(key, BASE)
    if paths is None:
        return None
    for name in PARTS:
        paths[name] = os.path.relpath(paths[name], BASE)
    return paths


def glibc_version():
    try:
        name, _, version = os.confstr("CS_GNU_LIBC_VERSION").partition(" ")
        if name == "glibc":
            return version
    except Exception:
        pass
    try:
        import ctypes

        get = ctypes.CDLL(None).gnu_get_libc_version
        get.restype = ctypes.c_char_p
        return get().decode("ascii")
    except Exception:
        return None


def elf_interpreter():
    with open(sys.executable, "rb") as file:
        ident = file.read(16)
        if ident[:4] != b"\x7fELF":
            return None
        wide, order = ident[4] == 2, "<" if ident[5] == 1 else ">"
        header = struct.unpack(
            order + ("HHIQQQIHHH" if wide else "HHIIIIIHHH"), file.read(48 if wide else 36)
        )[:10]
        offset, size, count = header[4], header[8], header[9]
        layout, positions = ("IIQQQQQQ", (0, 2, 5)) if wide else ("IIIIIIII", (0, 1, 4))
        for index in range(count):
            file.seek(offset + size * index)
            entry = struct.unpack(order + layout, file.read(struct.calcsize(layout)))
            kind, start, length = [entry[position] for position in positions]
            if kind == 3:
                file.seek(start)
                return os.fsdecode(file.read(length)).strip("\0")
    return None


def musl_version():
    try:
        loader = elf_interpreter()
        if not loader or "musl" not in loader:
            return None
        import re
        import subprocess

        process = subprocess.Popen(
            [loader], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, universal_newlines=True
        )
        match = re.search(r"Version (\d+\.\d+)", process.communicate()[1])
        return match.group(1) if match else None
    except Exception:
        return None


def macos():
    version, _, machine = platform.mac_ver()
    parts = [int(part) for part in (version.split(".") + ["0"])[:2]]
    if parts == [10, 16]:
        # A Python built against an old SDK is told 10.16 by macOS 11 and later.
        import subprocess

        environment = dict(os.environ, SYSTEM_VERSION_COMPAT="0")
        text = subprocess.check_output(
            [sys.executable, "-sS", "-c", "import platform; print(platform.mac_ver()[0])"],
            env=environment,
            universal_newlines=True,
        )
        parts = [int(part) for part in (text.strip().split(".") + ["0"])[:2]]
    return {"major": parts[0], "minor": parts[1], "machine": machine}


def soft_float_arm():
    # manylinux on 32-bit ARM means the hard-float ABI: EABI version 5 with its flag set.
    try:
        with open(sys.executable, "rb") as file:
            file.seek(36)
            flags = struct.unpack("<I", file.read(4))[0]
            return not (flags & 0xFF000000 == 0x05000000 and flags & 0x400)
    except Exception:
        return True


def manylinux_override():
    # A distributor's `_manylinux` module may forbid tags (PEP 600).
    try:
        import _manylinux
    except ImportError:
        return None
    table = {}
    arch = sysconfig.get_platform().split("-", 1)[1].replace("-", "_").replace(".", "_")
    if hasattr(_manylinux, "manylinux_compatible"):
        for minor in range(5, 60):
            verdict = _manylinux.manylinux_compatible(2, minor, arch)
            if verdict is not None:
                table[str(minor)] = bool(verdict)
        return table
    for minor, name in ((5, "manylinux1"), (12, "manylinux2010"), (17, "manylinux2014")):
        if hasattr(_manylinux, name + "_compatible"):
            table[str(minor)] = bool(getattr(_manylinux, name + "_compatible"))
    return table


def abis():
    suffix = config_var("EXT_SUFFIX") or ""
    if sys.implementation.name == "cpython":
        debug = config_var("Py_DEBUG")
        if debug is None:
            import importlib.machinery

            debug = (
                hasattr(sys, "gettotalrefcount")
                or "_d.pyd" in importlib.machinery.EXTENSION_SUFFIXES
            )
        version = "cp%d%d" % sys.version_info[:2]
        if sys.version_info < (3, 8):
            pymalloc = config_var("WITH_PYMALLOC")
            middle = "d" if debug else ""
            return [version + middle + ("m" if pymalloc or pymalloc is None else "")]
        threads = "t" if config_var("Py_GIL_DISABLED") else ""
        plain = version + threads
        return [plain + "d", plain] if debug else [plain]
    parts = suffix.split(".")
    if len(parts) < 3:
        return []
    pieces = parts[1].split("-")
    if pieces[0].startswith("pypy"):
        return ["_".join(pieces[:2])]
    return [parts[1].replace("-", "_").replace(".", "_")]


def system_site_packages():
    try:
        path = os.path.join(sys.prefix, "pyvenv.cfg")
        for line in open(path, encoding="utf-8", errors="replace"):
            key, _, value = line.partition("=")
            if key.strip().lower() == "include-system-site-packages":
                return value.strip().lower() == "true"
    except (IOError, OSError):
        pass
    return True


def externally_managed():
    path = os.path.join(sysconfig.get_path("stdlib"), "EXTERNALLY-MANAGED")
    if IN_VENV or not os.path.isfile(path):
        return None
    message = None
    try:
        import configparser
        import locale

        parser = configparser.ConfigParser(interpolation=None)
        parser.read(path, encoding="utf-8")
        section = parser["externally-managed"]
        language = locale.getlocale(getattr(locale, "LC_MESSAGES", locale.LC_CTYPE))[0]
        names = []
        if language:
            names = ["Error-" + language, "Error-" + language.partition("_")[0]]
        for name in names + ["Error"]:
            if name in section:
                message = section[name]
                break
    except Exception:
        pass
    return {"path": path, "message": message}


def marker_environment():
    implementation = sys.implementation
    version = full_version(implementation.version)
    python_full_version = platform.python_version()
    if python_full_version.endswith("+"):
        python_full_version += "local"
    return {
        "implementation_name": implementation.name,
        "implementation_version": version,
        "os_name": os.name,
        "platform_machine": platform.machine(),
        "platform_python_implementation": platform.python_implementation(),
        "platform_release": platform.release(),
        "platform_system": platform.system(),
        "platform_version": platform.version(),
        "python_full_version": python_full_version,
        "python_version": ".".join(platform.python_version_tuple()[:2]),
        "sys_platform": sys.platform,
    }


def base_executable():
    """The installation's own interpreter. Before 3.11 an environment's gives itself for it, on Windows some later ones too."""
    executable = getattr(sys, "_base_executable", None) or sys.executable
    folder = os.path.normcase(os.path.join(sys.prefix, ""))
    if not IN_VENV or not os.path.normcase(executable).startswith(folder):
        return executable
    if os.name != "nt":
        return os.path.realpath(executable)
    # There it is no link: a launcher, named as what it starts.
    own = os.path.join(sys.base_prefix, os.path.basename(executable))
    return own if os.path.exists(own) else executable


def main():
    import site

    on_linux = sys.platform.startswith("linux")
    native = sysconfig.get_platform()
    wide = struct.calcsize("P") == 8
    user_site = None
    try:
        user_site = site.getusersitepackages()
    except Exception:
        pass
    emit(
        {
            "sys_executable": sys.executable,
            "base_executable": base_executable(),
            "prefix": sys.prefix,
            "base_prefix": getattr(sys, "base_prefix", sys.prefix),
            "is_venv": IN_VENV,
            "sys_path": [path for path in sys.path if path and os.path.exists(path)],
            "markers": marker_environment(),
            "version_info": list(sys.version_info[:2]),
            "schemes": {
                "prefix": scheme("prefix"),
                "user": scheme("user"),
                "prefix_template": relative_scheme("prefix"),
                "home_template": relative_scheme("home"),
            },
            "stdlib": sysconfig.get_path("stdlib"),
            "externally_managed": externally_managed(),
            "sysconfig_platform": native,
            "glibc": glibc_version() if on_linux else None,
            "musl": musl_version() if on_linux else None,
            "macos": macos() if sys.platform == "darwin" else None,
            "soft_float_arm": on_linux and "arm" in native and soft_float_arm(),
            "manylinux_override": manylinux_override() if on_linux else None,
            "abis": abis(),
            "free_threaded": bool(config_var("Py_GIL_DISABLED")),
            "debug": bool(config_var("Py_DEBUG") or hasattr(sys, "gettotalrefcount")),
            "ext_suffix": config_var("EXT_SUFFIX"),
            "soabi": config_var("SOABI"),
            "cache_tag": sys.implementation.cache_tag,
            "pointer_width_bits": 64 if wide else 32,
            "system_site_packages": system_site_packages(),
            "user_site_enabled": bool(getattr(site, "ENABLE_USER_SITE", False)),
            "user_site": user_site,
        }
    )


main()
