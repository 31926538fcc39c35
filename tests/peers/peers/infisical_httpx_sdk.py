"""infisical-httpx-sdk: `check` does with it what it can do, `start` puts 50 secrets into the environment.

Its lists ask for hidden values, always. A start reads each secret by its name for that."""

import logging
import os
import sys

from infisical import InfisicalClient
from infisical.resources.secrets.models import CreateSecretRequest, DeleteSecretRequest, UpdateSecretRequest

PROJECT = os.environ["PEER_PROJECT_ID"]
SERVER = os.environ.get("PEER_SERVER", "Current")
# what a client asks for hidden, a server of today hides
HIDES = SERVER == "Current"
AUGUST = SERVER == "August2024"
APP = {"workspaceId": PROJECT, "environment": "dev", "secretPath": "/app"}


def login(secret):
    return InfisicalClient(endpoint=os.environ["PEER_HOST"], client_id=os.environ["PEER_CLIENT_ID"], client_secret=secret)


def start(client):
    many = {**APP, "secretPath": "/many"}
    for secret in client.secrets.v3.list(**many).secrets:
        os.environ[secret.secret_key] = client.secrets.v3.retrieve(name=secret.secret_key, **many).secret_value
    assert os.environ["MANY_49"] == "value-49-of-a-usual-length-0123456789"


def check(client):
    root = {**APP, "secretPath": "/"}
    listed = client.secrets.v3.list(**root).secrets
    assert sorted(secret.secret_key for secret in listed) == ["LINES", "PLAIN", "REFERENCE"]
    plain = next(secret for secret in listed if secret.secret_key == "PLAIN")
    assert (plain.secret_value == "<hidden-by-infisical>", bool(plain.secret_value_hidden)) == (HIDES, HIDES)
    print("list, with values hidden" if HIDES else "list")

    got = client.secrets.v3.retrieve(name="REFERENCE", expandSecretReferences="true", **root)
    # a server of August 2024 expands nothing of the same folder by name, and gives what is imported without its value
    assert got.secret_value == ("${PLAIN}/x" if AUGUST else "plain/x")
    got = client.secrets.v3.retrieve(name="IMPORTED", include_imports="true", **root)
    assert got.secret_value == ("" if AUGUST else "from shared")
    print("get by name, also what is imported")

    place = {"workspaceId": PROJECT, "environment": "dev", "secretPath": "/app"}
    for name in ["KEPT", "GONE"]:
        created = client.secrets.v3.create(CreateSecretRequest(**place, name=name, secretValue="before"))
        assert (created.secret_value, created.version) == ("before", 1)
        updated = client.secrets.v3.update(UpdateSecretRequest(**place, name=name, secretValue="kept\nby ü"))
        assert (updated.secret_value, updated.version) == ("kept\nby ü", 2)
    print("create, update")
    assert client.secrets.v3.delete(DeleteSecretRequest(**place, name="GONE")).secret_key == "GONE"
    print("delete")

    assert ("400" if AUGUST else "404") in refusal(lambda: client.secrets.v3.retrieve(name="GONE", **APP))
    again = CreateSecretRequest(**place, name="KEPT", secretValue="again")
    assert "400" in refusal(lambda: client.secrets.v3.create(again))
    print("a secret that is gone, and one that exists")
    assert refusal(lambda: login("wrong").secrets.v3.list(**root))
    print("a wrong client secret is refused")


def refusal(call):
    logging.disable()
    try:
        call()
    except Exception as error:
        return str(error)
    return ""


(start if sys.argv[1] == "start" else check)(login(os.environ["PEER_CLIENT_SECRET"]))
