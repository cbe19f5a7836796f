//! Every command that a page has for a terminal is run by a test, or stands here with the reason.

use crate::page::{pages, steps};
use crate::{story, whole};

/// What is not run, by how it begins.
const NOT_RUN: [(&str, &str); 4] = [
    ("./scripts/quickstart", "scripts/test runs it by itself"),
    (
        "docker compose",
        "no container engine; scripts/test-package tries the commands of its files",
    ),
    (
        "bowline init dyn.example.org --nameserver ns1.example.org --nameserver ns2",
        "needs a second machine; tests/servers/secondary.rs has one",
    ),
    (
        "bowline init dyn.example.org --url https://update.example.org --dns none",
        "needs somebody else's name server; tests/servers/served.rs has three",
    ),
];

#[test]
fn every_command_is_accounted_for() {
    let mut used = [0; NOT_RUN.len()];
    let (mut ran, mut all) = (0, 0);
    for page in pages() {
        for (heading, text) in page.blocks("console") {
            for (command, _) in steps(&text) {
                all += 1;
                let here = (page.name.as_str(), heading.as_str());
                if story::follows(here, &command) || whole::follows(here) {
                    ran += 1;
                    continue;
                }
                let excuse = NOT_RUN
                    .iter()
                    .position(|(begin, _)| command.starts_with(begin));
                let Some(excuse) = excuse else {
                    panic!("{}, {heading}: nothing runs this: {command}", page.name);
                };
                used[excuse] += 1;
            }
        }
    }
    // An excuse for nothing is none.
    for ((begin, _), used) in NOT_RUN.iter().zip(used) {
        assert!(used > 0, "{begin}");
    }
    assert!(ran > 80, "{ran} of {all}");
}
