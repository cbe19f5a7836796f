//! The script for machines that visit by themselves, as it is offered to them.

use std::sync::LazyLock;

use sha2::{Digest, Sha256};

use crate::http::{Request, Response, Status};

/// As it is shipped.
const SCRIPT: &str = include_str!("../../scripts/bowline-client");

/// Its entity tag (RFC 9110 8.8.3): of its octets, so that it changes with them only.
static TAG: LazyLock<String> = LazyLock::new(|| {
    let digest = Sha256::digest(SCRIPT);
    let hex: String = digest.iter().take(8).map(|b| format!("{b:02x}")).collect();
    format!("\"{hex}\"")
});

/// The script, or that it is still the one the client has.
pub fn script(request: &Request) -> Response {
    let known = request.header_text("If-None-Match");
    // A weak tag serves as well here (RFC 9110 13.1.2).
    let is_known = known
        .split(',')
        .map(|tag| tag.trim().trim_start_matches("W/"))
        .any(|tag| tag == *TAG || tag == "*");
    let response = if is_known {
        Response::not_modified()
    } else {
        Response::text(Status::Ok, SCRIPT)
    };
    // It is no secret, and may be kept for as long as it is asked about.
    response.cached("no-cache").with("ETag", TAG.as_str())
}
