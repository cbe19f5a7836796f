//! HTTP as bowline sees it: a request that has arrived whole, and the answer to it.
//!
//! Nothing here waits for anything: the gateways make a [`Request`] of what the
//! web server passes on and write a [`Response`] in its way.

mod accept;
mod client;
mod fields;
mod meta;
mod multipart;
mod path;
mod refusal;
mod request;
mod response;

pub use client::client_address;
pub use fields::{Fields, Illegible};
pub use meta::{BodyLength, Meta};
pub use path::Path;
pub use refusal::Refusal;
pub use request::{BODY_MAX, HEAD_MAX, Method, Request};
pub use response::{Response, Status};
