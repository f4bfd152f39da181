#!/usr/bin/env python3
"""A messaging network of one's own, connected to an Antiphon inbox: see README.md beside this file."""

import base64
import hashlib
import hmac
import json
import os
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock
from urllib.error import HTTPError
from urllib.parse import unquote
from urllib.request import Request, urlopen

ANTIPHON = os.environ.get("ANTIPHON_URL", "http://127.0.0.1:8085")
TOKEN = os.environ.get("ANTIPHON_TOKEN", "pat-demo-antiphon")
SECRET = os.environ.get("ANTIPHON_CLIENT_SECRET", "secret-demo-antiphon")
PORT = int(os.environ.get("RELAY_PORT", "8090"))
HANDLE = {"type": "CHANNEL_SPECIFIC_OPAQUE_ID", "value": "@relay"}
CHANNELS = "/conversations/v3/custom-channels"


def ask(method, path, body=None):
    """Asks Antiphon, and answers what it said."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    with urlopen(Request(ANTIPHON + path, data, headers, method=method), timeout=10) as answer:
        text = answer.read()
        return json.loads(text) if text else None


class Relay:
    """The network: a mailbox for every user."""
    def __init__(self, address):
        self.address = address
        self.lock = Lock()
        self.mailboxes = {}
        self.seen = set()
        self.channel = self.find_channel()
        self.account = self.find_account()

    def find_channel(self):
        """The channel that was brought when the relay ran first, or a new one."""
        wanted = {
            "name": "Relay",
            "webhookUrl": f"{self.address}/events",
            "channelDescription": "A messaging network of our own",
            "capabilities": {"threadingModel": "INTEGRATION_THREAD_ID", "richText": [], "deliveryIdentifierTypes": [HANDLE["type"]]},
        }
        for channel in ask("GET", CHANNELS)["results"]:
            if channel["name"] == wanted["name"]:
                return ask("PATCH", f"{CHANNELS}/{channel['id']}", wanted)["id"]
        return ask("POST", CHANNELS, wanted)["id"]

    def find_account(self):
        path = f"{CHANNELS}/{self.channel}/channel-accounts"
        for account in ask("GET", f"{path}?deliveryIdentifierValue=%40relay")["results"]:
            return account["id"]
        inbox = ask("GET", "/conversations/v3/conversations/inboxes")["results"][0]["id"]
        return ask("POST", path, {"name": "Relay", "inboxId": inbox, "authorized": True, "deliveryIdentifier": HANDLE})["id"]

    def say(self, user, text, message_id):
        """A user said something. Said twice with the same id, it is published once."""
        return ask("POST", f"{CHANNELS}/{self.channel}/messages", {
            "channelAccountId": self.account,
            "messageDirection": "INCOMING",
            "integrationThreadId": f"chat-{user}",
            "integrationIdempotencyId": message_id or uuid.uuid4().hex,
            "text": text,
            "senders": [{"name": user, "deliveryIdentifier": {**HANDLE, "value": user}}],
        })

    def take(self, event):
        """The server tells of something. It does so again until it is answered, so what was taken is remembered."""
        if event["type"] != "OUTGOING_CHANNEL_MESSAGE_CREATED":
            return
        with self.lock:
            if event["eventId"] in self.seen:
                return
            self.seen.add(event["eventId"])
            message = event["message"]
            user = message["recipients"][0]["deliveryIdentifier"]["value"]
            sender = message["senders"][0].get("name", message["createdBy"])
            self.mailboxes.setdefault(user, []).append({"id": message["id"], "from": sender, "text": message["text"]})

    def read(self, user):
        """What agents said to a user; now it is read."""
        with self.lock:
            said = self.mailboxes.pop(user, [])
        for one in said:
            ask("PATCH", f"{CHANNELS}/{self.channel}/messages/{one['id']}", {"statusType": "READ"})
        return said


class Door(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path == "/events":
            if not self.signed(body):
                return self.answer(401, {"error": "not signed by the app's client secret"})
            self.relay.take(json.loads(body))
            return self.answer(204)
        if self.path == "/say":
            said = json.loads(body)
            message = self.relay.say(said["user"], said["text"], said.get("id"))
            return self.answer(201, {"thread": message["conversationsThreadId"], "message": message["id"]})
        return self.answer(404, {"error": "POST /say or /events"})

    def do_GET(self):
        if not self.path.startswith("/read/"):
            return self.answer(404, {"error": "GET /read/<user>"})
        return self.answer(200, self.relay.read(unquote(self.path[len("/read/"):])))

    def signed(self, body):
        """Whether a request is the server's, and no older than five minutes."""
        at = self.headers.get("X-HubSpot-Request-Timestamp", "0")
        signed = f"POST{self.relay.address}{self.path}".encode() + body + at.encode()
        wanted = base64.b64encode(hmac.new(SECRET.encode(), signed, hashlib.sha256).digest()).decode()
        fresh = at.isdigit() and abs(time.time() * 1000 - int(at)) < 300_000
        return fresh and hmac.compare_digest(wanted, self.headers.get("X-HubSpot-Signature-v3", ""))

    def answer(self, status, body=None):
        text = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        """Says nothing of every request."""


def main():
    server = ThreadingHTTPServer(("127.0.0.1", PORT), Door)
    try:
        Door.relay = Relay(f"http://127.0.0.1:{server.server_port}")
    except HTTPError as error:
        raise SystemExit(f"Antiphon refused: {error.read().decode()}") from None
    print(f"relay on http://127.0.0.1:{server.server_port}, channel {Door.relay.channel}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
