"""Keep the files of one browser from all others."""
import json
import re
import secrets
import shutil
import threading
from collections import defaultdict
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

#: Routes by which gradio serves files, and by which it fetches addresses.
FILE_ROUTE = re.compile(r'/(?:file[=/]|proxy=)(.*)', re.DOTALL)


class PrivateFiles:
    """Who may read which file.

    A browser is known by a random cookie. It owns the files that it uploads
    and the folders of its results. They are deleted when its last tab is
    closed.

    Args:
        public: folder of files for everybody.
    """

    def __init__(self, public: Path) -> None:
        self.public = public.resolve()
        # pages on other ports of this host share their cookies
        self.cookie = f'mmrvos_{secrets.token_hex(4)}'
        self.lock = threading.Lock()
        self.owners: dict[Path, set[str]] = defaultdict(set)
        self.tabs: dict[str, int] = defaultdict(int)

    def add(self, path: str | Path, owner: str) -> None:
        """Give a file or a folder to a browser."""
        with self.lock:
            self.owners[Path(path).resolve()].add(owner)

    def may_read(self, path: str | Path, owner: str | None) -> bool:
        """Tell whether a browser may read a file."""
        path = Path(path).resolve()
        if path.is_relative_to(self.public):
            return True
        with self.lock:
            return owner is not None and any(
                owner in self.owners.get(place, ())
                for place in (path, *path.parents))

    def open_tab(self, owner: str) -> None:
        """Note that a browser shows the page."""
        with self.lock:
            self.tabs[owner] += 1

    def close_tab(self, owner: str) -> None:
        """Delete the files of a browser with its last tab."""
        with self.lock:
            self.tabs[owner] -= 1
            if self.tabs[owner] > 0:
                return
            del self.tabs[owner]
            unowned = []
            for path, owners in list(self.owners.items()):
                owners.discard(owner)
                if not owners:
                    del self.owners[path]
                    unowned.append(path)
        for path in unowned:
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
                with suppress(OSError):  # uploads are in a folder each
                    path.parent.rmdir()


class PrivateFilesMiddleware:
    """ASGI middleware that applies :class:`PrivateFiles` to gradio.

    Args:
        app: gradio's.
        files: who may read which file.
    """

    def __init__(self, app: App, files: PrivateFiles) -> None:
        self.app = app
        self.files = files

    async def __call__(self, scope: Message, receive: Receive,
                       send: Send) -> None:
        if scope['type'] != 'http':
            await self.app(scope, receive, send)
            return
        owner = owner_of(scope, self.files.cookie)
        found = FILE_ROUTE.search(scope['path'])
        if found and not self._is_allowed(found, owner):
            await forbid(send)
            return
        if owner is None:
            owner = secrets.token_urlsafe(32)
            send = self._with_cookie(send, owner)
        if scope['path'].rstrip('/').endswith('/upload'):
            send = self._with_owner(send, owner)
        await self.app(scope, receive, send)

    def _is_allowed(self, found: re.Match, owner: str | None) -> bool:
        if '://' in found[1] or found[0].startswith('/proxy='):
            return False
        try:
            return self.files.may_read(found[1], owner)
        except (OSError, ValueError):  # too long, or with a null character
            return False

    def _with_cookie(self, send: Send, owner: str) -> Send:
        """Name the browser in the response."""
        cookie = (f'{self.files.cookie}={owner}; Path=/; HttpOnly; '
                  'SameSite=Strict')

        async def named(message: Message) -> None:
            if message['type'] == 'http.response.start':
                message['headers'] = [*message.get('headers', ()),
                                      (b'set-cookie', cookie.encode())]
            await send(message)

        return named

    def _with_owner(self, send: Send, owner: str) -> Send:
        """Give the files that a response lists, as JSON, to the browser."""
        body = bytearray()
        status = 0

        async def owned(message: Message) -> None:
            nonlocal status
            if message['type'] == 'http.response.start':
                status = message['status']
            elif message['type'] == 'http.response.body' and status == 200:
                body.extend(message.get('body', b''))
                if not message.get('more_body'):
                    for path in json.loads(body):
                        self.files.add(path, owner)
            await send(message)

        return owned


def owner_of(scope: Message, name: str) -> str | None:
    """Return the value of a cookie of a request, None without it."""
    for key, value in scope['headers']:
        if key == b'cookie':
            with suppress(CookieError):
                cookie = SimpleCookie(value.decode('latin-1'))
                if name in cookie:
                    return cookie[name].value
    return None


async def forbid(send: Send) -> None:
    """Answer that a file is not there for this browser."""
    await send(
        dict(
            type='http.response.start',
            status=403,
            headers=[(b'content-type', b'text/plain')]))
    await send(
        dict(
            type='http.response.body',
            body=b'This file belongs to another browser.'))
