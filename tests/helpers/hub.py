"""A hub of one model on this machine, and what connections to a real one do: break, and stand still."""

import hashlib
import re
import threading
import time
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

WEIGHTS = "model.safetensors"


class Hub:
    """A folder as the only revision of a repository.

    cuts: how many times the connection breaks when half of the weights have come.
    still: while it is set, connections stand still there.
    asked: how many times the weights were asked for.
    mirror: whether it leaves out the header that tells what was not found.
    """

    def __init__(
        self, folder: Path, repository: str, revision: str, cuts: int = 0, mirror: bool = False
    ):
        self.files = {p.name: p.read_bytes() for p in folder.iterdir() if p.is_file()}
        self.place = f"/{repository}/resolve/{revision}/"
        self.revision = revision
        self.cuts = cuts
        self.mirror = mirror
        self.still = threading.Event()
        self.asked = 0


@contextmanager
def served(hub: Hub):
    """The address of a hub, for HF_ENDPOINT."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_):
            pass

        def do_HEAD(self):
            self._head()

        def do_GET(self):
            content = self._head()
            if content is None:
                return
            if self.path.endswith(WEIGHTS):
                hub.asked += 1
                self.wfile.write(content[: len(content) // 2])
                while hub.still.is_set():
                    time.sleep(0.05)
                if hub.asked <= hub.cuts:
                    self.close_connection = True
                    return
                content = content[len(content) // 2 :]
            with suppress(BrokenPipeError):  # whoever asked has been killed
                self.wfile.write(content)

        def _first(self) -> int:
            found = re.match(r"bytes=(\d+)-", self.headers.get("Range", ""))
            return int(found[1]) if found else 0

        def _head(self) -> bytes | None:
            """Send the headers; what of the file is asked for."""
            name = self.path.removeprefix(hub.place)
            whole = hub.files.get(name)
            if whole is None:
                self.send_response(404)
                if not hub.mirror:
                    self.send_header("X-Error-Code", "EntryNotFound")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return None
            first = self._first()
            self.send_response(206 if first else 200)
            if first:
                self.send_header("Content-Range", f"bytes {first}-{len(whole) - 1}/{len(whole)}")
            self.send_header("Content-Length", str(len(whole) - first))
            self.send_header("ETag", f'"{hashlib.sha256(whole).hexdigest()}"')
            self.send_header("X-Repo-Commit", hub.revision)
            self.send_header("Accept-Ranges", "bytes")
            self.end_headers()
            return whole[first:]

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        hub.still.clear()
        server.shutdown()
        server.server_close()
