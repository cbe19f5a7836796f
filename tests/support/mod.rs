//! What several test programs share.

pub mod knot;
pub mod site;
