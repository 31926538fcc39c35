"""infisicalsdk, by Infisical: `check` does with it what it can do, `start` puts 50 secrets into the environment."""

import os
import sys

from infisical_sdk import InfisicalSDKClient

PROJECT = os.environ["PEER_PROJECT_ID"]
APP = {"project_id": PROJECT, "environment_slug": "dev", "secret_path": "/app"}


def login(secret):
    client = InfisicalSDKClient(host=os.environ["PEER_HOST"], cache_ttl=None)
    client.auth.universal_auth.login(client_id=os.environ["PEER_CLIENT_ID"], client_secret=secret)
    return client


def start(client):
    listed = client.secrets.list_secrets(project_id=PROJECT, environment_slug="dev", secret_path="/many")
    os.environ.update({secret.secretKey: secret.secretValue for secret in listed.secrets})
    assert os.environ["MANY_49"] == "value-49-of-a-usual-length-0123456789"


def check(client):
    root = {"project_id": PROJECT, "environment_slug": "dev", "secret_path": "/"}
    listed = client.secrets.list_secrets(**root)
    values = {secret.secretKey: secret.secretValue for secret in listed.secrets}
    assert values == {"PLAIN": "plain", "LINES": "first\nsecond", "REFERENCE": "plain/x"}, sorted(values)
    # it leaves these as they came
    imported = [(secret["secretKey"], secret["secretValue"]) for block in listed.imports for secret in block.secrets]
    assert imported == [("IMPORTED", "from shared")], len(imported)
    by_slug = client.secrets.list_secrets(project_slug="peers", environment_slug="dev", secret_path="/")
    assert len(by_slug.secrets) == 3
    print("list, of the project by id and by slug")

    assert client.secrets.get_secret_by_name(secret_name="REFERENCE", **root).secretValue == "plain/x"
    assert client.secrets.get_secret_by_name(secret_name="IMPORTED", **root).secretValue == "from shared"
    print("get by name, also what is imported")

    for name in ["KEPT", "GONE"]:
        created = client.secrets.create_secret_by_name(secret_name=name, secret_value="before", secret_comment="noted", **APP)
        assert (created.secretValue, created.version, created.secretComment) == ("before", 1, "noted")
        updated = client.secrets.update_secret_by_name(current_secret_name=name, secret_value="kept\nby ü", **APP)
        assert (updated.secretValue, updated.version) == ("kept\nby ü", 2)
    print("create, update")
    assert client.secrets.delete_secret_by_name(secret_name="GONE", **APP).secretKey == "GONE"
    print("delete")

    assert refusal(lambda: client.secrets.get_secret_by_name(secret_name="GONE", **APP)) == 404
    assert refusal(lambda: client.secrets.create_secret_by_name(secret_name="KEPT", secret_value="again", **APP)) == 400
    print("404 and 400")
    assert refusal(lambda: login("wrong")) == 401
    print("a wrong client secret is refused")


def refusal(call):
    try:
        call()
    except Exception as error:
        return error.status_code
    return None


(start if sys.argv[1] == "start" else check)(login(os.environ["PEER_CLIENT_SECRET"]))
