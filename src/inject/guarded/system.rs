//! The operating system: loader, C library, shells, directories of settings, proxies and certificates.

use super::{Family, LOADER, MODULES, OPTIONS, PLUGINS, PROGRAM, SEARCH, SETTINGS, SHELL, TRUST};

/// `ENV` is left out: only interactive shells read it, and many programs call a variable of their own so. `TMPDIR`, `TZ` and
/// the locales are left out too: they are ordinary settings.
pub(super) const FAMILIES: &[Family] = &[
    // LaunchDarkly calls its keys LD_…; no loader has a variable that ends so.
    Family::new(
        "Dynamic loaders",
        LOADER,
        "ld.so(8), dyld(1), ld.so.1 of Solaris, sudo(8) for the loaders of AIX, HP-UX and IRIX",
        "LD_* DYLD_* LDR_LIBRARY_PATH LDR_PRELOAD LDR_PRELOAD64 LIBPATH SHLIB_PATH _RLD*_LIST _RLD_ROOT",
    )
    .except("LD_*_ID LD_*_KEY LD_*_SECRET LD_*_TOKEN"),
    Family::new(
        "The C library",
        "it steers the C library, its loader or its look-up of names",
        "ld.so(8) “Secure-execution mode”, resolver(5), gconv and catopen(3) of glibc",
        "GCONV_PATH GETCONF_DIR GLIBC_TUNABLES HOSTALIASES LOCALDOMAIN LOCPATH MALLOC_TRACE NIS_PATH NLSPATH \
         RESOLV_ADD_TRIM_DOMAINS RESOLV_HOST_CONF RESOLV_MULTI RESOLV_OVERRIDE_TRIM_DOMAINS RESOLV_REORDER RES_OPTIONS TZDIR",
    ),
    Family::new(
        "OpenSSL",
        LOADER,
        "openssl-env(7)",
        "OPENSSL_CONF OPENSSL_CONF_INCLUDE OPENSSL_ENGINES OPENSSL_MODULES OPENSSL_TRACE",
    ),
    Family::new(
        "Finding programs",
        SEARCH,
        "environ(7), execvp(3), CreateProcess and cmd.exe of Windows",
        "PATH PATHEXT COMSPEC SystemRoot SystemDrive windir SHELL",
    ),
    Family::new(
        "Directories of settings",
        SETTINGS,
        "XDG Base Directory Specification, environ(7), known folders of Windows",
        "HOME USERPROFILE HOMEDRIVE HOMEPATH APPDATA LOCALAPPDATA ALLUSERSPROFILE ProgramData ProgramFiles ProgramW6432 \
         XDG_CACHE_HOME XDG_CONFIG_DIRS XDG_CONFIG_HOME XDG_DATA_DIRS XDG_DATA_HOME XDG_RUNTIME_DIR XDG_STATE_HOME",
    ),
    Family::new(
        "Bash and POSIX shells",
        SHELL,
        "bash(1) “Shell Variables”, sh(1p)",
        "BASH_ENV BASH_FUNC_* BASH_LOADABLES_PATH BASHOPTS CDPATH FCEDIT FPATH GLOBIGNORE IFS INPUTRC MAILPATH PROMPT_COMMAND \
         PS0 PS1 PS2 PS4 SHELLOPTS",
    ),
    Family::new("Zsh", SHELL, "zshparam(1)", "NULLCMD PROMPT2 PROMPT3 PROMPT4 READNULLCMD RPROMPT RPS1 ZDOTDIR"),
    Family::new(
        "fish",
        SHELL,
        "fish “Special variables” and “Autoloading functions”",
        "fish_complete_path fish_function_path fish_user_paths",
    ),
    Family::new(
        "PowerShell",
        MODULES,
        "about_PSModulePath, about_Environment_Variables",
        "PSModulePath __PSLockdownPolicy",
    ),
    Family::new(
        "Pagers and manuals",
        PROGRAM,
        "less(1), man(1), groff(1), info(1)",
        "PAGER MANPAGER MANOPT MANPATH MANROFFOPT MANROFFSEQ LESS LESSCLOSE LESSEDIT LESSHISTFILE LESSKEY LESSKEY_CONTENT \
         LESSKEY_SYSTEM LESSKEYIN LESSKEYIN_SYSTEM LESSOPEN GROFF_BIN_PATH GROFF_COMMAND_PREFIX",
    ),
    Family::new(
        "Editors and browsers that tools start",
        PROGRAM,
        "environ(7), sensible-editor(1), sudo(8), xdg-open(1)",
        "EDITOR VISUAL BROWSER SUDO_EDITOR",
    ),
    Family::new(
        "OpenSSH and sudo",
        PROGRAM,
        "ssh(1), ssh-add(1), ssh-keygen(1), sudo(8)",
        "SSH_ASKPASS SSH_ASKPASS_REQUIRE SSH_AUTH_SOCK SSH_PKCS11_HELPER SSH_SK_HELPER SSH_SK_PROVIDER SUDO_ASKPASS",
    ),
    Family::new(
        "GnuPG and pass",
        SETTINGS,
        "gpg(1), pass(1)",
        "GNUPGHOME PASSWORD_STORE_DIR PASSWORD_STORE_ENABLE_EXTENSIONS PASSWORD_STORE_EXTENSIONS_DIR PASSWORD_STORE_GPG_OPTS",
    ),
    Family::new(
        "D-Bus and systemd",
        PROGRAM,
        "dbus-daemon(1), D-Bus Specification “unixexec”, systemctl(1), systemd.environment(7)",
        "DBUS_SESSION_BUS_ADDRESS DBUS_STARTER_ADDRESS DBUS_SYSTEM_BUS_ADDRESS SYSTEMD_EDITOR SYSTEMD_ENVIRONMENT_GENERATOR_PATH \
         SYSTEMD_GENERATOR_PATH SYSTEMD_LESS SYSTEMD_PAGER SYSTEMD_PAGERSECURE SYSTEMD_UNIT_PATH",
    ),
    Family::new(
        "Kerberos, GSSAPI, SASL and LDAP",
        PLUGINS,
        "krb5.conf(5), mech(5), Cyrus SASL “Options”, ldap.conf(5)",
        "KRB5_CONFIG KRB5_KDC_PROFILE KRB5_TRACE GSS_MECH_CONFIG SASL_CONF_PATH SASL_PATH LDAPCONF LDAPNOINIT LDAPRC \
         LDAPTLS_CACERT LDAPTLS_CACERTDIR LDAPTLS_REQCERT LDAPTLS_REQSAN",
    ),
    Family::new(
        "Smart cards",
        PLUGINS,
        "pkcs11.conf(5) of p11-kit, opensc.conf(5), pkcs11-provider(7)",
        "OPENSC_CONF OPENSC_DRIVERS P11_KIT_STRICT PKCS11_MODULE_PATH PKCS11_PROVIDER_MODULE SOFTHSM2_CONF",
    ),
    Family::new(
        "Proxies",
        TRUST,
        "curl(1) “ENVIRONMENT”, wget(1), urllib.request.getproxies of Python",
        "HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY FTP_PROXY",
    )
    .in_any_case(),
    Family::new(
        "Certificates and TLS",
        TRUST,
        "SSL_CTX_set_default_verify_paths(3), SSL_CTX_set_keylog_callback(3) and curl(1), Requests “SSL Cert Verification”, \
         GRPC Core “environment variables”, AWS CLI, Azure CLI, Nix, LWP::UserAgent, the documentation of Vault, Consul, Nomad \
         and Boundary, Docker “Content trust”, MySQL C API",
        "SSL_CERT_FILE SSL_CERT_DIR SSLKEYLOGFILE CURL_CA_BUNDLE REQUESTS_CA_BUNDLE AWS_CA_BUNDLE NIX_SSL_CERT_FILE \
         HTTPLIB2_CA_CERTS WEBSOCKET_CLIENT_CA_BUNDLE GRPC_DEFAULT_SSL_ROOTS_FILE_PATH HTTPS_CA_DIR HTTPS_CA_FILE \
         PERL_LWP_SSL_CA_FILE PERL_LWP_SSL_CA_PATH PERL_LWP_SSL_VERIFY_HOSTNAME ADAL_PYTHON_SSL_NO_VERIFY \
         AZURE_CLI_DISABLE_CONNECTION_VERIFICATION BOUNDARY_CACERT BOUNDARY_CAPATH BOUNDARY_TLS_INSECURE \
         BOUNDARY_TLS_SERVER_NAME CONSUL_CACERT CONSUL_CAPATH CONSUL_HTTP_SSL_VERIFY CONSUL_TLS_SERVER_NAME \
         DOCKER_CONTENT_TRUST DOCKER_CONTENT_TRUST_SERVER LIBMYSQL_ENABLE_CLEARTEXT_PLUGIN NOMAD_CACERT NOMAD_CAPATH \
         NOMAD_SKIP_VERIFY NOMAD_TLS_SERVER_NAME VAULT_CACERT VAULT_CACERT_BYTES VAULT_CAPATH \
         VAULT_SKIP_VERIFY VAULT_TLS_SERVER_NAME",
    ),
    Family::new(
        "curl, wget and other HTTP clients",
        OPTIONS,
        "curl(1), wget(1), HTTPie “Config”, lynx(1)",
        "CURL_HOME CURL_SSL_BACKEND WGETRC SYSTEM_WGETRC HTTPIE_CONFIG_DIR LYNX_CFG",
    ),
    Family::new("Mail", PROGRAM, "mailcap(5), mailx(1)", "MAILCAPS MAILRC METAMAIL_PAGER"),
];
