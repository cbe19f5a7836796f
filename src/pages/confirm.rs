//! The short page on a secret path: what the name has, and a button to change it.

use crate::http::{Response, Status};
use crate::registry::Host;

/// The page for a host. The form's action is the page's own path without its query: the
/// secret is not in the page, and the address is the connection's.
pub fn confirm(host: &Host) -> Response {
    // A host name is letters, digits, hyphens and dots, an address as much: nothing to escape.
    let name = host.name.as_str();
    let addresses: Vec<String> = host
        .fact
        .addresses
        .iter()
        .map(|ip| ip.to_string())
        .collect();
    let addresses = match addresses.as_slice() {
        [] => "no address".to_owned(),
        some => some.join(" and "),
    };
    Response::page(
        Status::Ok,
        format!(
            "<!DOCTYPE html>\n\
             <html lang=\"en\">\n\
             <meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <title>{name}</title>\n\
             <h1>{name}</h1>\n\
             <p>This name has {addresses}.</p>\n\
             <form method=\"post\" action=\"?\"><button>Point it at this connection</button></form>\n\
             </html>\n"
        ),
    )
}
