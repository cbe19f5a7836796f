//! Records of removed hosts that an older zone has brought back: nobody moves them any more, and
//! whoever goes there reaches a stranger.
//!
//! They are told, and not taken away: what stands there may be the operator's own by now.

use super::worry;
use crate::config::{LogLevel, Zone};
use crate::deadline::Deadline;
use crate::log::{Line, Logger};
use crate::name::{HostName, RecordName};
use crate::publish::{PublishError, Publisher};
use crate::registry::Registry;

/// So many names are asked for, those that were removed last.
const MOST: u32 = 500;
/// So many are named where there are more.
const NAMED: usize = 5;

/// Tells what stands at names in a zone that went back whose hosts were removed since not so long.
pub(super) fn tell(
    zone: &Zone,
    registry: &mut Registry,
    publisher: &Publisher,
    logger: &Logger,
) -> Result<(), PublishError> {
    let resting = registry.resting(&zone.name, MOST)?;
    let both = |name: HostName| [RecordName::exact(name.clone()), RecordName::wildcard(name)];
    let names: Vec<RecordName> = resting.into_iter().flat_map(both).collect();
    if names.is_empty() {
        return Ok(());
    }
    let deadline = Deadline::after(Deadline::REQUEST);
    let Ok(standing) = publisher.standing(&zone.name, &names, deadline)? else {
        return Ok(());
    };
    if standing.is_empty() {
        return Ok(());
    }
    let named: Vec<String> = standing
        .iter()
        .take(NAMED)
        .map(ToString::to_string)
        .collect();
    let more = match standing.len() - named.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let reason = format!(
        "the older zone has records of removed hosts again: {}{more}",
        named.join(", ")
    );
    let hint = "take them out of the zone where they are not yours, as any static record";
    let line = Line::new(LogLevel::Warning, "upkeep").field("zone", &zone.name);
    let line = line.field("result", "911").words("reason", &reason);
    logger.write(&line.words("hint", hint));
    let need = format!("zone {}: {reason}; {hint}", zone.name);
    Ok(worry::need(registry, &need)?)
}
