//! Certificates at home: what ACME clients want to stand at `_acme-challenge` of a host, so
//! that a certificate authority sees whose the name is (dns-01, RFC 8555 8.4).
//!
//! Three protocols carry it: `httpreq` of lego and Traefik, acme-dns, and the `txt=` of
//! DuckDNS. A challenge for `*.host` stands at the same name as that for the host, so two
//! values have to stand beside each other. Who registers at acme-dns's may name the networks from
//! which the account is used.

mod networks;
mod wanted;

pub use networks::AllowFrom;
pub use wanted::{Form, Wanted, WantedError};
