//! Requests of the raw client that carry secrets, before they are sent.

use std::fmt::Debug;

use serde::de::DeserializeOwned;
use serde_json::Value;
use xtrasecurity::XtraClient;
use xtrasecurity::xtra::raw::{SecretInput, types};

use crate::planted::VALUE;
use crate::sample::{Plant, Sampler};

/// Each operation that can carry a secret, as a request that does.
pub fn requests<'c>(client: &'c XtraClient, document: &Value) -> Vec<(&'static str, Box<dyn Debug + 'c>)> {
    let raw = client.raw();
    let all = Bodies(Sampler::new(document, Plant::Everywhere, true));
    let secret = || SecretInput::from(VALUE);
    macro_rules! with_bodies {
        ($($operation:ident: $body:ident),* $(,)?) => {
            vec![$((
                stringify!($operation),
                Box::new(raw.$operation().body(all.body::<types::$body>(stringify!($body)))) as Box<dyn Debug + 'c>,
            )),*]
        };
    }
    let mut found = with_bodies![
        secrets_upsert: SecretsUpsert,
        secrets_rotate: SecretRotateRequest,
        secret_records_create: SecretRecordCreate,
        secret_records_rotate: SecretRecordsRotate,
        secret_records_update: SecretRecordUpdate,
        webhooks_create: WebhookCreate,
        webhooks_test: WebhookUrlTest,
        auth_login: CliLogin,
        break_glass_record: BreakGlassActivity,
        jit_claim: JitClaim,
        audit_cli_logs_create: CliLogUpload,
        rotation_schedules_create: RotationScheduleCreate,
        notification_rules_create: NotificationRuleCreate,
        notification_rules_update: NotificationRuleUpdate,
        notification_channels_create: NotificationChannelCreate,
        notification_channels_update: NotificationChannelUpdate,
        notification_channels_test: NotificationChannelTest,
    ];
    found.push(("jit_get", Box::new(raw.jit_get().token(secret()))));
    found.push(("secret_shares_view", Box::new(raw.secret_shares_view().token(secret()))));
    found
}

struct Bodies<'d>(Sampler<'d>);

impl Bodies<'_> {
    fn body<T: DeserializeOwned>(&self, schema: &str) -> T {
        let (json, planted) = self.0.sample(schema);
        assert!(planted > 0, "{schema} holds no secret");
        serde_json::from_value(json).unwrap_or_else(|error| panic!("{schema}: {error}"))
    }
}
