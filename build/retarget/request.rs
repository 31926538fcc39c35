//! The rewrites inside an operation's `send`.

use syn::punctuated::Punctuated;
use syn::visit_mut::{self, VisitMut};
use syn::{Block, Expr, Lit, LitStr, Local, Macro, Pat, Stmt, Token};

/// What the generator does with an answer, without white space.
const ANSWER: &str = "matchresponse.status().as_u16(){\
    200..=299=>{ResponseValue::from_response(response).await}\
    400u16..=499u16=>{Err(Error::ErrorResponse(ResponseValue::from_response(response).await?))}\
    500u16..=599u16=>{Err(Error::ErrorResponse(ResponseValue::from_response(response).await?))}\
    _=>Err(Error::UnexpectedResponse(response)),}";

/// How often each shape was met; all but the body are in every operation.
#[derive(Default)]
pub(super) struct Found {
    urls: usize,
    version_headers: usize,
    executions: usize,
    hooks: usize,
    answers: usize,
}

impl Found {
    pub(super) fn per_operation(&self) -> [(&'static str, usize); 5] {
        [
            ("the URL's format", self.urls),
            ("the version header", self.version_headers),
            ("the request's execution", self.executions),
            ("a pair of hooks", self.hooks / 2),
            ("what is done with an answer", self.answers),
        ]
    }
}

pub(super) fn rewrite(block: &mut Block, found: &mut Found, problems: &mut Vec<String>) {
    drop_version_header(block, found);
    block.stmts.retain(|statement| {
        let is_hook = is_hook(statement);
        found.hooks += usize::from(is_hook);
        !is_hook
    });
    Send { found, problems }.visit_block_mut(block);
}

/// The service knows no `api-version`. Without it most operations have no header of their own, so the map goes too.
fn drop_version_header(block: &mut Block, found: &mut Found) {
    let before = block.stmts.len();
    block.stmts.retain(|statement| {
        !matches!(statement, Stmt::Expr(Expr::MethodCall(call), _)
            if call.method == "append" && is_ident(&call.receiver, "header_map") && super::mentions_text(call, "api-version"))
    });
    found.version_headers += before - block.stmts.len();
    let is_used = block.stmts.iter().any(|statement| !is_map_itself(statement) && super::mentions(statement, "append"));
    if !is_used {
        block.stmts.retain(|statement| !is_map_itself(statement));
        DropHeaders.visit_block_mut(block);
    }
}

fn is_map_itself(statement: &Stmt) -> bool {
    matches!(statement, Stmt::Local(Local { pat: Pat::Ident(pattern), .. }) if pattern.ident == "header_map")
}

/// `client.pre(..).await?` and `client.post(..).await?`: ours has nothing to do there.
fn is_hook(statement: &Stmt) -> bool {
    let Stmt::Expr(Expr::Try(tried), _) = statement else { return false };
    let Expr::Await(awaited) = &*tried.expr else { return false };
    matches!(&*awaited.base, Expr::MethodCall(call)
        if is_ident(&call.receiver, "client") && (call.method == "pre" || call.method == "post"))
}

fn is_ident(expression: &Expr, name: &str) -> bool {
    matches!(expression, Expr::Path(path) if path.path.is_ident(name))
}

struct DropHeaders;

impl VisitMut for DropHeaders {
    fn visit_expr_mut(&mut self, expression: &mut Expr) {
        visit_mut::visit_expr_mut(self, expression);
        if let Expr::MethodCall(call) = expression
            && call.method == "headers"
            && call.args.iter().all(|argument| is_ident(argument, "header_map"))
        {
            *expression = (*call.receiver).clone();
        }
    }
}

struct Send<'a> {
    found: &'a mut Found,
    problems: &'a mut Vec<String>,
}

impl VisitMut for Send<'_> {
    fn visit_expr_mut(&mut self, expression: &mut Expr) {
        if is_answer(expression) {
            // ours decides by the status once for all operations, and so an operation waits in one place
            self.found.answers += 1;
            *expression = syn::parse_quote!(response.documented());
            return;
        }
        visit_mut::visit_expr_mut(self, expression);
        let Expr::MethodCall(call) = expression else { return };
        if call.method == "exec" && is_ident(&call.receiver, "client") {
            self.found.executions += 1;
        } else if call.method == "json" {
            // the body's buffer is wiped, and writing it may fail
            call.method = syn::Ident::new("json_body", call.method.span());
            *expression = syn::parse_quote!(#call?);
        }
    }

    fn visit_macro_mut(&mut self, invocation: &mut Macro) {
        if !invocation.path.is_ident("format") {
            return;
        }
        match self.url(invocation) {
            Ok(Some(tokens)) => {
                self.found.urls += 1;
                invocation.tokens = tokens;
            }
            Ok(None) => {}
            Err(error) => self.problems.push(format!("unknown generator output: {error}")),
        }
    }
}

fn is_answer(expression: &Expr) -> bool {
    matches!(expression, Expr::Match(_)) && {
        let text = quote::ToTokens::to_token_stream(expression).to_string();
        text.split_whitespace().collect::<String>() == ANSWER
    }
}

impl Send<'_> {
    /// Takes the variant off the path, and lets a parameter that cannot stand in a path end the call.
    fn url(&self, invocation: &Macro) -> syn::Result<Option<proc_macro2::TokenStream>> {
        let arguments = invocation.parse_body_with(Punctuated::<Expr, Token![,]>::parse_terminated)?;
        let mut arguments = arguments.into_iter();
        let Some(Expr::Lit(template)) = arguments.next() else { return Ok(None) };
        let Lit::Str(text) = &template.lit else { return Ok(None) };
        let whole = text.value();
        if !whole.starts_with("{}/") {
            return Ok(None);
        }
        let path = LitStr::new(whole.split('#').next().unwrap_or(&whole), text.span());
        let rest = arguments.map(path_parameter).collect::<syn::Result<Vec<Expr>>>()?;
        Ok(Some(quote::quote!(#path, #(#rest),*)))
    }
}

/// `encode_path(&x.to_string())` becomes `encode_path("x", &x)?`: the type decides what its text is, so a secret needs no `Display`.
fn path_parameter(argument: Expr) -> syn::Result<Expr> {
    let unknown = |expression: &Expr| syn::Error::new_spanned(expression, "a path parameter of another shape");
    let Expr::Call(call) = &argument else {
        return if matches!(argument, Expr::Field(_)) { Ok(argument) } else { Err(unknown(&argument)) };
    };
    let Some(Expr::Reference(reference)) = call.args.first() else { return Err(unknown(&argument)) };
    let Expr::MethodCall(text) = &*reference.expr else { return Err(unknown(&argument)) };
    if !is_ident(&call.func, "encode_path") || text.method != "to_string" {
        return Err(unknown(&argument));
    }
    let Expr::Path(subject) = &*text.receiver else { return Err(unknown(&argument)) };
    let name = quote::ToTokens::to_token_stream(subject).to_string();
    Ok(syn::parse_quote!(encode_path(#name, &#subject)?))
}
