#!/usr/bin/env python3
"""An index on loopback that replays what it recorded from another: the same answers every time, with a latency to choose.

    benches/replay.py --store DIR --from URL             record: what isn't in DIR yet is fetched from URL (a Simple API root)
    benches/replay.py --store DIR [--delay-ms 20]        replay: answers from DIR alone, everything else is not found

`--no-metadata` leaves out the metadata files (PEP 658), so that clients read wheels by ranges. Pages are JSON (PEP 691),
compressed, with validators and ten minutes of freshness, as large public indexes send them. Wheels are recorded only as far
as they were read. The first line printed is the root to give as `--index-url`. The standard library is enough.
"""

import argparse
import bisect
import gzip
import hashlib
import io
import json
import re
import socket
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

JSON_PAGE = "application/vnd.pypi.simple.v1+json"
KEPT_KEYS = ("filename", "hashes", "requires-python", "size", "upload-time", "yanked")
PIECE_BYTES = 1 << 20


def ask(request):
    """An answer of the origin; many requests at once are sometimes too much for what lies between."""
    for pause_s in (0.2, 1, 5):
        try:
            return urllib.request.urlopen(request, timeout=60)
        except urllib.error.HTTPError:
            raise
        except urllib.error.URLError:
            time.sleep(pause_s)
    return urllib.request.urlopen(request, timeout=60)


def keep(path, text):
    """Writes a file as a whole: another thread, or a run after one that was killed, never sees half of it."""
    half = path.with_name(f"{path.name}.{threading.get_ident()}")
    half.write_text(text)
    half.replace(path)


class Recorded:
    """A file of the index of which any parts are on disk; the others come from its origin, if that may be asked."""

    def __init__(self, store, sha256, origin, size):
        self.path, self.index = store / f"{sha256}.part", store / f"{sha256}.have"
        self.origin, self.size, self.lock = origin, size, threading.Lock()
        self.have = json.loads(self.index.read_text()) if self.index.exists() else []

    def missing(self, start, end):
        """The parts of [start, end) that are not on disk."""
        parts = []
        for known_start, known_end in self.have[max(bisect.bisect(self.have, [start]) - 1, 0):]:
            if known_start >= end:
                break
            if known_start > start:
                parts.append((start, known_start))
            start = max(start, known_end)
        if start < end:
            parts.append((start, end))
        return parts

    def bytes(self, start, end, recording):
        with self.lock:
            for part_start, part_end in self.missing(start, end):
                if not recording:
                    raise KeyError(f"{self.origin}: bytes {part_start}-{part_end} are not recorded")
                self.fetch(part_start, part_end)
            with self.path.open("rb") as file:
                file.seek(start)
                return file.read(end - start)

    def fetch(self, start, end):
        request = urllib.request.Request(self.origin, headers={"Range": f"bytes={start}-{end - 1}"})
        with ask(request) as answer:
            content = answer.read()
        if len(content) != end - start:
            raise KeyError(f"{self.origin}: {len(content)} bytes instead of {end - start}")
        with self.path.open("r+b" if self.path.exists() else "w+b") as file:
            file.seek(start)
            file.write(content)
        merged = []
        for known in sorted([*self.have, [start, end]]):
            if merged and known[0] <= merged[-1][1]:
                merged[-1][1] = max(merged[-1][1], known[1])
            else:
                merged.append(known)
        self.have = merged
        keep(self.index, json.dumps(merged))

    def reader(self, recording):
        return io.BufferedReader(_Seekable(self, recording), 64 << 10)


class _Seekable(io.RawIOBase):
    """The whole of a recorded file, fetched where it is read."""

    def __init__(self, recorded, recording):
        self.recorded, self.recording, self.at = recorded, recording, 0

    def readable(self):
        return True

    def seekable(self):
        return True

    def seek(self, offset, whence=io.SEEK_SET):
        self.at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self.at, io.SEEK_END: self.recorded.size}[whence]
        return self.at

    def tell(self):
        return self.at

    def readinto(self, buffer):
        end = min(self.at + len(buffer), self.recorded.size)
        content = self.recorded.bytes(self.at, end, self.recording) if end > self.at else b""
        buffer[: len(content)] = content
        self.at += len(content)
        return len(content)


class Store:
    """What was recorded: pages as they are served, files by hash, metadata by hash."""

    def __init__(self, folder, origin, metadata):
        self.pages, self.files, self.metadata = folder / "pages", folder / "files", folder / "metadata"
        for path in (self.pages, self.files, self.metadata):
            path.mkdir(parents=True, exist_ok=True)
        self.origin, self.advertises_metadata = origin, metadata
        self.served, self.opened, self.lock = {}, {}, threading.Lock()

    def page(self, name):
        """The compressed page of a project and its validator; None when there is no such project."""
        with self.lock:
            if name in self.served:
                return self.served[name]
        path = self.pages / f"{name}.json"
        if not path.exists():
            if self.origin is None:
                raise KeyError(f"the page of `{name}` is not recorded")
            keep(path, json.dumps(self.fetch_page(name)))
        found = json.loads(path.read_text())
        result = None
        if found:
            files = []
            for number, file in enumerate(found["files"]):
                served = {key: file[key] for key in KEPT_KEYS if key in file}
                served["url"] = f"/files/{name}/{number}/{urllib.parse.quote(file['filename'])}"
                if self.advertises_metadata and file["filename"].endswith(".whl"):
                    served["core-metadata"] = True
                files.append(served)
            page = {"meta": {"api-version": "1.1"}, "name": name, "versions": found["versions"], "files": files}
            body = gzip.compress(json.dumps(page, separators=(",", ":")).encode(), 6)
            result = (body, f'"{hashlib.sha256(body).hexdigest()[:32]}"', found["files"])
        with self.lock:
            self.served[name] = result
        return result

    def fetch_page(self, name):
        request = urllib.request.Request(f"{self.origin}/{name}/", headers={"Accept": JSON_PAGE})
        try:
            with ask(request) as answer:
                page, base = json.load(answer), answer.geturl()
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return None
            raise
        for file in page["files"]:
            file["url"] = urllib.parse.urljoin(base, file["url"])
        files = [{key: file[key] for key in (*KEPT_KEYS, "url") if key in file} for file in page["files"]]
        return {"versions": page.get("versions", []), "files": files}

    def file(self, name, number):
        file = self.page(name)[2][number]
        sha256 = file["hashes"]["sha256"]
        with self.lock:
            if sha256 not in self.opened:
                self.opened[sha256] = Recorded(self.files, sha256, file["url"], file["size"])
            return self.opened[sha256], sha256

    def metadata_of(self, name, number):
        recorded, sha256 = self.file(name, number)
        path = self.metadata / sha256
        if not path.exists():
            if self.origin is None:
                raise KeyError(f"the metadata of `{recorded.origin}` is not recorded")
            with zipfile.ZipFile(recorded.reader(recording=True)) as wheel:
                members = [it for it in wheel.namelist() if re.fullmatch(r"[^/]+\.dist-info/METADATA", it)]
                path.write_bytes(wheel.read(members[0]))
        return path.read_bytes()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    store, delay_s = None, 0.0

    def setup(self):
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def log_message(self, *_):
        pass

    def do_HEAD(self):
        self.answer()

    def do_GET(self):
        self.answer()

    def answer(self):
        time.sleep(self.delay_s)
        parts = urllib.parse.unquote(urllib.parse.urlsplit(self.path).path).strip("/").split("/")
        try:
            if parts[0] == "simple" and len(parts) == 2:
                self.send_page(re.sub(r"[-_.]+", "-", parts[1]).lower())
            elif parts[0] == "files" and len(parts) == 4 and parts[3].endswith(".metadata"):
                self.send_whole(self.store.metadata_of(parts[1], int(parts[2])), "text/plain")
            elif parts[0] == "files" and len(parts) == 4:
                self.send_file(*self.store.file(parts[1], int(parts[2])))
            else:
                self.send_nothing(404)
        except KeyError as error:
            print(error, flush=True)
            self.send_nothing(404)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def send_nothing(self, status):
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def send_whole(self, body, content_type, headers=()):
        self.send_response(200)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def send_page(self, name):
        page = self.store.page(name)
        if page is None:
            return self.send_nothing(404)
        body, validator, _ = page
        headers = [("ETag", validator), ("Cache-Control", "max-age=600, public"), ("Content-Encoding", "gzip")]
        if self.headers.get("If-None-Match") == validator:
            self.send_response(304)
            for header in headers[:2]:
                self.send_header(*header)
            return self.end_headers()
        return self.send_whole(body, JSON_PAGE, headers)

    def send_file(self, recorded, sha256):
        start, end, status = 0, recorded.size, 200
        if wanted := re.fullmatch(r"bytes=(\d*)-(\d*)", self.headers.get("Range", "")):
            first, last = wanted.groups()
            start = int(first) if first else max(recorded.size - int(last), 0)
            end = min(int(last) + 1, recorded.size) if first and last else recorded.size
            status = 206
        recording = self.store.origin is not None
        if start >= end:
            return self.send_nothing(416)
        pieces = [(at, min(at + PIECE_BYTES, end)) for at in range(start, end, PIECE_BYTES)]
        content = recorded.bytes(*pieces[0], recording) if self.command == "GET" else b""
        self.send_response(status)
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Content-Length", str(end - start))
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("ETag", f'"{sha256[:32]}"')
        self.send_header("Cache-Control", "max-age=365000000, immutable, public")
        if status == 206:
            self.send_header("Content-Range", f"bytes {start}-{end - 1}/{recorded.size}")
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)
            for piece in pieces[1:]:
                self.wfile.write(recorded.bytes(*piece, recording))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", required=True, help="folder of the recording")
    parser.add_argument("--from", dest="origin", help="root of the index to record from")
    parser.add_argument("--delay-ms", type=float, default=0, help="wait before each answer")
    parser.add_argument("--no-metadata", action="store_true", help="offer no metadata files")
    parser.add_argument("--port", type=int, default=0, help="port on loopback; by default a free one")
    arguments = parser.parse_args()
    origin = arguments.origin.rstrip("/") if arguments.origin else None
    store = Store(Path(arguments.store), origin, not arguments.no_metadata)
    handler = type("Bound", (Handler,), {"store": store, "delay_s": arguments.delay_ms / 1000})
    ThreadingHTTPServer.request_queue_size = 256
    server = ThreadingHTTPServer(("127.0.0.1", arguments.port), handler)
    server.daemon_threads = True
    print(f"http://127.0.0.1:{server.server_address[1]}/simple/", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
