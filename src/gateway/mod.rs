//! The gateways: from what a web server passes on to a request, and back.

pub mod cgi;
pub mod fastcgi;
pub mod meta;
