//! Word of what happened: the outbox is emptied by mail, by webhook and by a command.
//!
//! What is due on a channel for one recipient is one message. It has an identifier of its own,
//! under which its notices are claimed in the registry just before it goes out; each sender
//! stands before a gate at that moment. So a crash before it loses nothing, and one after
//! it repeats nothing: what was claimed and has no result is given up, and said to be.

mod command;
mod fault;
mod gate;
mod mail;
mod message;
mod preset;
mod process;
mod round;
mod template;
mod variables;
mod webhook;

use std::time::Duration;

pub use fault::Fault;
pub use message::try_body;
pub use preset::Preset;
pub use round::{Delivered, Tested, deliver, test};
pub use template::{TemplateError, Templates, is_template};

/// A receiver of mail, or of a webhook, is waited for no longer than this in all.
const PATIENCE: Duration = Duration::from_secs(10);
