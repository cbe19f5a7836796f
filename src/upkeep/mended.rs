//! The line for a host whose records were put back: nothing is undone without one.

use std::fmt::Display;

use crate::config::LogLevel;
use crate::ip::Family;
use crate::log::{Line, Logger};
use crate::registry::Host;

/// Tells that the name server had `shown`, and has what the host wishes.
pub(super) fn tell(logger: &Logger, host: &Host, shown: &dyn Display) {
    let mut line = Line::new(LogLevel::Warning, "upkeep").field("host", &host.name);
    for address in host.wish.records.addresses.iter() {
        line = line.field(Family::of(address).as_str(), address);
    }
    let line = line.field("result", "mended");
    logger.write(&line.words("reason", format!("the name server had {shown}")));
}
