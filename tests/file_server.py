"""A web server on loopback that sends files well and badly."""
import hashlib
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PAGE = b'<!DOCTYPE html><html><body>Quota exceeded</body></html>'


class FileServer(ThreadingHTTPServer):
    """Serve ``files``: path to content.

    The first part of a path says how the file is sent:

    - ``/good/``: whole, with ETag and ranges.
    - ``/cut/``: the first answer ends at half of the file.
    - ``/always_cut/``: each answer ends after a quarter of the file.
    - ``/whole/``: whole, by a server without ranges.
    - ``/cut_whole/``: the first quarter, by a server without ranges.
    - ``/slow/``: in pieces, with pauses.
    - ``/silent/``: the first half, then nothing.
    - ``/moved/``: a redirect to ``/good/``.
    - ``/page/``: a web page in place of the file.

    ``/<owner>/<repository>/resolve/main/<file>`` is a file of the Hugging
    Face hub, ``/uc`` and ``/download`` are those of Google Drive.

    Attributes:
        requests: (path, value of the header Range), in order.
    """
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(('127.0.0.1', 0), Handler)
        self.files: dict[str, bytes] = {}
        self.requests: list[tuple[str, str | None]] = []
        self.hold = threading.Event()

    @property
    def url(self) -> str:
        return f'http://127.0.0.1:{self.server_port}'

    def handle_error(self, request, client_address) -> None:
        """Ignore clients that leave."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    server: FileServer

    def log_message(self, *args) -> None:
        """Print nothing."""

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        asked = self.headers.get('Range')
        if self.command == 'GET':
            self.server.requests.append((self.path, asked))
        path, _, query = self.path.partition('?')
        if path == '/uc':
            self.drive(query)
        elif path == '/download':
            self.send(self.server.files[query.split('&')[0]],
                      {'Content-Disposition': 'attachment; filename="x.pth"'})
        elif '/resolve/' in path:
            self.hub(path)
        elif path == '/':
            self.send(b'hello')
        else:
            mode, _, name = path.strip('/').partition('/')
            self.by_mode(mode, name, asked)

    def by_mode(self, mode: str, name: str, asked: str | None) -> None:
        data = self.server.files.get(name)
        if data is None:
            return self.send_error(404)
        if mode == 'moved':
            self.send_response(302)
            self.send_header('Location', f'{self.server.url}/good/{name}')
            self.send_header('Content-Length', '0')
            return self.end_headers()
        if mode == 'page':
            return self.send(PAGE, {'Content-Type': 'text/html'})
        seen = [p for p, _ in self.server.requests].count(self.path)
        stop = {
            'cut': len(data) // 2 if seen == 1 else None,
            'always_cut': len(data) // 4,
            'cut_whole': len(data) // 4,
            'silent': len(data) // 2,
        }.get(mode)
        return self.send(
            data,
            ranges='whole' not in mode,
            stop=stop,
            pause=0.05 if mode == 'slow' else 0,
            silent=mode == 'silent')

    def drive(self, query: str) -> None:
        """Ask for a confirmation before a large file, as Drive does."""
        file_id = query.removeprefix('id=')
        if f'id={file_id}' not in self.server.files:
            return self.send(PAGE, {'Content-Type': 'text/html'})
        form = (f'<html><form id="download-form" action="{self.server.url}'
                f'/download"><input type="hidden" name="id" '
                f'value="{file_id}"></form></html>')
        return self.send(form.encode(), {'Content-Type': 'text/html'})

    def hub(self, path: str) -> None:
        data = self.server.files.get(path.strip('/'))
        if data is None:
            self.send_response(404)
            self.send_header('X-Error-Code', 'EntryNotFound')
            self.send_header('Content-Length', '0')
            return self.end_headers()
        return self.send(data, {'X-Repo-Commit': '0' * 40})

    def send(self,
             data: bytes,
             headers: dict[str, str] | None = None,
             ranges: bool = True,
             stop: int | None = None,
             pause: float = 0,
             silent: bool = False) -> None:
        start, asked = 0, self.headers.get('Range')
        if asked and ranges:
            first, _, last = asked.removeprefix('bytes=').partition('-')
            start = int(first)
            end = min(int(last) + 1, len(data)) if last else len(data)
            self.send_response(206)
            self.send_header('Content-Range',
                             f'bytes {start}-{end - 1}/{len(data)}')
        else:
            end = len(data)
            self.send_response(200)
        tag = hashlib.sha256(data).hexdigest()
        for key, value in {
                'Content-Type': 'application/octet-stream',
                'Content-Length': str(end - start),
                'ETag': f'"{tag}"',
                **(headers or {})
        }.items():
            self.send_header(key, value)
        self.end_headers()
        if self.command == 'HEAD':
            return
        body = data[start:end][:stop]
        for i in range(0, len(body), max(len(body) // 4, 1)):
            self.wfile.write(body[i:i + max(len(body) // 4, 1)])
            time.sleep(pause)
        if silent:
            self.wfile.flush()
            self.server.hold.wait(20)
        if stop is not None:
            self.close_connection = True


@contextmanager
def file_server():
    """Yield a running server."""
    server = FileServer()
    thread = threading.Thread(
        target=server.serve_forever, kwargs=dict(poll_interval=0.02))
    thread.start()
    try:
        yield server
    finally:
        server.hold.set()
        server.shutdown()
        server.server_close()
        thread.join()
