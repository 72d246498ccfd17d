"""A stand-in of the Hugging Face Hub on this machine: the routes that reading a dataset takes, with commits by content."""

import hashlib
import http.server
import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qs, unquote, urlsplit

PAGE = 7  # entries of a listing at a time: small, so that every test turns pages
LARGE = (".parquet", ".zip", ".jpg", ".png")  # kept as large files, with a SHA-256 and on another host
ROUTE = re.compile(r"/(api/)?datasets/([^/]+/[^/]+)(?:/(revision|tree|resolve)/([^/]+)(?:/(.+))?)?")


@dataclass
class Repository:
    """One dataset: commits, what branches and tags name, and who may read it."""

    commits: dict[str, dict[str, bytes]] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    gated: bool = False
    private: bool = False

    def commit(self, files: Mapping[str, bytes], branch: str = "main") -> str:
        """Add a commit, let a branch name it, and return it; the same files make the same commit."""
        digest = hashlib.sha1()
        for name in sorted(files):
            digest.update(name.encode() + b"\0" + hashlib.sha256(files[name]).digest())
        self.commits[digest.hexdigest()] = dict(files)
        self.names[branch] = digest.hexdigest()
        return digest.hexdigest()


@dataclass
class Hub:
    """All datasets, what was asked for, and what tests may change: the token, what is sent, whom to call before a file."""

    url: str = ""
    token: str = "hf_right"
    repositories: dict[str, Repository] = field(default_factory=dict)
    requests: list[tuple[str, str, str | None]] = field(default_factory=list)
    spoil: Callable[[str, bytes], bytes] = lambda path, content: content
    before_half: Callable[[str], None] = lambda path: None
    status: int = 0

    def add(self, name: str, files: Mapping[str, bytes], **access: bool) -> Repository:
        """Add a dataset with one commit."""
        self.repositories[name] = Repository(**access)
        self.repositories[name].commit(files)
        return self.repositories[name]

    def asked(self, part: str) -> list[str]:
        """Return the paths of the requests that have a text in them."""
        return [path for path, _, _ in self.requests if part in path]


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers as the Hub does."""

    hub: Hub
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        authorization = self.headers.get("Authorization")
        self.hub.requests.append((unquote(address.path), self.headers["Host"], authorization))
        if self.hub.status:
            return self._send(self.hub.status, b"")
        if address.path.startswith("/storage/"):
            return self._send_stored(address.path.removeprefix("/storage/"))
        route = ROUTE.fullmatch(address.path)
        repository = self.hub.repositories.get(route[2]) if route else None
        known = authorization == f"Bearer {self.hub.token}"
        if authorization and not known:
            return self._refuse(401, "", "Invalid credentials in Authorization header")
        if repository is None or (repository.private and not known):
            return self._refuse(404 if known else 401, "RepoNotFound", "Repository not found")
        revision = unquote(route[4] or "main")
        commit = repository.names.get(revision, revision)
        if commit not in repository.commits:
            return self._refuse(404, "RevisionNotFound", "Invalid rev id")
        files = repository.commits[commit]
        if route[3] == "tree":
            return self._send_tree(files, int(parse_qs(address.query).get("cursor", ["0"])[0]))
        if route[3] != "resolve":
            info = {"id": route[2], "sha": commit, "private": repository.private, "gated": repository.gated}
            return self._send(200, json.dumps({**info, "siblings": []}).encode())
        if repository.gated and not known:
            return self._refuse(401, "GatedRepo", "Access to this dataset is restricted")
        self._send_file(files, unquote(route[5]))

    def _send_tree(self, files: Mapping[str, bytes], start: int) -> None:
        folders = {name.rsplit("/", 1)[0] for name in files if "/" in name}
        entries = [{"type": "directory", "path": name, "oid": "0" * 40, "size": 0} for name in sorted(folders)]
        entries += [_describe(name, content) for name, content in files.items()]
        more = f'<{self.hub.url}{urlsplit(self.path).path}?recursive=True&cursor={start + PAGE}>; rel="next"'
        headers = {"Link": more} if start + PAGE < len(entries) else {}
        self._send(200, json.dumps(entries[start : start + PAGE]).encode(), headers)

    def _send_file(self, files: Mapping[str, bytes], path: str) -> None:
        if path not in files:
            return self._refuse(404, "EntryNotFound", "Entry not found")
        if not path.endswith(LARGE):
            return self._send(200, self.hub.spoil(path, files[path]))
        other_host = self.hub.url.replace("127.0.0.1", "localhost")
        number = sorted(self.hub.repositories).index(ROUTE.fullmatch(urlsplit(self.path).path)[2])
        commit = next(key for repository in self._listed() for key, own in repository.commits.items() if own is files)
        self._send(302, b"", {"Location": f"{other_host}/storage/{number}/{commit}/{path}"})

    def _listed(self) -> list[Repository]:
        return [self.hub.repositories[name] for name in sorted(self.hub.repositories)]

    def _send_stored(self, rest: str) -> None:
        number, commit, path = unquote(rest).split("/", 2)
        content = self.hub.spoil(path, self._listed()[int(number)].commits[commit][path])
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        half = len(content) // 2
        self.wfile.write(content[:half])
        self.wfile.flush()
        self.hub.before_half(path)
        self.wfile.write(content[half:])

    def _refuse(self, status: int, code: str, message: str) -> None:
        self._send(status, b"{}", {"X-Error-Code": code, "X-Error-Message": message})

    def _send(self, status: int, content: bytes, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *words: object) -> None:
        """Stay quiet."""


def _describe(name: str, content: bytes) -> dict[str, object]:
    blob = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
    entry = {"type": "file", "path": name, "size": len(content), "oid": blob}
    if not name.endswith(LARGE):
        return entry
    large = {"oid": hashlib.sha256(content).hexdigest(), "size": len(content), "pointerSize": 130}
    return {**entry, "oid": "1" * 40, "lfs": large}


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *about: object) -> None:
        """Stay quiet when a client hangs up, as one that is interrupted does."""


@contextmanager
def running() -> Iterator[Hub]:
    """Run a Hub without datasets on a free port of 127.0.0.1."""
    hub = Hub()
    with _Server(("127.0.0.1", 0), type("OwnHandler", (Handler,), {"hub": hub})) as server:
        hub.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        try:
            yield hub
        finally:
            server.shutdown()
