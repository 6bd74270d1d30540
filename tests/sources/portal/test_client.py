"""What is said when the portal's metadata service does not answer."""

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from subtomo.errors import RemoteError, SubtomoWarning
from subtomo.sources.portal import client

ANSWERS = {
    "refused": (403, b"no"),
    "failing": (500, b"no"),
    "busy": (429, b"later"),
    "a page": (200, b"<html>"),
    "other JSON": (200, b"{}"),
    "no rows": (200, b'{"data": {"foo": []}}'),
    "rows of text": (200, b'{"data": {"runs": ["x"]}}'),
}


@pytest.fixture(autouse=True)
def hasty(monkeypatch):
    pytest.importorskip("cryoet_data_portal", reason="the extra 'portal' is not installed")
    monkeypatch.setattr(client, "_ATTEMPTS", 1)
    monkeypatch.setattr(client, "_SECONDS", 0.1)


@pytest.fixture
def server():
    """A server that behaves as its attribute ``kind`` says."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            if self.server.kind == "slow":
                time.sleep(0.3)
            if self.server.kind in ("slow", "closing"):
                return
            status, body = ANSWERS[self.server.kind]
            self.send_response(status)
            if self.server.kind == "busy":
                self.send_header("Retry-After", "7")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *words):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield server
        server.shutdown()


def said(url, clients, monkeypatch):
    portal = clients()
    monkeypatch.setattr(portal, "url", url)
    monkeypatch.setattr(portal._client, "url", url)
    with pytest.raises(RemoteError) as error:
        portal.find("Run", [portal.models.Run.id == 1])
    return str(error.value)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("refused", "HTTP 403"),
        ("failing", "HTTP 500"),
        ("a page", "what comes is not from a GraphQL service"),
        ("other JSON", "what comes is not from a GraphQL service"),
        ("slow", "no answer within 0.1 s"),
        ("closing", "no connection to 127.0.0.1 (it was closed)"),
    ],
)
def test_answers_that_are_none_are_put_in_words(server, clients, monkeypatch, kind, words):
    server.kind = kind
    url = f"http://127.0.0.1:{server.server_address[1]}/graphql"
    expected = f"{url}: the portal does not answer ({words}), 1 time; try again later or check"
    assert said(url, clients, monkeypatch).startswith(expected)


def test_a_busy_portal_is_asked_again_when_it_says_and_told(server, clients, monkeypatch):
    pauses = []
    monkeypatch.setattr("subtomo.sources.pauses.time.sleep", pauses.append)
    monkeypatch.setattr(client, "_ATTEMPTS", 2)
    server.kind = "busy"
    url = f"http://127.0.0.1:{server.server_address[1]}/graphql"
    with pytest.warns(SubtomoWarning, match="asks for a pause of 7 s: waiting"):
        assert "does not answer (HTTP 429), 2 times" in said(url, clients, monkeypatch)
    assert pauses == [7]


def test_what_is_refused_is_asked_for_once(server, clients, monkeypatch):
    monkeypatch.setattr(client, "_ATTEMPTS", 2)
    server.kind = "refused"
    url = f"http://127.0.0.1:{server.server_address[1]}/graphql"
    assert "(HTTP 403), 1 time;" in said(url, clients, monkeypatch)


def test_no_connection_says_why(monkeypatch, clients):
    words = "the portal does not answer (no connection to 127.0.0.1 (Connection refused)), 1 time;"
    assert words in said("http://127.0.0.1:9/graphql", clients, monkeypatch)


@pytest.mark.parametrize("kind", ["no rows", "rows of text"])
def test_an_answer_of_another_shape_is_put_in_words(server, clients, monkeypatch, kind):
    server.kind = kind
    url = f"http://127.0.0.1:{server.server_address[1]}/graphql"
    expected = f"{url}: the answer is not what the portal's schema says ("
    assert said(url, clients, monkeypatch).startswith(expected)
