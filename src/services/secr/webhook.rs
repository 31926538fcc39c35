//! Webhooks: notices of changes that the service signs, verified as bytes, whatever web framework received them.

use std::fmt;
use std::time::{Duration, SystemTime};

use hmac::{Hmac, Mac};
use serde::Deserialize;
use sha2::Sha256;

use super::Secr;
use crate::core::{ErrorKind, Hint, SecretValue, Timestamp, XtraError};
use crate::engine::Client;

/// No notice is nearly as large: it holds names and ids only.
pub(super) const MOST_BYTES: usize = 256 * 1024;
/// The header that has the signature.
#[cfg(feature = "tower")]
pub(super) const SIGNATURE: &str = "x-secr-signature";
/// How far the time of a notice may be from now, by default.
const TOLERANCE: Duration = Duration::from_secs(5 * 60);

/// Verifies webhooks of secr by the secret that they are signed with.
///
/// The service signs the body alone, by HMAC-SHA256, in the header `X-Secr-Signature`. Against replays there is the time in the
/// body: what is further than [`tolerance`](Self::tolerance) from now is refused. Within that time a notice can be repeated by
/// whoever has seen it; what it asks for, to read anew, may be done twice.
///
/// ```
/// use xtrasecurity::secr::{SecrClient, WebhookVerifier};
/// use xtrasecurity::XtraError;
///
/// /// For the handler of any web framework: `body` is the raw body, before anything has parsed it.
/// fn receive(client: &SecrClient, verifier: &WebhookVerifier, body: &[u8], signature: &str) -> Result<(), XtraError> {
///     let notice = verifier.verify(body, signature)?;
///     client.invalidate_by_webhook(&notice); // the next read asks the service
///     Ok(())
/// }
/// ```
pub struct WebhookVerifier {
    secret: SecretValue,
    tolerance: Duration,
}

/// A verified notice of a change. It never holds a value.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Webhook {
    /// What has happened.
    pub event: WebhookEvent,
    /// When.
    pub timestamp: Timestamp,
    /// The id of the organisation; its slug is not told.
    pub org_id: String,
    /// The project.
    pub project: WebhookPlace,
    /// The environment.
    pub environment: WebhookPlace,
    /// The secret. What this is when several have changed is not documented.
    pub key: Option<String>,
    /// The id of who has changed it.
    pub actor_id: Option<String>,
}

/// What a webhook tells of.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum WebhookEvent {
    /// A secret is new.
    Created,
    /// A secret has a new value.
    Updated,
    /// A secret is deleted.
    Deleted,
    /// Secrets were copied from another environment.
    Promoted,
    /// Several secrets were written.
    BulkSet,
    /// Something else.
    Other(String),
}

/// A project or an environment.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct WebhookPlace {
    /// Its id.
    pub id: String,
    /// Its slug, which requests name it by.
    pub slug: String,
}

impl WebhookVerifier {
    /// A verifier with the secret that the service has shown when the webhook was made.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] for an empty secret, with which anybody could sign.
    pub fn new(secret: impl Into<SecretValue>) -> Result<Self, XtraError> {
        let secret = secret.into();
        if secret.is_empty() {
            return Err(XtraError::new(ErrorKind::Config, "the secret of the webhook is empty")
                .with_hint(Hint::advice("Give the one that the service has shown when the webhook was made")));
        }
        Ok(Self { secret, tolerance: TOLERANCE })
    }

    /// How far the time of a notice may be from now, in both directions. Default 5 min.
    #[must_use]
    pub fn tolerance(mut self, time: Duration) -> Self {
        self.tolerance = time;
        self
    }

    /// The notice that `body` is: the raw body, with the header `X-Secr-Signature`. Signatures are compared in constant time, and
    /// nothing of a body is read before its signature is found right.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unauthorized`] when the signature is not that of the body, or the notice is too old or from the future;
    /// [`ErrorKind::TooLarge`] for a body above 256 KiB; [`ErrorKind::Decode`] when it is signed and not what the service documents.
    pub fn verify(&self, body: &[u8], signature: &str) -> Result<Webhook, XtraError> {
        self.verify_at(body, signature, SystemTime::now().into())
    }

    /// The notice that `body` is, held against another time than now, for tests.
    ///
    /// # Errors
    ///
    /// As [`verify`](Self::verify).
    pub fn verify_at(&self, body: &[u8], signature: &str, now: Timestamp) -> Result<Webhook, XtraError> {
        if body.len() > MOST_BYTES {
            return Err(XtraError::new(ErrorKind::TooLarge, "the webhook is larger than any of the service's"));
        }
        self.check_signature(body, signature)?;
        let notice = Webhook::parse(body)?;
        let (then, now) = (SystemTime::from(notice.timestamp), SystemTime::from(now));
        let apart = now.duration_since(then).or_else(|_| then.duration_since(now)).unwrap_or(Duration::MAX);
        if apart > self.tolerance {
            let side = if then < now { "old" } else { "far in the future" };
            let message = format!("the webhook is signed and too {side}: {} s from now", apart.as_secs());
            return Err(XtraError::new(ErrorKind::Unauthorized, message)
                .with_hint(Hint::advice("It may be a repetition; or the clock of this machine is off")));
        }
        Ok(notice)
    }

    fn check_signature(&self, body: &[u8], signature: &str) -> Result<(), XtraError> {
        let refused = || {
            XtraError::new(ErrorKind::Unauthorized, "the signature of the webhook is not that of its body").with_hint(
                Hint::advice("Check the webhook's secret, and that the raw body is verified, before it is parsed"),
            )
        };
        let mut expected = [0; 32];
        let hex = signature.trim().strip_prefix("sha256=").ok_or_else(refused)?;
        hex::decode_to_slice(hex, &mut expected).map_err(|_| refused())?;
        // keys of any length are taken
        let mut mac = Hmac::<Sha256>::new_from_slice(self.secret.expose().as_bytes()).map_err(|_| refused())?;
        mac.update(body);
        mac.verify_slice(&expected).map_err(|_| refused())
    }
}

impl fmt::Debug for WebhookVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookVerifier").field("tolerance", &self.tolerance).finish_non_exhaustive()
    }
}

impl Webhook {
    fn parse(body: &[u8]) -> Result<Self, XtraError> {
        #[derive(Deserialize)]
        struct Body {
            event: String,
            timestamp: String,
            org: Id,
            project: WebhookPlace,
            environment: WebhookPlace,
            key: Option<String>,
            actor: Option<Id>,
        }
        #[derive(Deserialize)]
        struct Id {
            id: String,
        }
        let other = || {
            XtraError::new(ErrorKind::Decode, "the webhook is signed, and has another shape than is documented").with_note(
                "Documented: an object with the texts `event` and `timestamp`, `org.id`, and `id` and `slug` of `project` and \
                 `environment`",
            )
        };
        let body: Body = serde_json::from_slice(body).map_err(|_| other())?;
        Ok(Self {
            event: WebhookEvent::of(body.event),
            timestamp: Timestamp::parse(&body.timestamp).ok_or_else(other)?,
            org_id: body.org.id,
            project: body.project,
            environment: body.environment,
            key: body.key,
            actor_id: body.actor.map(|actor| actor.id),
        })
    }
}

impl WebhookEvent {
    fn of(name: String) -> Self {
        match name.as_str() {
            "secret.created" => Self::Created,
            "secret.updated" => Self::Updated,
            "secret.deleted" => Self::Deleted,
            "secret.promoted" => Self::Promoted,
            "secret.bulk_set" => Self::BulkSet,
            _ => Self::Other(name),
        }
    }
}

/// # secr: webhooks
impl<M> Client<Secr, M> {
    /// Drops what the cache holds of the environment that a webhook is about, so that the next read fetches. Of an event that may be
    /// about two environments, or that is not known, every environment of the project.
    ///
    /// A notice tells the id of the organisation and not its slug, so projects of the same slug in other organisations are dropped
    /// too.
    pub fn invalidate_by_webhook(&self, notice: &Webhook) {
        use WebhookEvent::{BulkSet, Created, Deleted, Updated};
        let environment = match notice.event {
            Created | Updated | Deleted | BulkSet => Some(notice.environment.slug.as_str()),
            _ => None,
        };
        self.invalidate_under(
            |key| {
                key.field(&notice.project.slug);
                environment.iter().for_each(|slug| key.field(slug));
            },
            |_| {},
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "whsec_0123456789";
    const BODY: &str = r#"{"event":"secret.updated","timestamp":"2026-05-01T09:30:00Z","org":{"id":"o1"},"project":{"id":"p1","slug":"web"},"environment":{"id":"e1","slug":"production"},"key":"DB_URL","actor":{"id":"u1","email":"ann@example.com"},"metadata":{}}"#;

    fn signed(secret: &str, body: &str) -> String {
        // another implementation than the one that verifies
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, secret.as_bytes());
        format!("sha256={}", hex::encode(ring::hmac::sign(&key, body.as_bytes())))
    }

    fn verify(body: &str, signature: &str, now: &str) -> Result<Webhook, XtraError> {
        WebhookVerifier::new(SECRET).unwrap().verify_at(body.as_bytes(), signature, Timestamp::parse(now).unwrap())
    }

    const NOW: &str = "2026-05-01T09:32:00Z";

    #[test]
    fn a_signed_notice_is_read() {
        let notice = verify(BODY, &signed(SECRET, BODY), NOW).unwrap();
        assert_eq!(notice.event, WebhookEvent::Updated);
        assert_eq!((notice.project.slug.as_str(), notice.environment.slug.as_str()), ("web", "production"));
        assert_eq!((notice.key.as_deref(), notice.org_id.as_str()), (Some("DB_URL"), "o1"));
    }

    /// RFC 4231, test case 2, as a signature of this form.
    #[test]
    fn a_vector_of_the_standard_is_right() {
        let verifier = WebhookVerifier::new("Jefe").unwrap();
        let signature = "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        let body = b"what do ya want for nothing?";
        assert!(verifier.check_signature(body, signature).is_ok());
        assert!(verifier.check_signature(body, &signature.to_uppercase().replace("SHA256", "sha256")).is_ok());
        assert_eq!(verifier.verify(body, signature).unwrap_err().kind(), ErrorKind::Decode);
    }

    #[test]
    fn nothing_but_the_signature_of_these_very_bytes_is_taken() {
        let good = signed(SECRET, BODY);
        let other = signed("whsec_other", BODY);
        let (changed, cut) = (BODY.replace("DB_URL", "DB_URI"), &good[..good.len() - 2]);
        let cases = [
            (BODY, other.as_str()),
            (changed.as_str(), good.as_str()),
            (BODY, cut),
            (BODY, good.trim_start_matches("sha256=")),
            (BODY, "sha256="),
            (BODY, ""),
            (BODY, &good.replace("sha256=", "sha1=")),
            (BODY, &format!("{good}00")),
            (BODY, &format!("sha256={}", "zz".repeat(32))),
        ];
        for (body, signature) in cases {
            let error = verify(body, signature, NOW).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unauthorized, "{signature}");
            assert!(!error.to_string().contains("DB_UR"), "{error}");
        }
        assert!(WebhookVerifier::new("").is_err());
    }

    #[test]
    fn a_notice_from_another_time_is_refused() {
        let good = signed(SECRET, BODY);
        for now in ["2026-05-01T09:25:00Z", "2026-05-01T09:35:00Z"] {
            assert!(verify(BODY, &good, now).is_ok(), "{now}");
        }
        for now in ["2026-05-01T09:24:59Z", "2026-05-01T09:35:01Z", "2027-05-01T09:30:00Z"] {
            assert_eq!(verify(BODY, &good, now).unwrap_err().kind(), ErrorKind::Unauthorized, "{now}");
        }
    }

    #[test]
    fn a_signed_body_of_another_shape_is_told_with_what_was_documented() {
        for body in ["{}", "[]", "", &BODY.replace("2026-05-01T09:30:00Z", "yesterday"), &BODY.replace("slug", "name")]
        {
            let error = verify(body, &signed(SECRET, body), NOW).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Decode, "{body}");
            assert!(error.to_string().contains("Documented: "), "{error}");
        }
        let large = " ".repeat(MOST_BYTES + 1);
        assert_eq!(verify(&large, &signed(SECRET, &large), NOW).unwrap_err().kind(), ErrorKind::TooLarge);
    }
}
