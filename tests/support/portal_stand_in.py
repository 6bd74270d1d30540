"""The stand-in of the CryoET Data Portal in the shared data, for the portal's real client."""

import copy
import importlib.util
import re

import pytest
from faulty_server import HASTY, Faults, QuietServer, faulty, running

from subtomo.sources import http_files
from subtomo.sources.portal import gathered
from subtomo.sources.portal.client import PortalClient

RUNS = (90011, 90012, 90013)
NAMES = [
    f"run_{run}_tiltseries_{run + 1000}_alignment_{run + 2000}_spacing_{run + 3000}" for run in RUNS
]


def like(pattern, value, flags):
    """Compare as PostgreSQL does, where a backslash takes the sense of a wildcard away."""
    wildcards = {"%": ".*", "_": "."}
    parts = re.findall(r"\\(.)|(.)", pattern, re.DOTALL)
    text = "".join(re.escape(plain) or wildcards.get(c, re.escape(c)) for plain, c in parts)
    return re.fullmatch(text, str(value), flags | re.DOTALL) is not None


class PortalStandIn:
    """A running portal.

    Attributes
    ----------
    base, url : of the object store and of the GraphQL service
    sample : folder of the sample
    rows : the portal's tables; tests may change them
    faults : of the object store
    questions : tables that were asked for
    """

    def __init__(self, sample, module, server, base):
        import graphql

        self.base, self.url = base, f"{base}/graphql"
        self.sample = sample
        self.faults = Faults()
        self.questions = []
        portal = module.Portal(sample, base)
        self.rows = portal.db
        self._pristine = copy.deepcopy(portal.db)

        def answer(payload):
            """Answer without checking the question again, which the client did."""
            self.questions.append(payload["query"].split("(")[0].split()[-1])
            document = graphql.parse(payload["query"])
            return graphql.execute(portal.schema, document).formatted

        portal.execute = answer
        server.RequestHandlerClass = faulty(module.make_handler(portal, sample, None), self.faults)

    def reset(self):
        """Undo what a test changed."""
        for table, rows in self._pristine.items():
            self.rows[table][:] = copy.deepcopy(rows)
        self.faults.kinds.clear()
        self.faults.asked.clear()
        self.questions.clear()

    def row(self, table, number):
        """Give one row to change it."""
        return next(row for row in self.rows[table] if row["id"] == number)

    def rows_where(self, table, **values):
        """Give the rows with these values."""
        return [row for row in self.rows[table] if values.items() <= row.items()]


@pytest.fixture(scope="session")
def running_portal(shared_data):
    pytest.importorskip("cryoet_data_portal", reason="the extra 'portal' is not installed")
    sample = shared_data / "portal_sample"
    if not (sample / "fake_portal.py").is_file():
        pytest.skip(f"{sample} is absent")
    spec = importlib.util.spec_from_file_location("fake_portal", sample / "fake_portal.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.like = like
    server = QuietServer(("127.0.0.1", 0), None)
    stand_in = PortalStandIn(sample, module, server, f"http://127.0.0.1:{server.server_address[1]}")
    with running(server):
        yield stand_in


@pytest.fixture(scope="session")
def clients():
    """Clients by address: each reads the portal's whole schema when it is made."""
    made = {}

    def client(url=None):
        if url not in made:
            made[url] = PortalClient(url)
        return made[url]

    return client


@pytest.fixture
def portal(running_portal, clients, monkeypatch):
    monkeypatch.setattr(gathered, "PortalClient", clients)
    monkeypatch.setattr(http_files, "PATIENCE", HASTY)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    yield running_portal
    running_portal.reset()
