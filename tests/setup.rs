//! Set-up against the real servers: what `init` and `zone` write is what Knot and
//! Apache read.

#[path = "setup/apache.rs"]
mod apache;
#[path = "setup/files.rs"]
mod files;
#[path = "setup/knot.rs"]
mod knot;
#[path = "setup/trial.rs"]
mod trial;
#[path = "setup/zone.rs"]
mod zone;
