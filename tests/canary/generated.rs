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

pub fn shown<T: DeserializeOwned + Serialize + Debug>(
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
    // objects that are sent have a builder, which holds what they hold
    macro_rules! objects {
        ($($name:ident),* $(,)?) => {
            $(all.insert(stringify!($name), |json| shown::<types::$name>(json, |value| {
                let builder = types::builder::$name::from(value);
                vec![format!("{builder:?}"), format!("{builder:#?}")]
            }));)*
        };
    }
    // lists, maps and what only comes in answers have none
    macro_rules! bare {
        ($($name:ident),* $(,)?) => {
            $(all.insert(stringify!($name), |json| shown::<types::$name>(json, |_| Vec::new()));)*
        };
    }
    bare![
        AccessDecided,
        AccessRequest,
        AccessRequestDetails,
        AccessRequestList,
        AccessRequestStatus,
        AccessRequestSubmitted,
        AccessReview,
        AccessReviewDecided,
        AccessReviewItem,
        AccessReviewList,
        AccessReviewRole,
        ApiError,
        ApiKey,
        ApiKeyCreated,
        ApiKeyList,
        AuditDashboard,
        AuditDashboardStats,
        AuditEntry,
        AuditPage,
        AuditStats,
        AuditTrendPoint,
        AuditVerification,
        Branch,
        BranchComparison,
        BranchDetached,
        BranchDetails,
        BranchList,
        BreakGlassSession,
        BreakGlassStarted,
        CliLogUploaded,
        CloneSummary,
        ComparedSecret,
        Conflict,
        CriticalFix,
        EnvironmentCloned,
        EnvironmentDrift,
        ExpiringSecret,
        ExpiringSecrets,
        ExpirySummary,
        Health,
        IpRestriction,
        JitClaimed,
        JitLink,
        JitLinkCreated,
        KubernetesMetadata,
        KubernetesSecret,
        LoginToken,
        LoginUser,
        Notification,
        NotificationChanged,
        NotificationChannel,
        NotificationChannelCreated,
        NotificationChannelList,
        NotificationList,
        NotificationRule,
        NotificationRuleCreated,
        NotificationRuleList,
        Outcome,
        Project,
        ProjectDetails,
        ProjectIpChanged,
        ProjectIpList,
        ProjectList,
        ProjectName,
        Quota,
        ResolvedProject,
        ResolvedServiceAccount,
        RotationEvent,
        RotationEventList,
        RotationRan,
        RotationSchedule,
        RotationScheduleList,
        RotationScheduleRecord,
        SecretDifference,
        SecretHistory,
        SecretHistoryEntry,
        SecretMap,
        SecretMeta,
        SecretName,
        SecretRecord,
        SecretRecordDetails,
        SecretRecordList,
        SecretRecordRolledBack,
        SecretRecordsRotated,
        SecretRolledBack,
        SecretRotated,
        SecretShareCreated,
        SecretVersion,
        SecretsHealth,
        SecretsUpserted,
        ServiceAccount,
        ServiceAccountCounts,
        ServiceAccountIdentity,
        ServiceAccountKey,
        ServiceAccountKeyCreated,
        ServiceAccountKeyList,
        ServiceAccountList,
        SharedSecret,
        StoredHistoryEntry,
        Team,
        TeamDetails,
        TeamInviteAnswered,
        TeamInviteList,
        TeamInvited,
        TeamList,
        TeamLookup,
        TeamLookupInner,
        TeamMember,
        TeamProject,
        TeamProjectList,
        TeamRoleUpdated,
        Usage,
        User,
        UserIpAllowlist,
        UserSession,
        UserSettings,
        UserSettingsChanged,
        UserSummary,
        Webhook,
        WebhookDelivery,
        WebhookList,
        WebhookUrlTested,
        Workspace,
        WorkspaceDetails,
        WorkspaceList,
    ];
    objects![
        AccessDecision,
        AccessRequestCreate,
        AccessRequestSubmit,
        AccessRequestUpdate,
        AccessReviewDecision,
        AccessReviewStart,
        ApiKeyCreate,
        BranchCreate,
        BranchUpdate,
        BreakGlassActivity,
        BreakGlassEnd,
        BreakGlassStart,
        CliLogEntry,
        CliLogUpload,
        CliLogin,
        EnvironmentCloneRequest,
        JitClaim,
        JitGenerate,
        NotificationChannelCreate,
        NotificationChannelTest,
        NotificationChannelUpdate,
        NotificationRuleCreate,
        NotificationRuleUpdate,
        NotificationUpdate,
        ProjectCreate,
        ProjectIpAdd,
        ProjectIpRemove,
        ProjectTeamAdd,
        ProjectUpdate,
        RotationRun,
        RotationScheduleCreate,
        RotationScheduleUpdate,
        SecretLinkRequest,
        SecretRecordCreate,
        SecretRecordRollbackRequest,
        SecretRecordRotation,
        SecretRecordUpdate,
        SecretRecordsRotate,
        SecretRollbackRequest,
        SecretRotateRequest,
        SecretShareCreate,
        SecretsUpsert,
        ServiceAccountCreate,
        ServiceAccountKeyCreate,
        ServiceAccountUpdate,
        TeamCreate,
        TeamDelete,
        TeamInvite,
        TeamInviteAnswer,
        TeamInvitee,
        TeamMemberRemove,
        TeamRoleUpdate,
        TeamUpdate,
        UserIpAdd,
        UserIpRemove,
        UserSettingsData,
        UserSettingsUpdate,
        WebhookCreate,
        WebhookUpdate,
        WebhookUrlTest,
        WorkspaceCreate,
        WorkspaceUpdate,
    ];
    all
}
