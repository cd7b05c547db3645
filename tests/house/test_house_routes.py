"""Every route of the hub says in its signature which right it needs; one that says none must be on the list below."""

from __future__ import annotations

from pathlib import Path

from tests.hub.hub_network import Network, routes_of

FOR_EVERYBODY = {
    "/healthz": "a supervisor asks",
    "/readyz": "a supervisor asks",
    "/metrics": "counts without a name; the reverse proxy keeps it inside",
    "/api/v1/openapi.json": "the document of the API, the same for all",
    "/api/v1/enrol": "the token is the secret",
    "/sign-in": "where people show who they are",
    "/sign-in/oidc/{provider}": "where people go to show who they are",
    "/sign-in/oidc/{provider}/back": "and come back from: what the browser kept is the secret",
    "/sign-in/passkey": "where people show who they are",
    "/sign-in/passkey/challenge": "a question whose answer shows who somebody is",
    "/sign-out": "ends what the cookie names, and nothing else",
    "/join/{token}": "the link is the secret",
    "/static/{name}": "style sheets and icons",
}
"""Path -> why nobody needs a right for it."""


def test_a_12_every_route_declares_its_right(tmp_path: Path) -> None:
    network = Network(tmp_path, "")
    bare = {route.path for route in routes_of(network.app) if route.right is None}
    guarded = [route for route in routes_of(network.app) if route.right is not None]
    network.close()
    assert bare == set(FOR_EVERYBODY), "declare a right: person: Annotated[Visitor, who_may(Right.…)]"
    assert len(guarded) > 30, "the table of routes was not read"
