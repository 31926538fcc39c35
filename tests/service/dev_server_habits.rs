//! The habits of the service's handlers that one would not expect, kept by the dev server.

use crate::support::{Call, call, ok, read_as, text};
use serde_json::{Value, json};
use xtrasecurity::dev_server::{DevServer, ProjectSeed, RateLimits, Role, ServiceAccountSeed, Tier, UserSeed};

const UNKNOWN: &str = "000000000000000000000000";

async fn start() -> DevServer {
    let project = ProjectSeed::new("web")
        .member("dev", Role::Developer)
        .member("vic", Role::Viewer)
        .branch("next")
        .secret("production", "API_KEY", "one")
        .service_account(ServiceAccountSeed::new("ci", ["read:secrets", "write:secrets"]));
    let mut builder = DevServer::builder().user(UserSeed::new("owner").tier(Tier::Enterprise)).project(project);
    for name in ["dev", "vic", "out"] {
        builder = builder.user(UserSeed::new(name).tier(Tier::Pro));
    }
    builder.rate_limits(RateLimits::off()).start().await.unwrap()
}

async fn status(server: &DevServer, who: &str, request: &str, body: Value) -> u16 {
    call(server, who, request, body).await.status
}

const SECRETS: &str = "/projects/{P}/envs/production/secrets";

async fn jit_link(server: &DevServer, more: Value) -> String {
    let mut body = json!({"projectId": server.project_id(), "duration": 30});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    text(&ok(server, "owner", "POST /jit/generate", body).await["token"])
}

#[tokio::test]
async fn a_link_tells_its_maker_by_name_and_the_request_by_it_says_what_it_is_for() {
    let server = start().await;
    let name = ok(&server, "owner", "GET /user", Value::Null).await["name"].clone();
    for (more, reason) in [
        (json!({"label": "deploy", "environment": "production"}), "JIT Link: deploy [env: production]"),
        (json!({"label": "deploy"}), "JIT Link: deploy"),
    ] {
        let token = jit_link(&server, more).await;
        assert_eq!(ok(&server, "out", &format!("GET /jit/{token}"), Value::Null).await["createdBy"], name);
        let claimed = ok(&server, "out", "POST /jit/claim", json!({"token": token})).await;
        let asked = ok(&server, "out", "GET /access/list", Value::Null).await;
        assert_eq!((&asked[0]["id"], &asked[0]["reason"]), (&claimed["requestId"], &json!(reason)));
        let decision = json!({"requestId": claimed["requestId"], "decision": "rejected"});
        ok(&server, "owner", "POST /access/approve", decision).await;
    }
    server.stop().await;
}

#[tokio::test]
async fn a_link_for_an_unknown_project_is_forbidden_and_an_account_fails_before_its_body_is_read() {
    let server = start().await;
    let unknown = json!({"projectId": UNKNOWN, "duration": 5});
    assert_eq!(status(&server, "owner", "POST /jit/generate", unknown).await, 403);
    assert_eq!(status(&server, "owner", "POST /jit/generate", json!({})).await, 400);
    assert_eq!(status(&server, "ci", "POST /jit/generate", json!({})).await, 500);
    server.stop().await;
}

#[tokio::test]
async fn a_cloned_row_says_where_it_is_from() {
    let server = start().await;
    let body = json!({"fromEnv": "production", "toEnv": "staging"});
    ok(&server, "owner", "POST /projects/{P}/envs/clone", body).await;
    let row = ok(&server, "owner", "GET /projects/{P}/envs/staging/secrets/API_KEY", Value::Null).await;
    assert_eq!(row["description"], "Cloned from production");
    server.stop().await;
}

#[tokio::test]
async fn malformed_ids_meet_what_looks_at_them_first() {
    let server = start().await;
    let compared = ok(&server, "owner", "GET /branch/compare?base=nonsense&compare=other", Value::Null).await;
    assert_eq!(compared, json!({"added": [], "removed": [], "modified": []}));
    let malformed = "GET /projects/nonsense/envs/production/secrets";
    assert_eq!(status(&server, "ci", malformed, Value::Null).await, 403);
    assert_eq!(status(&server, "owner", malformed, Value::Null).await, 500);
    server.stop().await;
}

#[tokio::test]
async fn a_service_account_changes_no_project() {
    let server = start().await;
    let name = json!({"name": "renamed"});
    assert_eq!(status(&server, "ci", "PUT /project?id={P}", name.clone()).await, 403);
    assert_eq!(status(&server, "ci", &format!("PUT /project?id={UNKNOWN}"), name).await, 404);
    assert_eq!(status(&server, "ci", &format!("DELETE /project?id={UNKNOWN}"), Value::Null).await, 404);
    assert_eq!(status(&server, "ci", "DELETE /project?id={P}", Value::Null).await, 500);
    assert_eq!(ok(&server, "owner", "GET /project?id={P}", Value::Null).await["name"], "web");
    server.stop().await;
}

#[tokio::test]
async fn a_decision_looks_for_the_request_before_it_looks_at_the_caller() {
    let server = start().await;
    let decision = |id: &str| json!({"requestId": id, "decision": "approved"});
    for who in ["owner", "ci", "no-token-of-anybody"] {
        assert_eq!(status(&server, who, "POST /access/approve", decision(UNKNOWN)).await, 404, "{who}");
        assert_eq!(status(&server, who, "POST /access/approve", decision("nonsense")).await, 500, "{who}");
    }
    let asked = ok(
        &server,
        "out",
        "POST /access/request",
        json!({"projectId": server.project_id(), "reason": "r", "duration": 5}),
    );
    let id = text(&asked.await["requestId"]);
    for who in ["ci", "no-token-of-anybody"] {
        assert_eq!(status(&server, who, "POST /access/approve", decision(&id)).await, 500, "{who}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_request_that_names_no_workspace_belongs_to_that_of_its_project_or_its_secret() {
    let server = start().await;
    let workspace = text(&ok(&server, "owner", "GET /project?id={P}", Value::Null).await["workspaceId"]);
    let secret = text(&ok(&server, "owner", "GET /secret?projectId={P}", Value::Null).await[0]["id"]);
    for what in [json!({"projectId": server.project_id()}), json!({"secretId": secret})] {
        let mut body = json!({"reason": "r", "duration": 5});
        body.as_object_mut().unwrap().extend(what.as_object().unwrap().clone());
        let id = text(&ok(&server, "out", "POST /access/request", body).await["requestId"]);
        let pending = format!("GET /access/list?mode=pending&workspaceId={workspace}");
        let listed = ok(&server, "owner", &pending, Value::Null).await;
        let is_listed = listed.as_array().unwrap().iter().any(|request| request["id"] == json!(id));
        assert_eq!(is_listed, what.get("projectId").is_some(), "lists go by the project");
        let decided = json!({"requestId": id, "decision": "approved"});
        let answer = ok(&server, "owner", "POST /access/approve", decided).await;
        let names: Vec<&str> = answer.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(names, ["expiresAt", "message", "status", "success"]);
        assert!(answer["expiresAt"].is_string());
    }
    server.stop().await;
}

#[tokio::test]
async fn a_service_account_that_deletes_a_branch_with_its_secrets_makes_the_handler_fail() {
    let server = start().await;
    let branches = ok(&server, "owner", "GET /branch?projectId={P}", Value::Null).await;
    let next = branches.as_array().unwrap().iter().find(|branch| branch["name"] == "next").unwrap();
    let target = format!("DELETE /branch/{}", text(&next["id"]));
    for (who, expected) in [("ci", (500, "Internal Error")), ("vic", (401, "Unauthorized"))] {
        let answer = call(&server, who, &target, Value::Null).await;
        assert_eq!((answer.status, answer.body.as_str()), expected, "{who}");
    }
    assert_eq!(status(&server, "ci", &format!("DELETE /branch/{UNKNOWN}"), Value::Null).await, 404);
    assert_eq!(status(&server, "owner", &target, Value::Null).await, 200);
    server.stop().await;
}

#[tokio::test]
async fn names_of_javascripts_own_are_created_and_then_changed_only_with_their_version() {
    let server = start().await;
    let names = [
        "constructor",
        "toString",
        "valueOf",
        "hasOwnProperty",
        "isPrototypeOf",
        "propertyIsEnumerable",
        "toLocaleString",
        "__defineGetter__",
        "__defineSetter__",
        "__lookupGetter__",
        "__lookupSetter__",
        "__proto__",
    ];
    let post = format!("POST {SECRETS}");
    for name in names {
        let write = |value: &str, versions: Value| json!({"secrets": {name: value}, "expectedVersions": versions});
        assert_eq!(status(&server, "owner", &post, json!({"secrets": {name: "one"}})).await, 200, "{name}");
        for versions in [json!({}), json!({"OTHER": "1"})] {
            let conflict = call(&server, "owner", &post, write("two", versions)).await;
            let conflicts = conflict.json();
            let expected = match name {
                "constructor" => "function Object() { [native code] }".to_owned(),
                "__proto__" => "[object Object]".to_owned(),
                _ => format!("function {name}() {{ [native code] }}"),
            };
            assert_eq!((conflict.status, &conflicts["conflicts"][0]["expected"]), (409, &json!(expected)), "{name}");
            assert_eq!(conflicts["conflicts"][0]["actual"], "1");
        }
        assert_eq!(server.secret("web", "production", "main", name).as_deref(), Some("one"));
        assert_eq!(status(&server, "owner", &post, write("two", json!({name: "1"}))).await, 200, "{name}");
        assert_eq!(server.secret("web", "production", "main", name).as_deref(), Some("two"));
    }
    let innocent = json!({"secrets": {"Constructor": "one", "prototype": "one", "name": "one"}});
    for _ in 0..2 {
        assert_eq!(status(&server, "owner", &post, innocent.clone()).await, 200);
    }
    // What is assigned to `__proto__` is no member, so no read has it.
    for query in ["", "?includeVersions=true"] {
        let read = read_as(&server, server.token(), query).await.json();
        assert!(read.get("constructor").is_some() && read.get("__proto__").is_none(), "{query}");
    }
    server.stop().await;
}

#[tokio::test]
async fn notifications_are_their_owners_alone() {
    let server = start().await;
    let workspace = text(&ok(&server, "owner", "GET /project?id={P}", Value::Null).await["workspaceId"]);
    let body = json!({"name": "second", "description": "d", "workspaceId": workspace});
    ok(&server, "owner", "POST /project", body).await;
    let listed = ok(&server, "owner", "GET /notifications", Value::Null).await;
    let first = &listed["notifications"][0];
    assert_eq!((&first["taskTitle"], &first["read"]), (&json!("Project Created"), &json!(false)));
    let (id, post) = (text(&first["id"]), "PATCH /notifications");
    assert_eq!(ok(&server, "vic", "GET /notifications", Value::Null).await, json!({"notifications": []}));
    assert_eq!(status(&server, "vic", post, json!({"id": id, "read": true})).await, 403);
    assert_eq!(status(&server, "owner", post, json!({"read": true})).await, 400);
    assert_eq!(status(&server, "owner", post, json!({"id": UNKNOWN})).await, 404);
    let marked = ok(&server, "owner", post, json!({"id": id, "read": 1})).await;
    assert_eq!(marked["notification"]["read"], true);
    ok(&server, "owner", &format!("DELETE /notifications?id={id}"), Value::Null).await;
    assert_eq!(ok(&server, "owner", "GET /notifications", Value::Null).await, json!({"notifications": []}));
    assert_eq!(status(&server, "nobody", "GET /notifications", Value::Null).await, 401);
    server.stop().await;
}

#[tokio::test]
async fn rules_and_channels_are_kept_as_they_are_sent_for_admins_of_the_workspace() {
    let server = start().await;
    let workspace = text(&ok(&server, "owner", "GET /project?id={P}", Value::Null).await["workspaceId"]);
    let rule = json!({"name": "r", "triggers": ["secret_change"], "workspaceId": workspace});
    let channel = json!({"name": "c", "type": "slack", "workspaceId": workspace});
    for (path, one, many, body) in
        [("/notification-rules", "rule", "rules", rule), ("/notification-channels", "channel", "channels", channel)]
    {
        let list = format!("GET {path}?workspaceId={workspace}");
        assert_eq!(status(&server, "owner", &format!("GET {path}"), Value::Null).await, 400);
        assert_eq!(status(&server, "out", &list, Value::Null).await, 403);
        assert_eq!(ok(&server, "owner", &list, Value::Null).await, json!({many: []}));
        assert_eq!(status(&server, "vic", &format!("POST {path}"), body.clone()).await, 403);
        let incomplete = json!({"workspaceId": workspace});
        assert_eq!(status(&server, "owner", &format!("POST {path}"), incomplete).await, 400);
        let made = call(&server, "owner", &format!("POST {path}"), body).await;
        assert_eq!(made.status, 201);
        assert!(made.json()[one].get("id").is_none() && made.json()[one]["createdAt"].is_string(), "{}", made.body);
        let listed = ok(&server, "owner", &list, Value::Null).await;
        let id = text(&listed[many][0]["id"]);
        assert_eq!(listed[many][0]["_id"]["$oid"], json!(id));
        let patch = format!("PATCH {path}");
        ok(&server, "owner", &patch, json!({"id": id, "enabled": false, "anything": 1})).await;
        let changed = ok(&server, "owner", &list, Value::Null).await;
        assert_eq!((&changed[many][0]["enabled"], &changed[many][0]["anything"]), (&json!(false), &json!(1)));
        assert_eq!(status(&server, "owner", &patch, json!({"id": UNKNOWN})).await, 404);
        assert_eq!(status(&server, "owner", &patch, json!({"id": "nonsense"})).await, 500);
        assert_eq!(status(&server, "vic", &format!("DELETE {path}?id={id}"), Value::Null).await, 403);
        ok(&server, "owner", &format!("DELETE {path}?id={id}"), Value::Null).await;
        assert_eq!(ok(&server, "owner", &list, Value::Null).await, json!({many: []}));
    }
    let test = "POST /notification-channels/test";
    assert_eq!(status(&server, "owner", test, json!({})).await, 400);
    assert_eq!(status(&server, "owner", test, json!({"webhookUrl": "https://x.test", "type": "pigeon"})).await, 400);
    assert_eq!(status(&server, "owner", test, json!({"webhookUrl": "https://x.test"})).await, 501, "nothing is sent");
    server.stop().await;
}

#[tokio::test]
async fn usage_counts_what_the_callers_workspaces_hold() {
    let server = start().await;
    let usage = ok(&server, "owner", "GET /subscription/usage", Value::Null).await;
    assert_eq!(usage["projects"], json!({"used": 1, "limit": 1_000_000}));
    assert_eq!(usage["secrets"], json!({"used": 1, "limit": 10_000}));
    assert_eq!(ok(&server, "out", "GET /subscription/usage", Value::Null).await["secrets"]["limit"], 50);
    assert_eq!(status(&server, "ci", "GET /subscription/usage", Value::Null).await, 500);
    server.stop().await;
}

#[tokio::test]
async fn the_description_of_the_api_is_public() {
    let server = start().await;
    let docs = Call::get("/api/docs").send(server.port()).await.unwrap();
    assert_eq!((docs.status, docs.header("access-control-allow-origin")), (200, Some("*")));
    assert!(docs.json()["openapi"].is_string());
    server.stop().await;
}

/// The rows of `API_KEY`, as they are stored.
async fn row(server: &DevServer) -> Value {
    ok(server, "owner", &format!("GET {SECRETS}/API_KEY"), Value::Null).await
}

#[tokio::test]
async fn a_rewrite_changes_values_and_histories_under_the_same_version() {
    let server = start().await;
    server.set_secret("web", "production", "main", "API_KEY", "two").unwrap();
    let before = row(&server).await;
    let history = json!([{"version": "2", "value": ["rewritten"], "note": "kept"}]);
    let update = json!({"id": before["id"], "value": ["rewritten"], "history": history});
    let body = json!({"projectId": server.project_id(), "updates": [update]});
    assert_eq!(ok(&server, "owner", "POST /secret/rotate", body).await, json!({"success": true, "count": 1}));
    let after = row(&server).await;
    assert_eq!((&after["version"], &after["value"]), (&before["version"], &json!(["rewritten"])));
    assert_eq!(after["history"], history);
    assert_eq!(read_as(&server, server.token(), "").await.json()["API_KEY"], "rewritten");
    server.stop().await;
}

#[tokio::test]
async fn a_rewrite_is_for_owners_and_admins_and_changes_all_rows_or_none() {
    let server = start().await;
    let id = text(&row(&server).await["id"]);
    let rotate = "POST /secret/rotate";
    let body = |updates: Value| json!({"projectId": server.project_id(), "updates": updates});
    assert_eq!(status(&server, "owner", rotate, json!({"updates": []})).await, 400);
    assert_eq!(status(&server, "owner", rotate, body(json!({}))).await, 400);
    for who in ["ci", "dev", "vic", "out"] {
        assert_eq!(status(&server, who, rotate, body(json!([]))).await, 403, "{who}");
    }
    assert_eq!(status(&server, "nobody", rotate, body(json!([]))).await, 401);
    let half = json!([{"id": id, "value": ["x"]}, {"id": UNKNOWN, "value": ["x"]}]);
    let failed = call(&server, "owner", rotate, body(half)).await;
    assert_eq!((failed.status, &failed.json()["error"]), (500, &json!("Failed to rotate secrets")));
    assert_eq!(read_as(&server, server.token(), "").await.json()["API_KEY"], "one");
    server.stop().await;
}
