//! A webhook: a JSON document by HTTP POST, signed where there is a secret.

use std::io::{self, Read};
use std::sync::Arc;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::{Agent, SendBody};

use super::Fault;
use super::gate::Gate;
use super::message::Message;
use crate::config::Webhook;
use crate::deadline::Deadline;
use crate::time::Timestamp;

/// The header field with the signature: `t=TIME,v1=HEX`.
const SIGNATURE: &str = "X-Bowline-Signature";
/// The header field with the message's identifier.
const ID: &str = "X-Bowline-Id";

/// A finished request.
pub(super) struct Post {
    webhook: Webhook,
    id: String,
    body: Vec<u8>,
    signature: Option<String>,
}

impl Post {
    /// The request that a message is.
    ///
    /// # Errors
    /// When a template in the configured body has an error.
    pub(super) fn of(message: &Message, webhook: &Webhook, now: Timestamp) -> Result<Self, Fault> {
        let document = match &webhook.body {
            Some(form) => message
                .document_like(form)
                .map_err(|why| Fault::refused(format_args!("[notify.webhook] body: {why}")))?,
            None => message.document.clone(),
        };
        let body = document.to_string().into_bytes();
        let secret = webhook.secret.as_ref();
        Ok(Post {
            webhook: webhook.clone(),
            id: message.id.clone(),
            signature: secret.map(|secret| signature(secret.secret(), now, &body)),
            body,
        })
    }

    /// Sends it.
    pub(super) fn send(self, deadline: Deadline, gate: Gate) -> Result<(), Fault> {
        let agent: Agent = Agent::config_builder()
            .timeout_global(Some(deadline.left()))
            // Neither the environment nor the receiver sends it elsewhere.
            .proxy(None)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            .user_agent(concat!("bowline/", env!("CARGO_PKG_VERSION")))
            .tls_config(tls(self.webhook.url.scheme_str() == Some("https")))
            .build()
            .into();
        let mut request = agent
            .post(&self.webhook.url)
            .header("Content-Type", "application/json")
            .header("Content-Length", self.body.len())
            .header(ID, &self.id);
        if let Some(signature) = &self.signature {
            request = request.header(SIGNATURE, signature);
        }
        for (name, value) in &self.webhook.headers {
            request = request.header(name, value.secret());
        }
        let body = Body {
            octets: io::Cursor::new(self.body),
            gate: Some(gate),
        };
        let answer =
            request
                .send(SendBody::from_owned_reader(body))
                .map_err(|error| match error {
                    ureq::Error::Timeout(_) => Fault::late(),
                    error => Fault::silent(error),
                })?;
        let status = answer.status();
        match status.as_u16() {
            200..=299 => Ok(()),
            300..=399 => Err(Fault::refused(format_args!(
                "it answers {status}: redirects are not followed"
            ))),
            // As ntfy answers what is longer than 4096 octets, and others what is too long for
            // them.
            400 | 413 | 422 => Err(Fault::too_much(format_args!("it answers {status}"))),
            _ => Err(Fault::refused(format_args!("it answers {status}"))),
        }
    }
}

/// The body, which passes the gate when it is first asked for: then the connection stands.
struct Body {
    octets: io::Cursor<Vec<u8>>,
    gate: Option<Gate>,
}

impl Read for Body {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if let Some(gate) = self.gate.take() {
            gate.pass().map_err(io::Error::other)?;
        }
        self.octets.read(into)
    }
}

/// The system's roots, read where they are needed.
fn tls(is_needed: bool) -> TlsConfig {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let roots = match is_needed {
        true => rustls_native_certs::load_native_certs().certs,
        false => Vec::new(),
    };
    let roots: Vec<_> = (roots.iter())
        .map(|root| Certificate::from_der(root).to_owned())
        .collect();
    TlsConfig::builder()
        .unversioned_rustls_crypto_provider(provider)
        .root_certs(RootCerts::Specific(Arc::new(roots)))
        .build()
}

/// `t=TIME,v1=HEX`: the HMAC-SHA-256 of TIME, a full stop, and the body.
fn signature(secret: &str, now: Timestamp, body: &[u8]) -> String {
    let time = now.seconds().to_string();
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else {
        // HMAC takes keys of any length.
        return String::new();
    };
    mac.update(time.as_bytes());
    mac.update(b".");
    mac.update(body);
    let digest = mac.finalize().into_bytes();
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("t={time},v1={hex}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By `printf '1700000000.{"a":1}' | openssl dgst -sha256 -hmac s3cret`.
    #[test]
    fn the_signature_is_what_openssl_says() {
        let signed = signature(
            "s3cret",
            Timestamp::from_seconds(1_700_000_000),
            b"{\"a\":1}",
        );
        assert_eq!(
            signed,
            "t=1700000000,v1=1698a50bc74d1ff1db85c4e0a5297c2ad9fdba245d5737cdb789e4cc6e098940"
        );
    }
}
