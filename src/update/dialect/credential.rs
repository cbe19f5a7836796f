//! The secret that a request shows, wherever its dialect keeps it.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};

use super::{Captured, Dialect, Place, is_placeholder};
use crate::http::Request;
use crate::token::Token;

/// Base64 as devices write it: with its padding or without.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// What a request shows as its credential.
pub(super) enum Credential {
    /// Nothing: empty, malformed, and unreplaced placeholders too.
    None,
    /// Something that cannot be a token.
    NoToken,
    /// What may be a token, and where it was.
    Token(Token, Place),
}

impl Credential {
    /// The first credential that is there. A device that insists on a user name and a password
    /// sends what somebody made up for them: what cannot be a token leaves room for one behind it.
    pub(super) fn read(dialect: &Dialect, captured: Captured<'_>, request: &Request) -> Self {
        let shown = dialect.credentials.iter().filter_map(|place| {
            let secret = match place {
                Place::Path => captured.token?.to_vec(),
                Place::Basic => password(request.authorization("basic")?)?,
                Place::Bearer => request.authorization("bearer")?.to_vec(),
                Place::Field => field(dialect, request)?.to_vec(),
                Place::ApiKey => request.header("X-Api-Key").trim_ascii().to_vec(),
            };
            (!secret.is_empty() && !is_placeholder(&secret)).then_some((secret, *place))
        });
        let mut found = Credential::None;
        for (secret, place) in shown {
            match std::str::from_utf8(&secret).map(str::parse::<Token>) {
                Ok(Ok(token)) => return Credential::Token(token, place),
                _ => found = Credential::NoToken,
            }
        }
        found
    }
}

/// The password of Basic: all that stands behind the first colon (RFC 7617 2).
fn password(basic: &[u8]) -> Option<Vec<u8>> {
    let pair = BASE64.decode(basic).ok()?;
    let mut halves = pair.splitn(2, |b| *b == b':');
    halves.nth(1).map(<[u8]>::to_vec)
}

/// The first value that is not empty.
fn field<'a>(dialect: &'a Dialect, request: &'a Request) -> Option<&'a [u8]> {
    let names = dialect.tokens.iter().map(std::slice::from_ref);
    names
        .flat_map(|name| request.fields.first_of(name))
        .find(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::super::BUILT_IN;
    use super::*;
    use crate::http::Meta;
    use proptest::prelude::*;

    const TOKEN: &str = "AAAAAAAAAAAAAAAAAAAAAAAA";

    /// What a request at a path shows: `-` for nothing, `?` for no token.
    fn shown(target: &str, authorization: &[u8]) -> String {
        let request = Request::new(
            Meta::new([
                ("REQUEST_URI", target.as_bytes()),
                ("HTTP_AUTHORIZATION", authorization),
            ]),
            b"",
        );
        let segments = request.path.below("").unwrap();
        let (row, captured) = Dialect::find(&*BUILT_IN, segments, &request).unwrap();
        match Credential::read(row, captured, &request) {
            Credential::None => "-".to_owned(),
            Credential::NoToken => "?".to_owned(),
            Credential::Token(token, place) => {
                assert_eq!(token.secret(), TOKEN);
                format!("{place:?}")
            }
        }
    }

    fn in_base64(text: &str) -> String {
        format!("Basic {}", BASE64.encode(text))
    }

    #[test]
    fn every_place() {
        let right = in_base64(&format!("home:{TOKEN}"));
        let bearer = format!("bearer  {TOKEN} ");
        let query = format!("/nic/update?username=u&password={TOKEN}");
        for (target, authorization, expected) in [
            ("/nic/update", right.as_str(), "Basic"),
            ("/nic/update", &right.replace("Basic", "bAsIc"), "Basic"),
            ("/nic/update", right.trim_end_matches('='), "Basic"),
            ("/nic/update", &in_base64(&format!(":{TOKEN}")), "Basic"),
            ("/nic/update", &bearer, "Bearer"),
            ("/nic/update", "", "-"),
            ("/nic/update", "Basic", "-"),
            ("/nic/update", "Basic ", "-"),
            ("/nic/update", "Basic Og==", "-"),
            ("/nic/update", "Basic !!!!", "-"),
            ("/nic/update", &in_base64(TOKEN), "-"),
            ("/nic/update", &in_base64("user:<pass>"), "-"),
            ("/nic/update", &format!("Basic{TOKEN}"), "-"),
            ("/nic/update", &format!("Digest {TOKEN}"), "-"),
            ("/nic/update", "Bearer", "-"),
            ("/nic/update", &in_base64("user:short"), "?"),
            ("/nic/update", &in_base64(&format!("u:x:{TOKEN}")), "?"),
            ("/nic/update", &in_base64(&format!("u:{TOKEN}:")), "?"),
            (&query, "", "Field"),
            (&query, "Basic Og==", "Field"),
            (&query, &in_base64("user:short"), "Field"),
            (&query, &in_base64(&format!("u:x:{TOKEN}")), "Field"),
            ("/nic/update?password=short", &bearer, "Bearer"),
            ("/nic/update?password=short", &in_base64("-:-"), "?"),
            ("/update?pass=short", &right, "Basic"),
            ("/nic/update?password=", "", "-"),
            ("/nic/dyndns", &right, "Basic"),
            ("/nic/dyndns", &bearer, "-"),
            (&query.replace("update", "dyndns"), "", "-"),
            ("/update", &right, "Basic"),
            (&format!("/update?pass={TOKEN}"), "Basic Og==", "Field"),
            (&format!("/update?password=&token={TOKEN}"), "", "Field"),
            (&format!("/update?domains=a&token={TOKEN}"), "", "Field"),
            (&format!("/update?domains=a&password={TOKEN}"), "", "-"),
            ("/update?domains=a", &right, "-"),
            (&format!("/update/a/{TOKEN}"), &right, "Path"),
            (&format!("/{TOKEN}"), "Basic Og==", "Path"),
            ("/short", &right, "?"),
            ("/api/domains/home/update", &bearer, "Bearer"),
            ("/api/domains/home/update", &right, "-"),
        ] {
            let found = shown(target, authorization.as_bytes());
            assert_eq!(found, expected, "{target} {authorization}");
        }
    }

    proptest! {
        #[test]
        fn any_header_is_understood_or_no_credential(header: Vec<u8>, text in "[A-Za-z0-9+/=]{0,40}") {
            shown("/nic/update", &header);
            shown("/nic/update", format!("Basic {text}").as_bytes());
        }
    }
}
