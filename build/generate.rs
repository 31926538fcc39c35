//! From the text of a document to the text of a client.

use std::panic::{AssertUnwindSafe, catch_unwind};

use openapiv3::{OpenAPI, Operation, ReferenceOr};
use proc_macro2::TokenStream;
use progenitor::{GenerationSettings, Generator, HooksMode, InterfaceStyle, TagStyle, TypeImpl};

use crate::blame;

/// A named schema whose type is written by hand.
pub(crate) struct Replacement {
    pub(crate) schema: &'static str,
    pub(crate) with: &'static str,
}

/// The type that sends requests; a generated client holds one.
const TRANSPORT: &str = "crate::http::Transport";

/// The module that generated code runs on.
const RUNTIME: &str = "crate::http::runtime";

/// The schemas that every document may have.
const OF_ALL: &[Replacement] = &[
    Replacement { schema: "SecretValue", with: "crate::http::runtime::wire::WireSecret" },
    Replacement { schema: "SecretInput", with: "crate::http::runtime::wire::SecretInput" },
    Replacement { schema: "FreeForm", with: "crate::http::runtime::wire::FreeForm" },
];

/// What the generator must know about a service besides its document.
pub(crate) struct Service {
    pub(crate) name: &'static str,
    /// The schemas that this service alone has.
    pub(crate) replacements: &'static [Replacement],
    /// The schemas whose types get a `Debug` written by hand.
    pub(crate) unprinted: &'static [&'static str],
}

/// The client's source text, or what is wrong with the document, one line a mistake.
pub(crate) fn generate(service: &Service, document: &str) -> Result<String, Vec<String>> {
    let value = crate::lint::parse(document).map_err(|mistake| vec![mistake])?;
    let findings = crate::lint::lint(&value, &service.hand_written());
    if !findings.is_empty() {
        return Err(findings.iter().map(ToString::to_string).collect());
    }
    let mut api: OpenAPI = serde_json::from_str(document).map_err(|error| vec![blame::unreadable(&value, &error)])?;
    drop_streams(&mut api);
    let tokens = run_generator(service, &api)
        .map_err(|reason| vec![blame::uncompilable(&api, &reason, |api| run_generator(service, api))])?;
    let mut file = crate::retarget::retarget(tokens, RUNTIME, service.unprinted)?;
    file.items.push(without_token(&api));
    file.items.extend(of_the_client().map_err(|reason| vec![reason])?);
    Ok(prettyplease::unparse(&file))
}

/// The list of the operations that the document gives no security, which are sent without a token.
fn without_token(api: &OpenAPI) -> syn::Item {
    let is_open = |operation: &&Operation| operation.security.as_ref().is_some_and(Vec::is_empty);
    let names = api.operations().map(|(_, _, operation)| operation).filter(is_open);
    let names = names.filter_map(|operation| operation.operation_id.as_deref());
    syn::parse_quote! {
        /// The operations that are sent without a token.
        #[allow(dead_code, reason = "for the services that say so in their protocol")]
        pub(crate) const WITHOUT_TOKEN: &[&str] = &[#(#names),*];
    }
}

/// What a client needs beyond its operations: the transport that they go through, and a `Debug` that shows nothing of it.
fn of_the_client() -> Result<[syn::Item; 2], String> {
    let transport = parsed(TRANSPORT)?;
    Ok([
        syn::parse_quote! {
            impl ClientHooks<#transport> for Client {
                fn transport(&self) -> &#transport {
                    &self.inner
                }
            }
        },
        syn::parse_quote! {
            impl ::std::fmt::Debug for Client {
                fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                    f.debug_struct("Client").finish_non_exhaustive()
                }
            }
        },
    ])
}

fn parsed(path: &str) -> Result<TokenStream, String> {
    path.parse().map_err(|_| format!("`{path}` is not a type"))
}

/// Takes out the operations whose answer does not end: a method of the client reads an answer as a whole.
fn drop_streams(api: &mut OpenAPI) {
    let is_stream = |operation: &Operation| operation.extensions.contains_key("x-answer");
    for item in api.paths.paths.values_mut() {
        let ReferenceOr::Item(item) = item else { continue };
        for slot in [&mut item.get, &mut item.put, &mut item.post, &mut item.delete, &mut item.patch] {
            slot.take_if(|operation| is_stream(operation));
        }
    }
}

impl Service {
    fn replacements(&self) -> impl Iterator<Item = &Replacement> {
        OF_ALL.iter().chain(self.replacements)
    }

    fn hand_written(&self) -> Vec<&'static str> {
        self.replacements().map(|replacement| replacement.schema).collect()
    }

    fn settings(&self) -> Result<GenerationSettings, String> {
        let mut settings = GenerationSettings::new();
        settings
            .with_interface(InterfaceStyle::Builder)
            .with_tag(TagStyle::Merged)
            .with_hooks(HooksMode::Expected)
            .with_inner_type(parsed(TRANSPORT)?)
            // sorted, so that what is printed or sent has one order
            .with_map_type("::std::collections::BTreeMap");
        for replacement in self.replacements() {
            settings.with_replacement(replacement.schema, replacement.with, std::iter::empty::<TypeImpl>());
        }
        Ok(settings)
    }
}

/// The generator asserts where it could report, so a panic of its is an answer like any other.
fn run_generator(service: &Service, api: &OpenAPI) -> Result<TokenStream, String> {
    let settings = service.settings()?;
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let outcome = catch_unwind(AssertUnwindSafe(|| Generator::new(&settings).generate_tokens(api)));
    std::panic::set_hook(hook);
    match outcome {
        Ok(Ok(tokens)) => Ok(tokens),
        Ok(Err(error)) => Err(one_line(&error.to_string())),
        Err(panic) => Err(one_line(panic_text(panic.as_ref()))),
    }
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    match (panic.downcast_ref::<&str>(), panic.downcast_ref::<String>()) {
        (Some(text), _) => text,
        (_, Some(text)) => text,
        _ => "no reason given",
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
