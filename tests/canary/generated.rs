//! Every generated type, made from a sample of its schema.

use std::collections::BTreeMap;
use std::fmt::Debug;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use xtrasecurity::xtra::raw::types;

/// What a value shows of itself.
pub struct Shown {
    pub debug: Vec<String>,
    pub written: String,
}

pub type Show = fn(Value) -> Result<Shown, String>;

fn shown<T: DeserializeOwned + Serialize + Debug>(
    json: Value,
    more: impl FnOnce(T) -> Vec<String>,
) -> Result<Shown, String> {
    let value: T = serde_json::from_value(json).map_err(|error| error.to_string())?;
    let written = serde_json::to_string(&value).map_err(|error| error.to_string())?;
    let mut debug = vec![format!("{value:?}"), format!("{value:#?}")];
    debug.extend(more(value));
    Ok(Shown { debug, written })
}

/// Every generated type by name. A name that is missing here fails the test; one too many does not compile.
pub fn types() -> BTreeMap<&'static str, Show> {
    let mut all: BTreeMap<&'static str, Show> = BTreeMap::new();
    // objects have a builder, which holds what they hold
    macro_rules! objects {
        ($($name:ident),* $(,)?) => {
            $(all.insert(stringify!($name), |json| shown::<types::$name>(json, |value| {
                let builder = types::builder::$name::from(value);
                vec![format!("{builder:?}"), format!("{builder:#?}")]
            }));)*
        };
    }
    // lists and maps have none
    macro_rules! bare {
        ($($name:ident),* $(,)?) => {
            $(all.insert(stringify!($name), |json| shown::<types::$name>(json, |_| Vec::new()));)*
        };
    }
    bare![
        AccessRequestList,
        AccessReviewList,
        ApiKeyList,
        BranchList,
        ProjectList,
        RotationEventList,
        RotationScheduleList,
        SecretMap,
        SecretRecordList,
        ServiceAccountKeyList,
        ServiceAccountList,
        TeamList,
        TeamLookup,
        TeamProjectList,
        WebhookList,
        WorkspaceList,
    ];
    objects![
        AccessDecided,
        AccessDecision,
        AccessRequest,
        AccessRequestCreate,
        AccessRequestDetails,
        AccessRequestStatus,
        AccessRequestSubmit,
        AccessRequestSubmitted,
        AccessRequestUpdate,
        AccessReview,
        AccessReviewDecided,
        AccessReviewDecision,
        AccessReviewItem,
        AccessReviewRole,
        AccessReviewStart,
        ApiError,
        ApiKey,
        ApiKeyCreate,
        ApiKeyCreated,
        AuditDashboard,
        AuditDashboardStats,
        AuditEntry,
        AuditPage,
        AuditStats,
        AuditTrendPoint,
        AuditVerification,
        Branch,
        BranchComparison,
        BranchCreate,
        BranchDetached,
        BranchDetails,
        BranchUpdate,
        BreakGlassActivity,
        BreakGlassEnd,
        BreakGlassSession,
        BreakGlassStart,
        BreakGlassStarted,
        CliLogEntry,
        CliLogUpload,
        CliLogUploaded,
        CliLogin,
        CloneSummary,
        ComparedSecret,
        Conflict,
        CriticalFix,
        EnvironmentCloneRequest,
        EnvironmentCloned,
        EnvironmentDrift,
        ExpiringSecret,
        ExpiringSecrets,
        ExpirySummary,
        Health,
        IpRestriction,
        JitClaim,
        JitClaimed,
        JitGenerate,
        JitLink,
        JitLinkCreated,
        KubernetesMetadata,
        KubernetesSecret,
        LoginToken,
        LoginUser,
        Notification,
        NotificationChanged,
        NotificationChannel,
        NotificationChannelCreate,
        NotificationChannelCreated,
        NotificationChannelList,
        NotificationChannelTest,
        NotificationChannelUpdate,
        NotificationList,
        NotificationRule,
        NotificationRuleCreate,
        NotificationRuleCreated,
        NotificationRuleList,
        NotificationRuleUpdate,
        NotificationUpdate,
        Outcome,
        Project,
        ProjectCreate,
        ProjectDetails,
        ProjectIpAdd,
        ProjectIpChanged,
        ProjectIpList,
        ProjectIpRemove,
        ProjectName,
        ProjectTeamAdd,
        ProjectUpdate,
        Quota,
        ResolvedProject,
        ResolvedServiceAccount,
        RotationEvent,
        RotationRan,
        RotationRun,
        RotationSchedule,
        RotationScheduleCreate,
        RotationScheduleRecord,
        RotationScheduleUpdate,
        SecretDifference,
        SecretHistory,
        SecretHistoryEntry,
        SecretLinkRequest,
        SecretMeta,
        SecretName,
        SecretRecord,
        SecretRecordCreate,
        SecretRecordDetails,
        SecretRecordRollbackRequest,
        SecretRecordRolledBack,
        SecretRecordRotation,
        SecretRecordUpdate,
        SecretRecordsRotate,
        SecretRecordsRotated,
        SecretRollbackRequest,
        SecretRolledBack,
        SecretRotateRequest,
        SecretRotated,
        SecretShareCreate,
        SecretShareCreated,
        SecretVersion,
        SecretsHealth,
        SecretsUpsert,
        SecretsUpserted,
        ServiceAccount,
        ServiceAccountCounts,
        ServiceAccountCreate,
        ServiceAccountIdentity,
        ServiceAccountKey,
        ServiceAccountKeyCreate,
        ServiceAccountKeyCreated,
        ServiceAccountUpdate,
        SharedSecret,
        StoredHistoryEntry,
        Team,
        TeamCreate,
        TeamDelete,
        TeamDetails,
        TeamInvite,
        TeamInviteAnswer,
        TeamInviteAnswered,
        TeamInviteList,
        TeamInvited,
        TeamInvitee,
        TeamLookupInner,
        TeamMember,
        TeamMemberRemove,
        TeamProject,
        TeamRoleUpdate,
        TeamRoleUpdated,
        TeamUpdate,
        Usage,
        User,
        UserIpAdd,
        UserIpAllowlist,
        UserIpRemove,
        UserSession,
        UserSettings,
        UserSettingsChanged,
        UserSettingsData,
        UserSettingsUpdate,
        UserSummary,
        Webhook,
        WebhookCreate,
        WebhookDelivery,
        WebhookUpdate,
        WebhookUrlTest,
        WebhookUrlTested,
        Workspace,
        WorkspaceCreate,
        WorkspaceDetails,
        WorkspaceUpdate,
    ];
    all
}
