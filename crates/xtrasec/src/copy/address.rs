//! Addresses: a service and a place in it, in one word.

use std::borrow::Cow;

use xtrasecurity::xtra::XtraScope;

use crate::failure::Failure;
use crate::options::full_environment_name;
use crate::text::printable;

/// The grammar, for the help.
pub(super) const GRAMMAR: &str = "Addresses:\n  \
    xtra:[PROJECT/]ENV[@BRANCH]\n  \
    infisical:[PROJECT/]ENV[:/FOLDER]\n  \
    secr:ORG/PROJECT/ENV\n  \
    syvault:UID\n  \
    syvault:FOLDER/TITLE\n\
    A project of xtra and infisical and a folder of syvault are given by their ids, everything else by its name or slug. \
    What is in brackets has the default of its service. A copy to syvault makes a secret of that title, \
    whose fields are the secrets, and changes none. \
    In a name, % is written as %25, and / @ : as %2F %40 %3A where they are no separators. infisical, secr and \
    syvault are there when this command is built with the feature of that name.";

/// The services that a feature adds.
const OPTIONAL: [&str; 3] = ["infisical", "secr", "syvault"];

/// Where secrets are: each part as it is named in the service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Address {
    Xtra {
        project: Option<String>,
        environment: String,
        branch: Option<String>,
    },
    #[cfg(feature = "infisical")]
    Infisical {
        project: Option<String>,
        environment: String,
        folder: Option<String>,
    },
    #[cfg(feature = "secr")]
    Secr {
        org: String,
        project: String,
        environment: String,
    },
    #[cfg(feature = "syvault")]
    SyVault {
        folder: Option<String>,
        name: String,
    },
}

impl Address {
    /// Reads the address that an option gives. A text that is none is not repeated: it may be a token.
    pub(super) fn parse(option: &str, text: &str) -> Result<Self, Failure> {
        let parts = text
            .split_once(':')
            .ok_or(Cow::Borrowed("does not begin with a service and a colon, as xtra:staging does"));
        parts
            .and_then(|(service, place)| Self::at(service, place))
            .map_err(|why| Failure::usage(format!("{option} {why}. `xtrasec copy --help` has the forms of addresses")))
    }

    fn at(service: &str, place: &str) -> Result<Self, Cow<'static, str>> {
        match service {
            "xtra" | "xtrasecurity" => {
                let (place, branch) = apart(place, '@');
                let (project, environment) = apart_last(place);
                let environment = full_environment_name(&decoded(environment)?).to_owned();
                Ok(Self::Xtra { project: optional(project)?, environment, branch: optional(branch)? })
            }
            #[cfg(feature = "infisical")]
            "infisical" => {
                let (place, folder) = apart(place, ':');
                let (project, environment) = apart_last(place);
                let (project, folder) = (optional(project)?, optional(folder)?);
                Ok(Self::Infisical { project, environment: decoded(environment)?, folder })
            }
            #[cfg(feature = "secr")]
            "secr" => match place.split('/').collect::<Vec<_>>()[..] {
                [org, project, environment] => {
                    let (org, project) = (decoded(org)?, decoded(project)?);
                    Ok(Self::Secr { org, project, environment: decoded(environment)? })
                }
                _ => Err("is not secr:ORG/PROJECT/ENVIRONMENT".into()),
            },
            #[cfg(feature = "syvault")]
            "syvault" => match place.split_once('/') {
                None => Ok(Self::SyVault { folder: None, name: decoded(place)? }),
                Some((_, title)) if title.contains('/') => {
                    Err("is not syvault:UID or syvault:FOLDER_ID/TITLE; a / in a title is %2F".into())
                }
                Some((folder, title)) => Ok(Self::SyVault { folder: Some(decoded(folder)?), name: decoded(title)? }),
            },
            other if OPTIONAL.contains(&other) => Err(format!(
                "names {other}, which this xtrasec is built without: cargo install xtrasec --features {other}"
            )
            .into()),
            _ => Err("names no service: they are xtra, infisical, secr and syvault".into()),
        }
    }

    /// The place as people call it.
    pub(super) fn shown(&self) -> String {
        printable(&match self {
            Self::Xtra { environment, branch, .. } => {
                let branch = branch.as_ref().map(|branch| format!("@{branch}")).unwrap_or_default();
                format!("xtra:{environment}{branch}")
            }
            #[cfg(feature = "infisical")]
            Self::Infisical { environment, folder, .. } => {
                let folder = folder.as_ref().map(|folder| format!(":{folder}")).unwrap_or_default();
                format!("infisical:{environment}{folder}")
            }
            #[cfg(feature = "secr")]
            Self::Secr { org, project, environment } => format!("secr:{org}/{project}/{environment}"),
            #[cfg(feature = "syvault")]
            Self::SyVault { folder: Some(folder), name } => format!("syvault:{folder}/{name}"),
            #[cfg(feature = "syvault")]
            Self::SyVault { folder: None, name } => format!("syvault:{name}"),
        })
    }

    /// What has to be typed before this place is changed for good, if anything has.
    pub(super) fn to_be_typed(&self) -> Option<&str> {
        let environment = match self {
            Self::Xtra { environment, .. } => environment,
            #[cfg(feature = "infisical")]
            Self::Infisical { environment, .. } => environment,
            #[cfg(feature = "secr")]
            Self::Secr { environment, .. } => environment,
            #[cfg(feature = "syvault")]
            Self::SyVault { .. } => return None,
        };
        let is_production = ["production", "prod"].iter().any(|name| environment.eq_ignore_ascii_case(name));
        is_production.then_some(environment)
    }
}

/// The scope of an address of XtraSecurity.
pub(super) fn xtra_scope<'a>(
    project: &'a Option<String>,
    environment: &'a str,
    branch: &'a Option<String>,
) -> XtraScope<'a> {
    let scope = XtraScope::new(environment);
    let scope = project.as_deref().map_or(scope.clone(), |id| scope.project(id));
    branch.as_deref().map_or(scope.clone(), |name| scope.branch(name))
}

/// The parts before and behind the first separator.
fn apart(text: &str, separator: char) -> (&str, Option<&str>) {
    match text.split_once(separator) {
        Some((first, rest)) => (first, Some(rest)),
        None => (text, None),
    }
}

/// What is before the last slash, and what is behind it.
fn apart_last(text: &str) -> (Option<&str>, &str) {
    match text.rsplit_once('/') {
        Some((first, last)) => (Some(first), last),
        None => (None, text),
    }
}

fn optional(part: Option<&str>) -> Result<Option<String>, &'static str> {
    part.map(decoded).transpose()
}

/// A name with its characters in the place of percent and two digits.
fn decoded(name: &str) -> Result<String, &'static str> {
    const WRONG: &str = "has a % without two hexadecimal digits, or with bytes that are no text; a % itself is %25";
    let mut bytes = Vec::with_capacity(name.len());
    let mut rest = name.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        if *first != b'%' {
            bytes.push(*first);
            rest = after;
            continue;
        }
        let (digits, after) = after.split_at_checked(2).ok_or(WRONG)?;
        let digits = std::str::from_utf8(digits).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_hexdigit()));
        bytes.push(u8::from_str_radix(digits.ok_or(WRONG)?, 16).map_err(|_| WRONG)?);
        rest = after;
    }
    let text = String::from_utf8(bytes).map_err(|_| WRONG)?;
    if text.is_empty() { Err("has an empty part") } else { Ok(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn xtra(project: Option<&str>, environment: &str, branch: Option<&str>) -> Address {
        let [project, branch] = [project, branch].map(|part| part.map(str::to_owned));
        Address::Xtra { project, environment: environment.to_owned(), branch }
    }

    fn read(text: &str) -> Option<Address> {
        Address::parse("--from", text).ok()
    }

    #[test]
    fn an_address_is_read_by_its_parts() {
        assert_eq!(read("xtra:stg"), Some(xtra(None, "staging", None)));
        assert_eq!(read("xtra:665f/qa@feature/new@ui"), Some(xtra(Some("665f"), "qa", Some("feature/new@ui"))));
        assert_eq!(read("xtra:a%2Fb/q%25a%40"), Some(xtra(Some("a/b"), "q%a@", None)));
        #[cfg(feature = "infisical")]
        assert_eq!(
            read("infisical:p-1/dev:/app/db"),
            Some(Address::Infisical {
                project: Some("p-1".to_owned()),
                environment: "dev".to_owned(),
                folder: Some("/app/db".to_owned())
            })
        );
        #[cfg(feature = "syvault")]
        assert_eq!(
            read("syvault:f-1/Web%2FAPI keys"),
            Some(Address::SyVault { folder: Some("f-1".to_owned()), name: "Web/API keys".to_owned() })
        );
    }

    #[test]
    fn a_text_that_is_no_address_is_refused_and_not_repeated() {
        for text in [
            "",
            "xs_canary",
            "xtra:",
            "xtra:/",
            "xtra:a@",
            "xtra:%",
            "xtra:%zz",
            "xtra:%ff",
            "xtra:%+1",
            "aws:canary",
            "secr:a/b",
            "secr:a//b",
            "syvault:",
            "syvault:a/b/c",
            "infisical:",
            "infisical:dev:",
        ] {
            let failure = Address::parse("--from", text).unwrap_err();
            assert!(failure.status == 2 && !failure.line.contains("canary"), "{text}: {}", failure.line);
        }
    }

    #[test]
    fn production_has_to_be_typed_whatever_the_service_calls_it() {
        assert_eq!(read("xtra:prod").unwrap().to_be_typed(), Some("production"));
        assert_eq!(read("xtra:qa").unwrap().to_be_typed(), None);
        #[cfg(feature = "infisical")]
        assert_eq!(read("infisical:prod:/app").unwrap().to_be_typed(), Some("prod"));
    }
}
