//! What several test programs share.
#![allow(dead_code, unreachable_pub)]

pub mod certificate;
pub mod chance;
pub mod chromium;
pub mod disk;
pub mod knot;
pub mod nginx;
pub mod site;
pub mod skip;
pub mod stopwatch;
pub mod visit;
pub mod web;

/// Runs cases in threads of their names, for those that wait more than they work.
#[allow(dead_code, unreachable_pub)]
pub fn at_once<const N: usize>(cases: [(&str, fn()); N]) {
    std::thread::scope(|scope| {
        for (name, case) in cases {
            let thread = std::thread::Builder::new().name(name.to_owned());
            thread.spawn_scoped(scope, case).unwrap();
        }
    });
}
