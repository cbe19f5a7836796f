//! The gateways: from what a web server passes on to a request, and back.

pub mod cgi;
pub mod fastcgi;

use std::time::Duration;

use crate::config::LogLevel;
use crate::log::{Line, Logger};

/// A request must have arrived so long after it began: whoever waits hears something within 8 s.
const ARRIVAL: Duration = Duration::from_secs(7);

/// From now on a panic is a line on standard error that says where it was, and nothing of the
/// request: that may hold a secret, and a panic's message may quote it.
fn hide_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        let line = Line::new(LogLevel::Warning, "panic");
        Logger::default().write(&line.field("at", place.unwrap_or_default()));
    }));
}
