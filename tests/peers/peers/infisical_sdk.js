// @infisical/sdk, by Infisical: `check` does with it what it can do, `start` puts 50 secrets into the environment.

const assert = require("node:assert");
const { InfisicalSDK } = require("@infisical/sdk");

const server = process.env.PEER_SERVER ?? "Current";
const august = server === "August2024";
const projectId = process.env.PEER_PROJECT_ID;
const root = { environment: "dev", projectId, secretPath: "/" };
const app = { environment: "dev", projectId, secretPath: "/app" };

const login = (clientSecret) =>
  new InfisicalSDK({ siteUrl: process.env.PEER_HOST }).auth().universalAuth.login({
    clientId: process.env.PEER_CLIENT_ID,
    clientSecret,
  });

async function start(client) {
  await client.secrets().listSecrets({ ...root, secretPath: "/many", attachToProcessEnv: true });
  assert.equal(process.env.MANY_49, "value-49-of-a-usual-length-0123456789");
}

async function check(client) {
  const listed = await client.secrets().listSecrets({ ...root, includeImports: true, expandSecretReferences: true });
  const values = Object.fromEntries(listed.secrets.map((secret) => [secret.secretKey, secret.secretValue]));
  assert.deepEqual(values, { PLAIN: "plain", LINES: "first\nsecond", REFERENCE: "plain/x" });
  assert.equal(listed.imports[0].secrets[0].secretValue, "from shared");
  const merged = await client.secrets().listSecretsWithImports({ ...root, expandSecretReferences: true });
  assert.equal(merged.find((secret) => secret.secretKey === "IMPORTED").secretValue, "from shared");
  console.log("list, with imports merged too");

  const got = await client.secrets().getSecret({ ...root, secretName: "REFERENCE", expandSecretReferences: true });
  // a server of August 2024 expands nothing of the same folder by name
  assert.equal(got.secretValue, august ? "${PLAIN}/x" : "plain/x");
  console.log("get by name");

  // a name that the others cannot send
  for (const name of ["KEPT", "GONE", "WITH SPACE"]) {
    const created = await client.secrets().createSecret(name, { ...app, secretValue: "before", secretComment: "noted" });
    assert.deepEqual([created.secret.secretValue, created.secret.version], ["before", 1]);
    const updated = await client.secrets().updateSecret(name, { ...app, secretValue: "kept\nby ü" });
    assert.deepEqual([updated.secret.secretValue, updated.secret.version], ["kept\nby ü", 2]);
  }
  console.log("create, update");
  for (const name of ["GONE", "WITH SPACE"]) {
    assert.equal((await client.secrets().deleteSecret(name, app)).secret.secretKey, name);
  }
  console.log("delete");

  const folder = await client.folders().create({ environment: "dev", projectId, name: "made", path: "/app" });
  assert.equal(folder.name, "made");
  const folders = await client.folders().listFolders({ environment: "dev", projectId, path: "/app" });
  assert.deepEqual(folders.map(({ name }) => name), ["made"]);
  console.log("folders");

  await assert.rejects(client.secrets().getSecret({ ...app, secretName: "GONE" }), august ? /StatusCode=400/ : /StatusCode=404/);
  await assert.rejects(client.secrets().createSecret("KEPT", { ...app, secretValue: "again" }), /StatusCode=400/);
  console.log("a secret that is gone, and one that exists");
  await assert.rejects(login("wrong"), august ? /StatusCode=403/ : /StatusCode=401/);
  console.log("a wrong client secret is refused");
  await keys(client.kms());
}

async function keys(kms) {
  const make = () =>
    kms.keys().create({ projectId, name: "app", keyUsage: "encrypt-decrypt", encryptionAlgorithm: "aes-256-gcm" });
  if (august) {
    await assert.rejects(make(), /StatusCode=404/);
    console.log("no keys");
    return;
  }
  const key = await make();
  if (server === "Current") {
    assert.equal((await kms.keys().getByName({ projectId, name: "app" })).id, key.id);
  }
  const plaintext = Buffer.from("a data key").toString("base64");
  const ciphertext = await kms.encryption().encrypt({ keyId: key.id, plaintext });
  assert.equal(await kms.encryption().decrypt({ keyId: key.id, ciphertext }), plaintext);
  assert.equal((await kms.keys().delete({ keyId: key.id })).id, key.id);
  console.log("keys, encrypt, decrypt");
}

login(process.env.PEER_CLIENT_SECRET).then(process.argv[2] === "start" ? start : check);
