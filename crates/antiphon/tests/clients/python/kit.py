"""What the tests of several families share."""

import asyncio
import base64
import inspect
import json
import os
import queue
import re
import struct
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, urlsplit

import requests
from hubspot.utils.signature import Signature

URL = os.environ["ANTIPHON_URL"]
LIMITED_URL = os.environ["ANTIPHON_LIMITED_URL"]
OAUTH = json.loads(os.environ["ANTIPHON_OAUTH"])
TOKEN = "pat-demo-antiphon"
DEVELOPER_KEY = "key-demo-antiphon"
APP = 4410
SECRET = "secret-demo-antiphon"
THREADS = "/conversations/v3/conversations/threads"
# One pixel.
PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)

LOOP = asyncio.new_event_loop()


def width(picture):
    return struct.unpack(">I", picture[16:20])[0]


class Watched:
    """Stands before an object of a client: notes which operations are called, and waits for what is asynchronous.

    An operation is a public method of a class of the client; everything else that such a class offers has operations itself.
    """

    # Other ways to call an operation and to see its answer.
    TWINS = re.compile(r"_with_http_info$|^with_(raw|streaming)_response$")

    def __init__(self, inner, name="", called=None):
        self._inner, self._name, self.called = inner, name, set() if called is None else called

    def __getattr__(self, name):
        found = getattr(self._inner, name)
        path = f"{self._name}.{name}"
        if not inspect.isroutine(found):
            return Watched(found, path, self.called)

        def call(*positional, **named):
            self.called.add(self.TWINS.sub("", path))
            return waited(found(*positional, **named))

        return call

    @classmethod
    def operations(cls, inner, name=""):
        for member, value in inspect.getmembers_static(type(inner)):
            if member.startswith("_") or cls.TWINS.search(member):
                continue
            if inspect.isfunction(value):
                yield f"{name}.{member}"
            elif hasattr(value, "__get__"):
                yield from cls.operations(getattr(inner, member), f"{name}.{member}")

    def left(self):
        """The operations that nobody called."""
        return sorted(set(self.operations(self._inner)) - self.called)


def waited(answer):
    """What an asynchronous client answers in the end; pages are read to the last one."""
    if hasattr(answer, "__aiter__"):
        return LOOP.run_until_complete(gathered(answer))
    return LOOP.run_until_complete(answer) if inspect.isawaitable(answer) else answer


async def gathered(pages):
    return [item async for item in pages]


def until(question, done):
    """Asks until the answer is one that was waited for."""
    end = time.monotonic() + 20
    while True:
        answer = question()
        if done(answer):
            return answer
        assert time.monotonic() < end, f"still {answer}"
        time.sleep(0.02)


class Listener:
    """A program on this machine, until a test ends: it serves one picture, and takes what it is told."""

    def __init__(self, test):
        told = self.told = queue.Queue()

        class Door(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                told.put((self.path, self.headers, body))
                self.send_response(204)
                self.end_headers()

            def do_GET(self):
                self.send_response(200)
                self.send_header("Content-Type", "image/png")
                self.end_headers()
                self.wfile.write(PICTURE)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        Thread(target=self.server.serve_forever, daemon=True).start()
        test.addCleanup(self.stop)

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    def event(self, kind):
        """The next event of a kind, signed as the official client wants it."""
        while True:
            path, headers, body = self.told.get(timeout=20)
            signed = {"client_secret": SECRET, "request_body": body, "http_uri": self.url + path}
            timestamp = headers["X-HubSpot-Request-Timestamp"]
            assert Signature.is_valid(headers["X-HubSpot-Signature-v3"], signature_version="v3", timestamp=timestamp, **signed)
            assert Signature.is_valid(headers["X-HubSpot-Signature"], signature_version="v2", **signed)
            event = json.loads(body)
            if event["type"] == kind:
                return event


def ask(path, body=None, method=None, status=200, token=TOKEN, url=URL):
    """What a program without a client is answered."""
    method = method or ("GET" if body is None else "POST")
    answer = requests.request(method, url + path, json=body, headers={"Authorization": f"Bearer {token}"}, timeout=20)
    assert answer.status_code == status, f"{path}: {answer.status_code} {answer.text}"
    return answer.json() if answer.text else None


def allowed(link):
    """What a user does in a browser, from the app's link to the code that the app is sent."""
    address = URL + urlsplit(link).path + "?" + urlsplit(link).query
    browser = requests.Session()

    def visit(**fields):
        page = browser.request("POST" if fields else "GET", address, data=fields, allow_redirects=False, timeout=20)
        form = re.search(r'name="form" value="([^"]+)"', page.text)
        return form and form[1], page.headers.get("Location")

    form, _ = visit()
    visit(form=form, do="sign-in", email=OAUTH["email"], password=OAUTH["password"])
    form, location = visit()
    if location is None:
        # Who has let the app in before is not asked again.
        _, location = visit(form=form, do="allow")
    assert location.startswith(OAUTH["redirectUri"] + "?"), location
    sent = {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}
    assert sent["state"] == "a&b", sent
    return sent["code"]
