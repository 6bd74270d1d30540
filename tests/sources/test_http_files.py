import pytest
from faulty_server import HASTY, serving

from subtomo.errors import MissingFileError, RemoteError, SubtomoWarning
from subtomo.sources.http_files import HttpFiles, Patience
from subtomo.sources.stores import LocalStore, http_address, open_store

CONTENT = bytes(range(256)) * 20


@pytest.fixture
def server(tmp_path):
    (tmp_path / "a b.bin").write_bytes(CONTENT)
    with serving(tmp_path) as (url, faults):
        yield url, faults


def read(url, span=None, patience=HASTY):
    return HttpFiles(patience).read(url, span)


def test_a_file_and_parts_of_it(server):
    url = f"{server[0]}/a%20b.bin"
    files = HttpFiles(HASTY)
    assert files.read(url) == CONTENT
    assert files.read(url, (10, 30)) == CONTENT[10:30]  # of a server that knows no ranges
    assert files.read(url, (-7, 0)) == CONTENT[-7:]


def test_a_connection_is_used_again(server):
    files = HttpFiles(HASTY)
    for _ in range(3):
        files.read(f"{server[0]}/a%20b.bin")
    assert len(files._idle) == 1


@pytest.mark.parametrize(
    ("kind", "error", "words"),
    [
        ("refused", RemoteError, r"access refused \(HTTP 403\)"),
        ("missing", MissingFileError, r"not there \(HTTP 404\)"),
        ("cut", RemoteError, "cut short after 100 of 5000 bytes, 2 times"),
        ("slow", RemoteError, r"no answer within 0\.8 s, 2 times"),
    ],
)
def test_failures_are_told_apart_in_one_line(server, kind, error, words):
    url, faults = server
    faults.kinds["bin"] = kind
    with pytest.raises(error, match=words) as caught:
        read(f"{url}/a%20b.bin")
    assert str(caught.value).startswith(f"{url}/a%20b.bin: ")
    assert "\n" not in str(caught.value)
    assert len(faults.asked) == (1 if kind in ("refused", "missing") else 2)


def test_what_fails_once_is_asked_for_again(server):
    url, faults = server
    faults.kinds["bin"] = "failing once"
    assert read(f"{url}/a%20b.bin") == CONTENT
    assert len(faults.asked) == 2


def test_no_server_is_said_so():
    with pytest.raises(RemoteError, match=r"no connection to 127\.0\.0\.1 .*, 2 times"):
        read("http://127.0.0.1:9/x")


def test_each_pause_is_twice_the_last(server, monkeypatch):
    pauses = []
    monkeypatch.setattr("subtomo.sources.pauses.time.sleep", pauses.append)
    server[1].kinds["bin"] = "cut"
    with pytest.raises(RemoteError):
        read(f"{server[0]}/a%20b.bin", patience=Patience(0.3, 0.3, attempts=4, pause=0.5))
    assert pauses == [0.5, 1.0, 2.0]


@pytest.mark.parametrize(("asked", "pause"), [("7", 7), ("Wed, 21 Oct 2015 07:28:00 GMT", 0)])
@pytest.mark.filterwarnings("ignore::subtomo.errors.SubtomoWarning")
def test_a_pause_is_as_long_as_the_server_asks(server, monkeypatch, asked, pause):
    pauses = []
    monkeypatch.setattr("subtomo.sources.pauses.time.sleep", pauses.append)
    server[1].kinds["bin"] = f"busy {asked}"
    assert read(f"{server[0]}/a%20b.bin") == CONTENT
    assert pauses == [pause]


def test_a_pause_that_is_asked_for_is_told(server, monkeypatch):
    monkeypatch.setattr("subtomo.sources.pauses.time.sleep", lambda seconds: None)
    server[1].kinds["bin"] = "busy 7"
    with pytest.warns(SubtomoWarning, match=r"127\.0\.0\.1 asks for a pause of 7 s: waiting"):
        read(f"{server[0]}/a%20b.bin")


def test_a_pause_of_hours_is_not_waited_for(server):
    server[1].kinds["bin"] = "busy 7200"
    with pytest.raises(RemoteError, match="asks for a pause of 7200 s, and at most 120 s"):
        read(f"{server[0]}/a%20b.bin")


def test_a_proxy_of_the_environment_is_asked(server, monkeypatch):
    url, faults = server
    monkeypatch.setenv("http_proxy", url)
    monkeypatch.setenv("no_proxy", "")
    faults.kinds["elsewhere"] = "missing"
    with pytest.raises(MissingFileError, match=r"http://elsewhere\.invalid/x: not there"):
        read("http://elsewhere.invalid/x")
    assert faults.asked == ["http://elsewhere.invalid/x"]


def test_default_patience():
    assert (Patience().connect, Patience().read, Patience().attempts) == (20, 60, 5)


@pytest.mark.parametrize(
    ("address", "endpoint", "url"),
    [
        ("https://host/a", None, "https://host/a"),
        ("s3://bucket/a b/c", "http://x:1/", "http://x:1/bucket/a%20b/c"),
        ("s3://bucket/key", None, "https://bucket.s3.amazonaws.com/key"),
        ("s3://my.bucket/key", None, "https://s3.amazonaws.com/my.bucket/key"),
    ],
)
def test_http_address(address, endpoint, url, monkeypatch):
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    assert http_address(address, endpoint) == url


def test_endpoint_of_the_environment(monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://y:2")
    assert http_address("s3://bucket/key") == "http://y:2/bucket/key"


def test_local_store_reads_parts_and_says_what_is_missing(tmp_path):
    (tmp_path / "x").write_bytes(CONTENT)
    store = open_store(f"file://{tmp_path}")
    assert isinstance(store, LocalStore)
    assert store.read("x", (3, 9)) == CONTENT[3:9]
    assert store.read("x", (-5, 0)) == CONTENT[-5:]
    with pytest.raises(MissingFileError, match="y: not there"):
        store.read("y")
    with pytest.raises(ValueError, match="gs://b/c: unknown kind of address"):
        open_store("gs://b/c")
