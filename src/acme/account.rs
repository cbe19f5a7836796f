//! An acme-dns account: what clients of that protocol keep in a file.

use serde_json::{Value, json};

use crate::name::{HostName, RecordName};

/// The account of a host.
#[derive(Debug)]
pub struct Account<'a> {
    /// The host.
    pub host: &'a HostName,
    /// Its token, or what stands in its place.
    pub token: &'a str,
}

impl Account<'_> {
    /// What `/register` of an acme-dns server answers.
    pub fn to_json(&self) -> Value {
        let host = self.host.as_str();
        json!({
            "username": host,
            "password": self.token,
            "fulldomain": RecordName::challenge(self.host.clone()).to_string(),
            "subdomain": host,
            "allowfrom": [],
        })
    }
}
