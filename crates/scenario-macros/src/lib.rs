//! The `#[scenario]` attribute: an async function with a doc sentence becomes a `Scenario` constant.
//!
//! ```text
//! /// Once a newer epoch exists, an InitProducerId naming the older one is refused.
//! #[scenario("INITPID-010", api = InitProducerId, versions = 3.., needs = [Disruption], vary = ["a", "b"], slow)]
//! async fn a_stale_epoch_is_fenced(cx: &mut Cx) -> Outcome { ... }
//! ```

use proc_macro::TokenStream;
use proc_macro2::TokenStream as Tokens;
use quote::{format_ident, quote};
use syn::parse::{Parse, ParseStream};
use syn::spanned::Spanned;
use syn::{Error, Expr, ExprArray, Ident, ItemFn, Lit, LitStr, Meta, RangeLimits, Token};

/// See the crate's documentation.
#[proc_macro_attribute]
pub fn scenario(header: TokenStream, item: TokenStream) -> TokenStream {
    let header = syn::parse_macro_input!(header as Header);
    let function = syn::parse_macro_input!(item as ItemFn);
    expand(&header, &function).unwrap_or_else(|error| error.to_compile_error()).into()
}

struct Header {
    id: LitStr,
    also: Vec<Expr>,
    api: Ident,
    versions: (Tokens, Tokens),
    vary: Vec<Expr>,
    needs: Vec<Expr>,
    slow: bool,
    exclusive: bool,
}

impl Parse for Header {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let id: LitStr = input.parse()?;
        let mut api = None;
        let mut header = Header {
            api: Ident::new("None", id.span()),
            id,
            also: Vec::new(),
            versions: (quote!(0), quote!(i16::MAX)),
            vary: Vec::new(),
            needs: Vec::new(),
            slow: false,
            exclusive: false,
        };
        while !input.is_empty() {
            input.parse::<Token![,]>()?;
            if input.is_empty() {
                break;
            }
            let word: Ident = input.parse()?;
            match word.to_string().as_str() {
                "slow" => header.slow = true,
                "exclusive" => header.exclusive = true,
                name => {
                    input.parse::<Token![=]>()?;
                    match name {
                        "api" => api = Some(input.parse()?),
                        "versions" => header.versions = versions(&input.parse()?)?,
                        "also" => header.also = list(input)?,
                        "vary" => header.vary = list(input)?,
                        "needs" => {
                            header.needs = list(input)?;
                            header.needs.iter_mut().for_each(qualify);
                        }
                        _ => {
                            let known = "known: api, versions, also, vary, needs, slow, exclusive";
                            return Err(Error::new(
                                word.span(),
                                format!("unknown `{name}`; {known}"),
                            ));
                        }
                    }
                }
            }
        }
        header.api = api.ok_or_else(|| {
            Error::new(
                header.id.span(),
                "`api = …` is missing; `api = Each` means every advertised API",
            )
        })?;
        Ok(header)
    }
}

fn list(input: ParseStream<'_>) -> syn::Result<Vec<Expr>> {
    Ok(input.parse::<ExprArray>()?.elems.into_iter().collect())
}

/// `Authorizer` and `Since(4, 0)` become variants of `Need`; a longer path stays as it is.
fn qualify(need: &mut Expr) {
    let path = match need {
        Expr::Path(path) => &mut path.path,
        Expr::Call(call) => match &mut *call.func {
            Expr::Path(path) => &mut path.path,
            _ => return,
        },
        _ => return,
    };
    if path.segments.len() == 1 {
        let variant = path.clone();
        *path = syn::parse_quote!(::kconform_scenario::Need::#variant);
    }
}

/// `3..`, `..=2`, `4..=7` or `0`.
fn versions(range: &Expr) -> syn::Result<(Tokens, Tokens)> {
    match range {
        Expr::Lit(one) if matches!(one.lit, Lit::Int(_)) => Ok((quote!(#one), quote!(#one))),
        Expr::Range(range) => {
            let first = range.start.as_ref().map_or(quote!(0), |first| quote!(#first));
            let last = match (&range.end, &range.limits) {
                (None, _) => quote!(i16::MAX),
                (Some(last), RangeLimits::Closed(_)) => quote!(#last),
                (Some(_), RangeLimits::HalfOpen(_)) => {
                    return Err(Error::new(range.span(), "write an inclusive range: `3..=5`"));
                }
            };
            Ok((first, last))
        }
        other => Err(Error::new(other.span(), "expected `3..`, `..=2`, `4..=7` or `0`")),
    }
}

fn expand(header: &Header, function: &ItemFn) -> syn::Result<Tokens> {
    let signature = &function.sig;
    if signature.asyncness.is_none() || signature.inputs.len() != 1 {
        let message = "a scenario is `async fn name(cx: &mut Cx) -> Outcome`";
        return Err(Error::new(signature.span(), message));
    }
    let doc = doc_sentence(function);
    if doc.is_empty() {
        let message = "a scenario needs its requirement as a doc sentence (`cargo xtask tidy --fix` writes it)";
        return Err(Error::new(signature.ident.span(), message));
    }
    let Header { id, also, api, vary, needs, slow, exclusive, versions: (first, last) } = header;
    let api = match api.to_string().as_str() {
        "Each" => quote!(::kconform_scenario::EACH),
        _ => quote!(::kconform_scenario::keys::#api),
    };
    let name = &signature.ident;
    let text = name.to_string();
    let body = format_ident!("body");
    let (input, output, block) = (&signature.inputs, &signature.output, &function.block);
    // The line of the attribute, so that reports and `tidy --fix` find the scenario.
    Ok(quote! {
        #[doc = #doc]
        #[allow(non_upper_case_globals)]
        pub(crate) const #name: ::kconform_scenario::Scenario = {
            async fn #body(#input) #output #block
            ::kconform_scenario::Scenario {
                id: #id,
                also: &[#(#also),*],
                name: #text,
                module: module_path!(),
                file: file!(),
                line: line!(),
                doc: #doc,
                api: #api,
                versions: (#first, #last),
                vary: &[#(#vary),*],
                needs: &[#(#needs),*],
                slow: #slow,
                exclusive: #exclusive,
                run: |cx| ::std::boxed::Box::pin(#body(cx)),
            }
        };
    })
}

/// The doc comment as one line.
fn doc_sentence(function: &ItemFn) -> String {
    let lines = function.attrs.iter().filter_map(|attribute| match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
            Expr::Lit(text) => match &text.lit {
                Lit::Str(text) => Some(text.value().trim().to_owned()),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    });
    lines.collect::<Vec<_>>().join(" ").trim().to_owned()
}
