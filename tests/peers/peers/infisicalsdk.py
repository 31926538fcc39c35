"""infisicalsdk, by Infisical: `check` does with it what it can do, `start` puts 50 secrets into the environment."""

import base64
import os
import sys

from infisical_sdk import InfisicalSDKClient
from infisical_sdk.api_types import SymmetricEncryption

SERVER = os.environ.get("PEER_SERVER", "Current")
AUGUST = SERVER == "August2024"
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

    # a server of August 2024 expands nothing of the same folder by name, and gives what is imported without its value
    expanded, imported = ("${PLAIN}/x", "") if AUGUST else ("plain/x", "from shared")
    assert client.secrets.get_secret_by_name(secret_name="REFERENCE", **root).secretValue == expanded
    assert client.secrets.get_secret_by_name(secret_name="IMPORTED", **root).secretValue == imported
    print("get by name, also what is imported")

    for name in ["KEPT", "GONE"]:
        created = client.secrets.create_secret_by_name(secret_name=name, secret_value="before", secret_comment="noted", **APP)
        assert (created.secretValue, created.version, created.secretComment) == ("before", 1, "noted")
        updated = client.secrets.update_secret_by_name(current_secret_name=name, secret_value="kept\nby ü", **APP)
        assert (updated.secretValue, updated.version) == ("kept\nby ü", 2)
    print("create, update")
    assert client.secrets.delete_secret_by_name(secret_name="GONE", **APP).secretKey == "GONE"
    print("delete")

    assert refusal(lambda: client.secrets.get_secret_by_name(secret_name="GONE", **APP)) == (400 if AUGUST else 404)
    assert refusal(lambda: client.secrets.create_secret_by_name(secret_name="KEPT", secret_value="again", **APP)) == 400
    print("a secret that is gone, and one that exists")
    assert refusal(lambda: login("wrong")) == (403 if AUGUST else 401)
    print("a wrong client secret is refused")
    keys(client.kms)


def keys(kms):
    make = lambda: kms.create_key("app", PROJECT, SymmetricEncryption.AES_GCM_256, description="of the peers")
    if AUGUST:
        assert refusal(make) == 404
        print("no keys")
        return
    if SERVER == "October2024":
        # it cannot read the answer, which has no version, and the key is made all the same
        try:
            make()
            raise AssertionError("it read the answer")
        except TypeError:
            pass
        key = kms.list_keys(PROJECT).keys[0]
    else:
        key = make()
        assert kms.get_key_by_name("app", PROJECT).id == key.id
        assert kms.get_key_by_id(key.id).name == "app"
    assert kms.list_keys(PROJECT, search="ap").totalCount == 1
    plaintext = base64.b64encode(b"a data key").decode()
    assert kms.decrypt_data(key.id, kms.encrypt_data(key.id, plaintext)) == plaintext
    if SERVER == "Current":
        assert kms.delete_key(key.id).id == key.id
    print("keys, encrypt, decrypt")


def refusal(call):
    try:
        call()
    except Exception as error:
        return error.status_code
    return None


(start if sys.argv[1] == "start" else check)(login(os.environ["PEER_CLIENT_SECRET"]))
