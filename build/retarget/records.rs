//! Reads objects into the types without what serde derives for that: it takes longer to compile than all else that is generated.

use quote::{ToTokens, format_ident, quote};
use syn::ext::IdentExt;
use syn::{Attribute, Field, Fields, File, Item, ItemStruct, LitStr, Path};

/// Takes the derived `Deserialize` from the types with members, and puts one in its place that uses the runtime's.
pub(super) fn read_by_runtime(file: &mut File, runtime: &Path, problems: &mut Vec<String>) {
    let Some(types) = super::builders::module(&mut file.items, "types") else { return };
    let mut readers = Vec::new();
    for item in types.iter_mut() {
        if let Item::Struct(item) = item
            && matches!(item.fields, Fields::Named(_))
        {
            match underive(item).and_then(|()| reader(item, runtime)) {
                Ok(items) => readers.extend(items),
                Err(error) => problems.push(format!("unknown generator output: `{}`: {error}", item.ident)),
            }
        }
    }
    types.extend(readers);
}

fn underive(item: &mut ItemStruct) -> syn::Result<()> {
    let mut found = 0;
    for attribute in item.attrs.iter_mut().filter(|attribute| attribute.path().is_ident("derive")) {
        let mut kept: Vec<Path> = Vec::new();
        attribute.parse_nested_meta(|meta| {
            match meta.path.segments.last() {
                Some(last) if last.ident == "Deserialize" => found += 1,
                _ => kept.push(meta.path),
            }
            Ok(())
        })?;
        *attribute = syn::parse_quote!(#[derive(#(#kept),*)]);
    }
    if let Some(attribute) = item.attrs.iter().find(|attribute| attribute.path().is_ident("serde")) {
        return Err(unknown(attribute));
    }
    if found == 1 { Ok(()) } else { Err(syn::Error::new_spanned(&item.ident, "it is not read by serde")) }
}

fn reader(item: &ItemStruct, runtime: &Path) -> syn::Result<[Item; 2]> {
    let (subject, name) = (&item.ident, item.ident.to_string());
    let (mut members, mut values, mut reads, mut fields) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (place, field) in item.fields.iter().enumerate() {
        let (Some(ident), Member { name, is_defaulted }) = (&field.ident, member(field)?) else { continue };
        let value = format_ident!("value_{place}");
        reads.push(quote!(#place => members.value(#place, &mut #value)?));
        fields.push(match is_defaulted {
            true => quote!(#ident: #value.unwrap_or_default()),
            false => quote!(#ident: members.take(#place, #value)?),
        });
        members.push(name);
        values.push(value);
    }
    Ok([
        syn::parse_quote! {
            impl<'de> ::serde::Deserialize<'de> for #subject {
                fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> ::std::result::Result<Self, D::Error> {
                    #runtime::record::read(deserializer)
                }
            }
        },
        syn::parse_quote! {
            impl<'de> #runtime::record::Record<'de> for #subject {
                const NAME: &'static str = #name;
                const MEMBERS: &'static [&'static str] = &[#(#members),*];

                fn read<A: ::serde::de::MapAccess<'de>>(
                    mut members: #runtime::record::Members<A>,
                ) -> ::std::result::Result<Self, A::Error> {
                    #(let mut #values = None;)*
                    while let Some(place) = members.next()? {
                        match place {
                            #(#reads,)*
                            _ => members.pass_over()?,
                        }
                    }
                    Ok(Self { #(#fields),* })
                }
            }
        },
    ])
}

struct Member {
    name: String,
    is_defaulted: bool,
}

fn member(field: &Field) -> syn::Result<Member> {
    let name = field.ident.as_ref().map(|ident| ident.unraw().to_string()).unwrap_or_default();
    let mut member = Member { name, is_defaulted: false };
    for attribute in field.attrs.iter().filter(|attribute| attribute.path().is_ident("serde")) {
        attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident("rename") {
                member.name = meta.value()?.parse::<LitStr>()?.value();
            } else if meta.path.is_ident("skip_serializing_if") {
                meta.value()?.parse::<LitStr>()?;
            } else if meta.path.is_ident("default") && !meta.input.peek(syn::Token![=]) {
                member.is_defaulted = true;
            } else {
                return Err(unknown(attribute));
            }
            Ok(())
        })?;
    }
    Ok(member)
}

fn unknown(attribute: &Attribute) -> syn::Error {
    syn::Error::new_spanned(attribute, format!("an attribute of another shape: {}", attribute.to_token_stream()))
}
