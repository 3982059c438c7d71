"""Runs the launchers of installed scripts through cases, under Windows or Wine.

    python tests\\windows\\launchers.py crates\\installer\\launchers [FOLDER]

FOLDER holds distlib's launchers (t64.exe, w64.exe: pip carries them), which are put through the same cases for
comparison; what they get wrong is printed and fails nothing. Needs CPython 3.9 or newer and nothing else.
"""

import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ECHO = """
import json, os, sys
words = sys.argv[1:]
if words[:1] == ["exit"]:
    import ctypes
    ctypes.windll.kernel32.ExitProcess(ctypes.c_uint(int(words[1])))
data = sys.stdin.buffer.read().decode("utf-8") if words[:1] == ["stdin"] else None
text = json.dumps({"arguments": words, "stdin": data, "name": os.path.basename(sys.argv[0])})
sys.stdout.write(text)
"""

# Ends with 3 when it is interrupted, a second later: a launcher that ends by itself has done so by then. Python doesn't
# make an exception of Ctrl-Break, so that the script has a handler of its own for it.
INTERRUPTED = """
import ctypes, sys, time
ready, answered = sys.argv[1:]
broken = []
on_break = ctypes.WINFUNCTYPE(ctypes.c_int, ctypes.c_uint)(lambda event: event == 1 and not broken.append(event))
ctypes.windll.kernel32.SetConsoleCtrlHandler(on_break, 1)
try:
    open(ready, "w").close()
    for _ in range(600):
        time.sleep(0.05)
        if broken:
            raise KeyboardInterrupt
except KeyboardInterrupt:
    time.sleep(1)
    open(answered, "w").close()
    sys.exit(3)
"""

# Runs in a console of its own: starts the launcher there, sends the event to all that share the console, as the keyboard
# does, and says how the launcher ended. It isn't moved by the event itself; children don't inherit that.
INTERRUPTING = """
import ctypes, json, os, subprocess, sys, time
event, tool, ready, answered = sys.argv[1:]
kernel = ctypes.windll.kernel32
unmoved = ctypes.WINFUNCTYPE(ctypes.c_int, ctypes.c_uint)(lambda event: 1)
kernel.SetConsoleCtrlHandler(None, 0)
kernel.SetConsoleCtrlHandler(unmoved, 1)
running = subprocess.Popen([tool, ready, answered], stdin=subprocess.DEVNULL)
while not os.path.exists(ready) and running.poll() is None:
    time.sleep(0.05)
sent = kernel.GenerateConsoleCtrlEvent(int(event), 0)
if not sent:
    running.kill()
code = running.wait()
print(json.dumps({"sent": bool(sent), "code": code & 0xFFFFFFFF, "answered": os.path.exists(answered)}))
"""

LONG = "x" * 30_000

# name: (what follows the program in the command line, what arrives as arguments)
ARGUMENTS = {
    "none": ("", []),
    "plain": (" a b", ["a", "b"]),
    "blanks between": ("   a \t b", ["a", "b"]),
    "quoted blank": (' "a b"', ["a b"]),
    "empty": (' "" x', ["", "x"]),
    "escaped quote": (r' \"a\"', ['"a"']),
    "quote in quotes": (r' "a \" b"', ['a " b']),
    "trailing backslash": (" C:\\dir\\", ["C:\\dir\\"]),
    "backslash before a closing quote": (r' "C:\my dir\\"', ["C:\\my dir\\"]),
    "two backslashes before a quote": (r' a\\"b c"', ["a\\b c"]),
    "wildcards": (" *.py ?", ["*.py", "?"]),
    "percent and caret": (" %PATH% ^&", ["%PATH%", "^&"]),
    "options": (" -c --help -E", ["-c", "--help", "-E"]),
    "umlauts": (" grün straße", ["grün", "straße"]),
    "other scripts": (" 日本語 файл", ["日本語", "файл"]),
    "beyond the basic plane": (" \U0001f600", ["\U0001f600"]),
    "30,000 characters": (f" {LONG}", [LONG]),
}


def script(stub: bytes, shebang: str, source: str) -> bytes:
    """A script as an installer writes it: stub, `#!` line, archive."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as writer:
        writer.writestr("__main__.py", source)
    return stub + f"#!{shebang}\r\n".encode() + archive.getvalue()


def quoted(path: str) -> str:
    return f'"{path}"' if " " in path else path


class Launcher:
    """One launcher under test, installed into places of its own."""

    def __init__(self, stub: Path, folder: Path):
        self.stub = stub.read_bytes()
        self.folder = folder
        self.failures: list[str] = []
        self.count = 0

    def install(self, place: str, shebang: str = "", source: str = ECHO, name: str = "tool.exe") -> Path:
        folder = self.folder / place
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / name
        path.write_bytes(script(self.stub, shebang or quoted(sys.executable), source))
        return path

    def run(self, path: Path, rest: str = "", stdin: bytes = b"") -> subprocess.CompletedProcess:
        line = f'"{path}"{rest}'
        return subprocess.run(line, executable=path, input=stdin, capture_output=True, timeout=60, check=False)

    def check(self, case: str, ok: bool, seen: object = "") -> None:
        self.count += 1
        if not ok:
            self.failures.append(f"{case}: {str(seen)[:200]}")

    def echoes(self, case: str, path: Path, rest: str, expected: list[str]) -> None:
        done = self.run(path, rest)
        try:
            seen = json.loads(done.stdout)["arguments"]
        except ValueError:
            seen = (done.returncode, done.stdout, done.stderr)
        self.check(case, seen == expected, seen)

    def cases(self) -> None:
        tool = self.install("plain")
        for case, (rest, expected) in ARGUMENTS.items():
            self.echoes(case, tool, rest, expected)
        done = self.run(tool, " stdin", "zeile\nä\n".encode())
        self.check("standard input", json.loads(done.stdout or b"{}").get("stdin") == "zeile\nä\n", done)
        for code in (0, 1, 2, 255, 3_221_225_786):
            done = self.run(tool, f" exit {code}")
            self.check(f"exit code {code}", done.returncode & 0xFFFFFFFF == code, done.returncode)
        self.echoes("folder with a blank", self.install("with blank"), " a", ["a"])
        self.echoes("folder in other letters", self.install("größe 日本"), " a", ["a"])
        try:
            self.echoes("path of more than 260 characters", self.deep(), " a", ["a"])
        except OSError as error:
            print(f"  not tried: a path of more than 260 characters ({error})")
        self.interrupted("Ctrl-C", signal.CTRL_C_EVENT)
        self.interrupted("Ctrl-Break", signal.CTRL_BREAK_EVENT)
        self.missing()

    def deep(self) -> Path:
        """A script whose path is too long for programs that don't care."""
        folder = Path("\\\\?\\" + str(self.folder.joinpath(*["d" * 50] * 5)))
        folder.mkdir(parents=True)
        path = folder / "tool.exe"
        path.write_bytes(script(self.stub, quoted(sys.executable), ECHO))
        return path

    def interrupted(self, case: str, event: signal.Signals) -> None:
        """A key that interrupts reaches the launcher and its script; the script answers, and the launcher waits for it."""
        tool = self.install(case, source=INTERRUPTED)
        files = [str(tool.with_name(name)) for name in ("ready", "answered")]
        hidden = subprocess.STARTUPINFO(dwFlags=subprocess.STARTF_USESHOWWINDOW, wShowWindow=subprocess.SW_HIDE)
        done = subprocess.run(
            [sys.executable, "-c", INTERRUPTING, str(event.value), str(tool), *files],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=120,
            check=False,
            creationflags=subprocess.CREATE_NEW_CONSOLE,
            startupinfo=hidden,
        )
        try:
            seen = json.loads(done.stdout)
        except ValueError:
            seen = {"sent": True, "ended": done}
        if not seen["sent"] and event == signal.CTRL_BREAK_EVENT:
            print(f"  not tried: {case}, which Wine 8 can't send")
            return
        self.check(case, seen == {"sent": True, "code": 3, "answered": True}, seen)

    def missing(self) -> None:
        """An interpreter that isn't there, and a file without a script, are said."""
        gone = str(self.folder / "gone" / "python.exe")
        done = self.run(self.install("missing", gone))
        said = done.returncode not in (0, 1) and b"python.exe" in done.stderr
        self.check("missing interpreter", said, (done.returncode, done.stderr))
        empty = self.folder / "empty.exe"
        empty.write_bytes(self.stub)
        done = self.run(empty)
        self.check("no script", done.returncode != 0 and bool(done.stderr), (done.returncode, done.stderr))

    def moved(self) -> None:
        """A relative interpreter goes with its folder."""
        place = self.folder / "relative"
        place.mkdir()
        starter = Path(sys.executable)
        shutil.copy(starter, place / "python.exe")
        configuration = starter.parent.parent / "pyvenv.cfg"
        if not configuration.is_file():
            print("  not tried: a moved environment (run with a virtual environment's Python)")
            return
        (self.folder / "pyvenv.cfg").write_bytes(configuration.read_bytes())
        tool = self.install("relative", "python.exe")
        self.echoes("relative interpreter", tool, " a", ["a"])


def windowless(stub: Path, folder: Path) -> Launcher:
    """The GUI launcher waits for its script, hands the arguments on, and has the script's exit code."""
    launcher = Launcher(stub, folder)
    target = folder / "seen.json"
    source = f"import json, sys\njson.dump(sys.argv[1:], open({str(target)!r}, 'w'))\nsys.exit(7)\n"
    interpreter = Path(sys.executable).with_name("pythonw.exe")
    tool = launcher.install("gui", quoted(str(interpreter)), source)
    done = launcher.run(tool, ' "a b"')
    seen = json.loads(target.read_text()) if target.exists() else None
    launcher.check("GUI script", (done.returncode, seen) == (7, ["a b"]), (done.returncode, seen))
    return launcher


def report(name: str, launcher: Launcher) -> None:
    right = launcher.count - len(launcher.failures)
    print(f"{name}: {right} of {launcher.count} cases right, {len(launcher.stub)} bytes")
    for failure in launcher.failures:
        print(f"  {failure}")


def main() -> int:
    if os.name != "nt":
        sys.exit("run this with a Python for Windows")
    stubs = Path(sys.argv[1])
    failed = 0
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        ours = Launcher(stubs / "console-x86_64.exe", folder / "ours")
        ours.cases()
        ours.moved()
        report("console", ours)
        gui = windowless(stubs / "gui-x86_64.exe", folder / "gui")
        report("gui", gui)
        failed = len(ours.failures) + len(gui.failures)
        if len(sys.argv) > 2:
            theirs = Launcher(Path(sys.argv[2]) / "t64.exe", folder / "theirs")
            theirs.cases()
            report("distlib's", theirs)
    passed = ours.count + gui.count - failed
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
