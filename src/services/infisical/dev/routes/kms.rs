//! Keys: symmetric ones, with what they encrypt.

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::dev::Reply;
use crate::dev::javascript::{Json, Members, object};
use crate::services::infisical::dev::asked::{Answer, Asked, endpoints};
use crate::services::infisical::dev::database::{Database, new_id};
use crate::services::infisical::dev::fields::{Fields, is_uuid};
use crate::services::infisical::dev::keys::{ALGORITHMS, material};
use crate::services::infisical::dev::refusal::Refusal;
use crate::services::infisical::dev::rows::Key;

endpoints! {
    /// The keys of a project.
    GET "/v1/kms/keys" as KMS_KEYS_LIST since October2024, Read Token => list;
    /// The creation of a key.
    POST "/v1/kms/keys" as KMS_KEYS_CREATE since October2024, Write Token => create;
    /// A key by its id.
    GET "/v1/kms/keys/{keyId}" as KMS_KEYS_GET since Current, Read Token => get;
    /// A key by its name.
    GET "/v1/kms/keys/key-name/{keyName}" as KMS_KEYS_GET_BY_NAME since Current, Read Token => get_by_name;
    /// The change of a key.
    PATCH "/v1/kms/keys/{keyId}" as KMS_KEYS_UPDATE since October2024, Write Token => update;
    /// The deletion of a key.
    DELETE "/v1/kms/keys/{keyId}" as KMS_KEYS_DELETE since October2024, Write Token => delete;
    /// The encryption of a text.
    POST "/v1/kms/keys/{keyId}/encrypt" as KMS_KEYS_ENCRYPT since October2024, Write Token => encrypt;
    /// The decryption of a text.
    POST "/v1/kms/keys/{keyId}/decrypt" as KMS_KEYS_DECRYPT since October2024, Write Token => decrypt;
}

/// Takes base64 with padding and without.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The longest text of a server of 2024, in bytes, and of one of today.
const LONGEST: usize = 4096;
const LONGEST_TODAY: usize = 1_048_576;

fn record(key: &Key, asked: &Asked, database: &Database) -> Members {
    let mut record = Members::default();
    record.set("id", &key.id);
    record.set("description", key.description.clone());
    record.set("isDisabled", key.is_disabled);
    if !asked.generation.is_current() {
        record.set("isReserved", false);
    }
    record.set("orgId", &database.organization);
    record.set("name", &key.name);
    record.set("createdAt", key.created.iso());
    record.set("updatedAt", key.updated.iso());
    record.set("projectId", &key.project);
    if asked.generation.is_current() {
        with_algorithm(&mut record, key);
        record.set("keyUsage", "encrypt-decrypt");
        record.set("isExportable", true);
        record.set("hasDeleteProtection", false);
    } else {
        record.set("slug", Json::Null);
    }
    record
}

fn with_algorithm(record: &mut Members, key: &Key) {
    record.set("version", 1);
    record.set("encryptionAlgorithm", &key.algorithm);
}

fn one(key: Members) -> Answer {
    Ok(Reply::ok(&object([("key", key.into())])))
}

fn list(database: &mut Database, asked: &Asked) -> Answer {
    let mut query = asked.query();
    let project = query.text("projectId");
    let offset = query.coerced_number("offset").unwrap_or(0.0);
    query.at_least("offset", offset, 0);
    let limit = query.coerced_number("limit").unwrap_or(100.0);
    query.at_least("limit", limit, 1);
    query.one_of("orderBy", &["name"]);
    let descends = query.one_of("orderDirection", &["asc", "desc"]).is_some_and(|order| order == "desc");
    let search = query.optional_word("search").unwrap_or_default().to_lowercase();
    query.done(asked.generation)?;
    database.check_keys(asked.actor()?, "read", &project)?;
    let mut found: Vec<&Key> =
        database.keys.iter().filter(|key| key.project == project && key.name.contains(&search)).collect();
    found.sort_by(|one, other| one.name.cmp(&other.name));
    if descends {
        found.reverse();
    }
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a number that is too large is the largest"
    )]
    let (offset, limit) = (offset.max(0.0) as usize, limit.clamp(1.0, 100.0) as usize);
    let listed: Vec<Members> = found
        .iter()
        .skip(offset)
        .take(limit)
        .map(|key| {
            let mut record = record(key, asked, database);
            with_algorithm(&mut record, key);
            record
        })
        .collect();
    Ok(Reply::ok(&object([("keys", listed.into()), ("totalCount", Json::count(found.len()))])))
}

/// A name of a key: letters, digits and hyphens, in lower case.
fn name(body: &mut Fields, name: Option<String>) -> Option<String> {
    let name = name?.to_lowercase();
    body.not_empty("name", Some(&name));
    let is_letter = |letter: char| letter.is_ascii_alphanumeric() || letter == '-';
    if !name.chars().all(is_letter) {
        body.custom("name", "Name must be slug friendly");
    } else if name.chars().count() > 32 {
        body.custom("name", "String must contain at most 32 character(s)");
    }
    Some(name)
}

fn create(database: &mut Database, asked: &Asked) -> Answer {
    let mut body = asked.body();
    let project = body.text("projectId");
    let wanted = body.word("name");
    let name = name(&mut body, Some(wanted)).unwrap_or_default();
    let description = body.optional_word("description");
    let algorithm = body.one_of("encryptionAlgorithm", &ALGORITHMS).unwrap_or_else(|| ALGORITHMS[0].to_owned());
    body.done(asked.generation)?;
    database.check_keys(asked.actor()?, "create", &project)?;
    if database.keys.iter().any(|key| key.project == project && key.name == name) {
        return Err(Refusal::failed_step("Create"));
    }
    let now = database.now();
    let material = material(&algorithm).ok_or_else(|| Refusal::failed_step("Create"))?;
    let key = Key {
        id: new_id(),
        project,
        name,
        description,
        is_disabled: false,
        algorithm,
        material,
        created: now,
        updated: now,
    };
    let answer = record(&key, asked, database);
    database.keys.push(key);
    one(answer)
}

/// The place of the key of a request, which the actor may do something with. An id that is none is refused with the body's issues.
fn place(database: &Database, asked: &Asked, body: Fields, action: &str) -> Result<usize, Refusal> {
    let id = asked.param("keyId");
    if !is_uuid(&id) {
        let mut fields = asked.query();
        fields.uuid("keyId", &id);
        fields.done(asked.generation)?;
    }
    body.done(asked.generation)?;
    let missing = || Refusal::not_found(format!("Key with ID {id} not found"));
    let place = database.keys.iter().position(|key| key.id == id).ok_or_else(missing)?;
    let project = database.keys.get(place).map(|key| key.project.as_str()).unwrap_or_default();
    database.check_keys(asked.actor()?, action, project)?;
    Ok(place)
}

fn answered(database: &Database, asked: &Asked, place: usize) -> Answer {
    let key = database.keys.get(place).ok_or_else(|| Refusal::not_found("Key not found"))?;
    one(record(key, asked, database))
}

fn get(database: &mut Database, asked: &Asked) -> Answer {
    let place = place(database, asked, asked.query(), "read")?;
    answered(database, asked, place)
}

fn get_by_name(database: &mut Database, asked: &Asked) -> Answer {
    let mut query = asked.query();
    let project = query.text("projectId");
    query.done(asked.generation)?;
    database.check_keys(asked.actor()?, "read", &project)?;
    let name = asked.param("keyName").to_lowercase();
    let found = database.keys.iter().position(|key| key.project == project && key.name == name);
    let place = found.ok_or_else(|| Refusal::not_found(format!("Key with name {name} not found")))?;
    answered(database, asked, place)
}

fn update(database: &mut Database, asked: &Asked) -> Answer {
    let mut body = asked.body();
    let wanted = body.optional_word("name");
    let name = name(&mut body, wanted);
    let is_disabled = body.boolean("isDisabled");
    let description = body.optional_word("description");
    let place = place(database, asked, body, "edit")?;
    let now = database.now();
    if let Some(key) = database.keys.get_mut(place) {
        key.name = name.unwrap_or_else(|| key.name.clone());
        key.is_disabled = is_disabled.unwrap_or(key.is_disabled);
        key.description = description.or_else(|| key.description.clone());
        key.updated = now;
    }
    answered(database, asked, place)
}

fn delete(database: &mut Database, asked: &Asked) -> Answer {
    let place = place(database, asked, asked.query(), "delete")?;
    let answer = answered(database, asked, place)?;
    database.keys.remove(place);
    Ok(answer)
}

/// The bytes of a member in base64, no longer than the service takes.
fn bytes(body: &mut Fields, member: &str, asked: &Asked) -> Vec<u8> {
    let text = body.text(member);
    let longest = if asked.generation.is_current() { LONGEST_TODAY } else { LONGEST };
    match BASE64.decode(&text) {
        Ok(bytes) if !text.is_empty() => {
            if bytes.len() > longest {
                body.custom(member, &format!("data cannot exceed {longest} bytes"));
            }
            bytes
        }
        // The service says so of a ciphertext as well.
        _ => {
            body.custom(member, "plaintext must be base64 encoded");
            Vec::new()
        }
    }
}

fn usable(database: &Database, place: usize) -> Result<&Key, Refusal> {
    match database.keys.get(place) {
        Some(key) if key.is_disabled => Err(Refusal::bad_request("Key is disabled")),
        Some(key) => Ok(key),
        None => Err(Refusal::not_found("Key not found")),
    }
}

fn broken() -> Refusal {
    Refusal::new(500, "InternalServerError", "Something went wrong")
}

fn encrypt(database: &mut Database, asked: &Asked) -> Answer {
    let mut body = asked.body();
    let plaintext = bytes(&mut body, "plaintext", asked);
    let place = place(database, asked, body, "encrypt")?;
    let sealed = usable(database, place)?.encrypted(&plaintext).ok_or_else(broken)?;
    Ok(Reply::ok(&object([("ciphertext", BASE64.encode(sealed).into())])))
}

fn decrypt(database: &mut Database, asked: &Asked) -> Answer {
    let mut body = asked.body();
    let ciphertext = bytes(&mut body, "ciphertext", asked);
    let place = place(database, asked, body, "decrypt")?;
    let opened = usable(database, place)?.decrypted(&ciphertext).ok_or_else(broken)?;
    Ok(Reply::ok(&object([("plaintext", BASE64.encode(opened).into())])))
}
