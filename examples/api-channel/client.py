#!/usr/bin/env python3
"""A small client of the open API channel: brings messages, takes answers. Needs nothing but Python 3.9.

    export CONTINUO_URL=https://desk.example.com CONTINUO_INBOX=ibx_... CONTINUO_KEY=cik_... CONTINUO_WEBHOOK_SECRET=whsec_...
    client.py check                                        is the key right?
    client.py send --from cust-1 --name "Ada" "Where is my order?" [--phone +15550142] [--file photo.jpg] [--sign]
    client.py report MESSAGE_ID delivered                  what became of an answer
    client.py listen --port 8700                           takes webhooks; prints one JSON line for each message

docs/API-CHANNEL.md describes every field. Copy what you need: no line of this has to stay as it is.
"""
import argparse
import base64
import hashlib
import hmac
import http.server
import json
import os
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid

AGE_MAX_S = 300


def signature(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """One signature by the Standard Webhooks convention."""
    key = base64.b64decode(secret.split("_", 1)[1])
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def is_genuine(secret: str, headers, body: bytes, now: float) -> bool:
    """Does this webhook come from Continuo, and is it fresh? Several signatures stand there while a secret is changed."""
    try:
        message_id, timestamp = headers["webhook-id"], int(headers["webhook-timestamp"])
        given = headers["webhook-signature"].split()
    except (KeyError, TypeError, ValueError, AttributeError):
        return False
    if abs(now - timestamp) > AGE_MAX_S:
        return False
    expected = signature(secret, message_id, timestamp, body)
    return any(hmac.compare_digest(expected, one) for one in given)


class Channel:
    """One inbox of the API channel."""

    def __init__(self, url: str, inbox: str, key: str, sign: bool = False):
        self.door = f"{url.rstrip('/')}/api/v1/channel/{inbox}"
        self.key = key
        self.sign = sign

    def _call(self, method: str, path: str, body: bytes, kind: str, signed: bytes):
        headers = {"content-type": kind}
        if self.sign:
            request_id, now = str(uuid.uuid4()), int(time.time())
            headers.update({
                "webhook-id": request_id,
                "webhook-timestamp": str(now),
                "webhook-signature": signature(self.key, request_id, now, signed),
            })
        else:
            headers["authorization"] = f"Bearer {self.key}"
        request = urllib.request.Request(self.door + path, data=body if method == "POST" else None, headers=headers, method=method)
        # An event id makes it safe to send again: whatever happens, nothing arrives twice.
        for attempt in range(5):
            try:
                with urllib.request.urlopen(request, timeout=30) as answer:
                    return json.load(answer)
            except urllib.error.HTTPError as error:
                if error.code not in (429, 503) or attempt == 4:
                    raise SystemExit(f"{error.code}: {error.read().decode()}") from error
                time.sleep(float(error.headers.get("retry-after", "1")))
            except urllib.error.URLError as error:
                if attempt == 4:
                    raise SystemExit(f"no answer: {error.reason}") from error
                time.sleep(1)

    def check(self):
        return self._call("GET", "", b"", "application/json", b"")

    def events(self, *events):
        body = json.dumps({"events": list(events)}).encode()
        return self._call("POST", "/events", body, "application/json", body)

    def upload(self, path: str):
        with open(path, "rb") as file:
            name = urllib.parse.quote(os.path.basename(path))
            # Files are signed over nothing: who signs need not hold a large file in memory.
            return self._call("POST", f"/files?name={name}", file.read(), "application/octet-stream", b"")


def listen(port: int, secret: str) -> None:
    seen = set()

    class Hooks(http.server.BaseHTTPRequestHandler):
        def do_POST(self):  # noqa: N802, the name is the library's
            body = self.rfile.read(int(self.headers.get("content-length", "0")))
            if not is_genuine(secret, self.headers, body, time.time()):
                self.answer(401, {})
                return
            hook, hook_id = json.loads(body), self.headers["webhook-id"]
            # A repeat has the same id: it is answered alike and shown once.
            if hook["type"] == "message.created" and hook_id not in seen:
                print(json.dumps({"id": hook_id, **hook["data"]}), flush=True)
            seen.add(hook_id)
            self.answer(200, {"message_id": f"mine-{hook_id}"})

        def answer(self, status: int, what: dict):
            body = json.dumps(what).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Hooks)
    print(f"listening on http://127.0.0.1:{server.server_port}/", flush=True)
    server.serve_forever()


def main() -> None:
    parser = argparse.ArgumentParser(description="A small client of Continuo's API channel.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("check")
    send = commands.add_parser("send")
    send.add_argument("text")
    send.add_argument("--from", dest="sender", required=True, help="your id of the customer")
    send.add_argument("--name")
    send.add_argument("--phone")
    send.add_argument("--email")
    send.add_argument("--order", action="append", default=[])
    send.add_argument("--file", action="append", default=[])
    send.add_argument("--event-id", default=None)
    send.add_argument("--sign", action="store_true", help="sign instead of showing the key")
    report = commands.add_parser("report")
    report.add_argument("message_id")
    report.add_argument("state", choices=["accepted", "sent", "delivered", "read", "failed"])
    hooks = commands.add_parser("listen")
    hooks.add_argument("--port", type=int, default=8700)
    asked = parser.parse_args()

    if asked.command == "listen":
        listen(asked.port, os.environ["CONTINUO_WEBHOOK_SECRET"])
        return
    channel = Channel(
        os.environ["CONTINUO_URL"], os.environ["CONTINUO_INBOX"], os.environ["CONTINUO_KEY"], getattr(asked, "sign", False)
    )
    if asked.command == "check":
        answer = channel.check()
    elif asked.command == "report":
        answer = channel.events({
            "event_id": str(uuid.uuid4()), "kind": "delivery", "message_id": asked.message_id, "state": asked.state,
        })
    else:
        points = [{"kind": kind, "value": value, "level": 1} for kind, value in
                  (("phone", asked.phone), ("email", asked.email)) if value]
        event = {
            "event_id": asked.event_id or str(uuid.uuid4()),
            "kind": "message",
            "from": {"id": asked.sender, "name": asked.name, "points": points},
            "text": asked.text,
            "order_numbers": asked.order,
            "files": [{"id": channel.upload(path)["id"]} for path in asked.file],
        }
        answer = channel.events(event)
    json.dump(answer, sys.stdout)
    print()


if __name__ == "__main__":
    main()
