//! A command on this machine: what happened is in its environment, and as JSON on its
//! standard input.

use std::process::Command as Process;

use super::gate::Gate;
use super::message::Message;
use super::{Fault, process};
use crate::config::Command;
use crate::deadline::Deadline;

/// Octets of a text that a program gets in its environment, where Linux takes 128 KiB; all of
/// it is in the document.
const LONGEST: usize = 64 * 1024;

/// A finished call.
pub(super) struct Call {
    words: Vec<String>,
    environment: Vec<(&'static str, String)>,
    input: Vec<u8>,
}

impl Call {
    /// The call that a message is.
    pub(super) fn of(message: &Message, command: &Command) -> Self {
        let newest = &message.newest;
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let count = message.document.get("count");
        let environment = vec![
            ("BOWLINE_ID", message.id.clone()),
            ("BOWLINE_TITLE", message.title.clone()),
            ("BOWLINE_TEXT", message.text.clone()),
            (
                "BOWLINE_COUNT",
                count.map_or_else(String::new, ToString::to_string),
            ),
            ("BOWLINE_EVENT", newest.event.clone()),
            ("BOWLINE_TIME", newest.time.clone()),
            ("BOWLINE_HOST", text(&newest.fqdn)),
            ("BOWLINE_ZONE", text(&newest.zone)),
            ("BOWLINE_IPV4", text(&newest.ipv4)),
            ("BOWLINE_IPV6", text(&newest.ipv6)),
            ("BOWLINE_LAST_IPV4", text(&newest.last_ipv4)),
            ("BOWLINE_LAST_IPV6", text(&newest.last_ipv6)),
            ("BOWLINE_REASON", text(&newest.reason)),
        ];
        Call {
            words: command.command.clone(),
            environment,
            input: message.document.to_string().into_bytes(),
        }
    }

    /// Makes it.
    pub(super) fn make(&self, deadline: Deadline, gate: &Gate) -> Result<(), Fault> {
        let Some((program, arguments)) = self.words.split_first() else {
            return Err(Fault::refused("there is no command"));
        };
        let mut command = Process::new(program);
        // An environment cannot hold it, and no text of ours has one.
        let clean = |text: &String| cut(text).replace('\0', " ");
        command.args(arguments).envs(
            self.environment
                .iter()
                .map(|(name, text)| (name, clean(text))),
        );
        process::run(command, &self.input, deadline, gate)
    }
}

/// The beginning of a text, where it is too long.
fn cut(text: &str) -> &str {
    let ends = (0..=LONGEST.min(text.len())).rev();
    let mut beginnings = ends.filter_map(|end| text.get(..end));
    beginnings.next().unwrap_or_default()
}
