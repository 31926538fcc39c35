//! Rewords what a request says of a parameter that is missing or cannot be converted: by its name, that of the operation, and what
//! to do.

use proc_macro2::{Group, Literal, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ItemImpl;

use crate::lint::names::snake;

/// Rewords the texts in the block of the request `name`.
pub(super) fn reword(item: &mut ItemImpl, name: &str) -> syn::Result<()> {
    let operation = snake(name);
    *item = syn::parse2(reworded(item.to_token_stream(), &mut |text| sentence(text, &operation)))?;
    Ok(())
}

/// The sentence in place of the generator's, when the text is one of those.
fn sentence(text: &str, operation: &str) -> Option<String> {
    if let Some(parameter) = text.strip_suffix(" was not initialized") {
        return Some(format!("{operation} needs the parameter `{parameter}`: call .{parameter}(..)"));
    }
    let (_, rest) = text.strip_prefix("conversion to `")?.split_once("` for ")?;
    let (parameter, cause) = rest.split_once(" failed")?;
    Some(format!("{operation} cannot take what the parameter `{parameter}` was given{cause}"))
}

fn reworded(tokens: TokenStream, reword: &mut impl FnMut(&str) -> Option<String>) -> TokenStream {
    tokens
        .into_iter()
        .map(|token| match token {
            TokenTree::Group(group) => {
                let mut inner = Group::new(group.delimiter(), reworded(group.stream(), reword));
                inner.set_span(group.span());
                TokenTree::Group(inner)
            }
            TokenTree::Literal(literal) => {
                let text = syn::parse_str::<syn::LitStr>(&literal.to_string()).ok();
                let text = text.and_then(|text| reword(&text.value()));
                TokenTree::Literal(text.map_or(literal, |text| Literal::string(&text)))
            }
            other => other,
        })
        .collect()
}
