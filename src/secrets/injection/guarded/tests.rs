use std::collections::BTreeMap;

use super::*;

#[track_caller]
fn assert_guarded(names: &str) {
    let free: Vec<_> = names.split_whitespace().filter(|name| reason(name, Case::Sensitive).is_none()).collect();
    assert!(free.is_empty(), "not guarded: {free:?}");
}

#[test]
fn what_loads_or_runs_code_is_guarded() {
    assert_guarded(
        "LD_PRELOAD LD_AUDIT LD_LIBRARY_PATH DYLD_INSERT_LIBRARIES PATH NODE_OPTIONS PYTHONPATH PYTHONSTARTUP RUBYOPT PERL5OPT \
         JAVA_TOOL_OPTIONS _JAVA_OPTIONS BASH_ENV BASH_FUNC_ls%% SHELLOPTS PS4 IFS PROMPT_COMMAND GIT_SSH_COMMAND \
         GIT_CONFIG_COUNT GIT_CONFIG_KEY_0 GIT_EXEC_PATH SSH_ASKPASS EDITOR GCONV_PATH DOTNET_STARTUP_HOOKS CORECLR_PROFILER",
    );
    assert_guarded(
        "GNUMAKEFLAGS MAKEFLAGS MFLAGS MAKEFILES TAR_OPTIONS XZ_OPT GREP_OPTIONS CARGO_BUILD_RUSTC_WRAPPER CARGO_BUILD_RUSTFLAGS \
         CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER CARGO_TARGET_AARCH64_APPLE_DARWIN_LINKER CARGO_TARGET_DIR CARGO_ALIAS_B \
         CARGO_REGISTRIES_MINE_CREDENTIAL_PROVIDER RUSTC_WORKSPACE_WRAPPER RUSTC_BOOTSTRAP RUSTDOCFLAGS RUSTUP_TOOLCHAIN \
         VIMINIT EXINIT GVIMINIT EMACSLOADPATH SVN_SSH SVN_EDITOR RSYNC_RSH RSYNC_CONNECT_PROG CVS_RSH HGRCPATH PSQLRC \
         PSQL_EDITOR PSQL_PAGER PGSYSCONFDIR MYSQL_HOME GTK_MODULES GTK_PATH GTK3_MODULES GIO_EXTRA_MODULES GIO_MODULE_DIR \
         GST_PLUGIN_PATH GST_PLUGIN_PATH_1_0 GST_PLUGIN_SYSTEM_PATH QT_PLUGIN_PATH QT_QPA_PLATFORM_PLUGIN_PATH QML2_IMPORT_PATH \
         QML_IMPORT_PATH MAVEN_OPTS MAVEN_ARGS GRADLE_OPTS JAVA_OPTS ANT_OPTS SBT_OPTS JDK_JAVAC_OPTIONS KUBECONFIG KUBE_EDITOR \
         ANSIBLE_CONFIG ANSIBLE_LIBRARY ANSIBLE_CALLBACK_PLUGINS ANSIBLE_VAULT_PASSWORD_FILE ANSIBLE_SSH_ARGS DOCKER_CONFIG \
         DOCKER_HOST AWS_CONFIG_FILE AWS_PAGER PIP_CONFIG_FILE PIP_INDEX_URL UV_INDEX_URL TF_CLI_ARGS TF_CLI_ARGS_plan \
         TF_CLI_CONFIG_FILE HELM_PLUGINS BUNDLE_GEMFILE BUNDLE_PATH CMAKE_TOOLCHAIN_FILE CC CXX CFLAGS LDFLAGS CONFIG_SITE \
         ELECTRON_RUN_AS_NODE DENO_DIR BUN_OPTIONS TCLLIBPATH GUILE_LOAD_PATH LESS LESSOPEN MANOPT GNUPGHOME SUDO_ASKPASS \
         XDG_DATA_DIRS XDG_RUNTIME_DIR SYSTEMD_PAGER DBUS_SESSION_BUS_ADDRESS GOFLAGS GOENV GOPROXY CGO_CFLAGS ERL_OTP26_FLAGS \
         PYTEST_ADDOPTS OMP_TOOL_LIBRARIES VK_LAYER_PATH HOSTALIASES CURL_HOME WGETRC ODBCINI COMPlus_GCName",
    );
}

#[test]
fn what_redirects_trust_is_guarded() {
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "FTP_PROXY"] {
        assert_guarded(name);
        assert_guarded(&name.to_ascii_lowercase());
    }
    assert_guarded(
        "SSL_CERT_FILE SSL_CERT_DIR SSLKEYLOGFILE NODE_TLS_REJECT_UNAUTHORIZED NODE_EXTRA_CA_CERTS CURL_CA_BUNDLE \
         REQUESTS_CA_BUNDLE AWS_CA_BUNDLE GIT_SSL_NO_VERIFY GIT_SSL_CAINFO PIP_CERT CARGO_HTTP_CAINFO CARGO_HTTP_PROXY \
         PYTHONHTTPSVERIFY DENO_CERT VAULT_SKIP_VERIFY",
    );
}

#[test]
fn whatever_steers_this_client_is_guarded() {
    assert_guarded(
        "XTRA_TOKEN XTRA_MACHINE_TOKEN XTRA_API_URL XTRA_PROJECT_ID XTRA_LOCAL_MODE XTRA_VAULT_PASSPHRASE XTRA_MASTER_SECRET \
         XTRA_PROFILE XTRA_WHATEVER_COMES",
    );
}

#[test]
fn ordinary_names_of_secrets_are_free() {
    let names = "DATABASE_URL REDIS_URL API_KEY SECRET_KEY SECRET_KEY_BASE JWT_SECRET SESSION_SECRET NODE_ENV NODE_AUTH_TOKEN \
        PYTHONUNBUFFERED PORT HOST LOG_LEVEL DEBUG TZ LANG USER RDS_PROXY DB_PROXY HTTP_PROXY_USER HTTPS_PROXY_PASSWORD PROXY \
        PROXY_URL MY_HTTP_PROXY SOCKS_PROXY SSL_CERT_PEM SSL_CERT SSL_KEY SSL_CERT_FILE_PEM TLS_CERT GITHUB_TOKEN GH_TOKEN \
        GITLAB_TOKEN GIT_TOKEN GIT_PASSWORD GIT_USERNAME GIT_SSH_KEY GIT_SSH_PRIVATE_KEY GIT_COMMIT GIT_BRANCH \
        GIT_AUTHOR_NAME SSH_PRIVATE_KEY SSH_KEY GPG_PRIVATE_KEY GPG_PASSPHRASE PGPASSWORD PGHOST PGUSER PGDATABASE PGPORT \
        PGSSLMODE PGPASSFILE PSQL_URL MYSQL_PWD MYSQL_PASSWORD MYSQL_ROOT_PASSWORD AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY \
        AWS_SESSION_TOKEN AWS_REGION AWS_DEFAULT_REGION AWS_PROFILE AZURE_CLIENT_SECRET AZURE_TENANT_ID \
        GOOGLE_APPLICATION_CREDENTIALS GCP_KEY CLOUDSDK_CORE_PROJECT NPM_TOKEN YARN_NPM_AUTH_TOKEN YARN_NPM_AUTH_IDENT \
        UV_PUBLISH_TOKEN UV_INDEX_MINE_PASSWORD POETRY_PYPI_TOKEN_PYPI POETRY_HTTP_BASIC_MINE_PASSWORD TWINE_PASSWORD \
        PYPI_TOKEN CARGO_REGISTRY_TOKEN CARGO_REGISTRIES_MINE_TOKEN NUGET_API_KEY COMPOSER_AUTH GEM_HOST_API_KEY \
        BUNDLE_GEMS__CONTRIBSYS__COM BUNDLE_RUBYGEMS__PKG__GITHUB__COM ORG_GRADLE_PROJECT_signingKey MAVEN_PASSWORD \
        MAVEN_USERNAME GRADLE_PUBLISH_KEY SONATYPE_PASSWORD DOCKER_PASSWORD DOCKER_USERNAME DOCKERHUB_TOKEN DOCKER_AUTH_CONFIG \
        KUBE_TOKEN KUBE_CONFIG_DATA HELM_KUBETOKEN HELM_REGISTRY_PASSWORD PIP_API_KEY ANSIBLE_SSH_KEY ANSIBLE_VAULT_PASSWORD ANSIBLE_BECOME_PASSWORD \
        ANSIBLE_GALAXY_SERVER_MINE_TOKEN TF_VAR_db_password TF_TOKEN_app_terraform_io TF_LOG TFE_TOKEN PULUMI_ACCESS_TOKEN \
        VAULT_TOKEN VAULT_ADDR CONSUL_HTTP_TOKEN HEX_API_KEY DENO_DEPLOY_TOKEN DENO_AUTH_TOKENS RSYNC_PASSWORD P4PASSWD \
        HOMEBREW_GITHUB_API_TOKEN BAZELISK_GITHUB_TOKEN COREPACK_NPM_TOKEN RUST_LOG RUST_BACKTRACE ERL_COOKIE \
        JUPYTER_TOKEN LESSONS_API_KEY EDITOR_API_KEY MAKE_WEBHOOK MAKER_KEY PAGERDUTY_TOKEN BROWSERSTACK_KEY QTUM_KEY \
        RAILS_MASTER_KEY DJANGO_SETTINGS_MODULE SPRING_DATASOURCE_PASSWORD ASPNETCORE_ENVIRONMENT DOTNET_ENVIRONMENT \
        LD LDAP_URL LDAP_PASSWORD PATH_PREFIX MY_PATH ENV ENVIRONMENT XTRA XTRACT_KEY MYXTRA_TOKEN VITE_API_URL NEXT_PUBLIC_URL \
        GODADDY_KEY GOOGLE_API_KEY CCAVENUE_KEY CXX_KEY SASLPASSWORD SASL_PASSWORD SASL_USERNAME KRB5_PASSWORD é";
    let guarded: Vec<_> =
        names.split_whitespace().chain([""]).filter(|n| reason(n, Case::Sensitive).is_some()).collect();
    assert!(guarded.is_empty(), "guarded: {guarded:?}");
}

#[test]
fn case_counts_except_where_the_platform_or_the_tool_ignores_it() {
    assert_eq!(reason("Path", Case::Sensitive), None);
    assert!(reason("Path", Case::Insensitive).is_some());
    assert_eq!(reason("ld_preload", Case::Sensitive), None);
    assert!(reason("ld_preload", Case::Insensitive).is_some());
    assert!(reason("SYSTEMROOT", Case::Insensitive).is_some());
    assert!(reason("xtra_token", Case::Insensitive).is_some());
    for name in
        ["npm_config_node_options", "NPM_CONFIG_NODE_OPTIONS", "Npm_Config_script_shell", "pnpm_config_registry"]
    {
        assert_guarded(name);
    }
}

#[test]
fn a_star_stands_for_any_text_and_never_for_less_than_both_ends() {
    assert!(covers("A*B", "AB", Case::Sensitive) && covers("A*B", "AxB", Case::Sensitive));
    assert!(!covers("AB*BC", "ABC", Case::Sensitive));
    assert!(!covers("é*", "x", Case::Sensitive) && !covers("a*", "é", Case::Sensitive));
    assert!(covers("*", "", Case::Sensitive));
}

/// The documentation of `Selection::allow_name`.
fn documentation() -> String {
    let mut text = String::from("| tool | variables | from |\n|---|---|---|\n");
    let code = |names: &str| names.split_whitespace().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    for Family { tool, source, names, free, any_case, .. } in families() {
        let case = if *any_case { " in any case" } else { "" };
        let but = if free.is_empty() { String::new() } else { format!("; but not {}", code(free)) };
        text += &format!("| {tool} | {}{case}{but} | {source} |\n", code(names).replace("|", "\\|"));
    }
    text
}

#[test]
fn the_documentation_is_the_table() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/secrets/injection/guarded.md");
    if std::env::var_os("UPDATE_GUARDED_TABLE").is_some() {
        std::fs::write(path, documentation()).unwrap();
    }
    let written = std::fs::read_to_string(path).unwrap();
    assert!(documentation() == written, "UPDATE_GUARDED_TABLE=1 writes guarded.md anew");
}

#[test]
fn every_entry_is_written_once_and_every_family_names_its_source() {
    let mut seen = BTreeMap::new();
    for family in families() {
        assert!(!family.source.is_empty() && !family.tool.is_empty() && !family.names.is_empty(), "{}", family.tool);
        for name in family.names.split_whitespace() {
            assert!(name.matches('*').count() <= 1, "{name}");
            assert_eq!(seen.insert(name, family.tool), None, "{name} is written twice");
        }
    }
    for (name, tool) in &seen {
        let covering = index().open.iter().find(|(open, family)| {
            open != name
                && covers(open, name, family.case(Case::Sensitive))
                && !family.leaves_free(name, Case::Sensitive)
        });
        assert!(covering.is_none(), "{name} of {tool} is covered by {:?}", covering.map(|(open, _)| open));
    }
}
