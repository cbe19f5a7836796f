//! What the documents say is so: their commands run or are at least commands of ours, their
//! links lead somewhere, and the messages they quote are ours.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    dead_code
)]

mod support;

#[path = "documents/account.rs"]
mod account;
#[path = "support/machine.rs"]
mod machine;
#[path = "documents/page.rs"]
mod page;
#[path = "command/place.rs"]
mod place;
#[path = "documents/reference.rs"]
mod reference;
#[path = "documents/rooms.rs"]
mod rooms;
#[path = "support/apache.rs"]
mod site;
#[path = "documents/story.rs"]
mod story;
#[path = "documents/whole.rs"]
mod whole;
#[path = "documents/words.rs"]
mod words;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use bowline::config::Config;
use page::{Page, pages, root};

#[test]
fn every_command_of_ours_is_one() {
    let mut checked = 0;
    for page in pages() {
        for command in page.commands() {
            for ours in page::ours(&command) {
                let matched = bowline::command::tree().try_get_matches_from(&ours);
                assert!(
                    matched.is_ok(),
                    "{}: {command}: {}",
                    page.name,
                    matched.unwrap_err()
                );
                checked += 1;
            }
        }
        for ours in page.inline() {
            // A verb with its options; what it is about is left out in a sentence.
            let Err(error) = bowline::command::tree().try_get_matches_from(&ours) else {
                checked += 1;
                continue;
            };
            use clap::error::ErrorKind;
            let known = [
                ErrorKind::MissingRequiredArgument,
                ErrorKind::DisplayHelp,
                ErrorKind::DisplayVersion,
                ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand,
            ];
            assert!(
                known.contains(&error.kind()),
                "{}: {ours:?}: {error}",
                page.name
            );
            checked += 1;
        }
    }
    assert!(checked > 60, "{checked}");
}

#[test]
fn the_containers_run_commands_of_ours() {
    let compose = fs::read_to_string(root().join("docker/compose.yml")).unwrap();
    let setup = compose.split("    command:\n").nth(1).unwrap();
    let setup = setup.split("\n\n").next().unwrap().replace("      - ", "");
    // What the operator puts in.
    let given = |word: &str| match word.split_once("${") {
        Some((option, "ZONE:?the zone, e.g. dyn.example.org}")) => {
            format!("{option}dyn.example.org")
        }
        Some((option, value)) if value.starts_with("URL") => {
            format!("{option}https://update.example.org")
        }
        Some((option, value)) if value.starts_with("PUBLIC") => format!("{option}203.0.113.53"),
        Some((option, _)) => format!("{option}ns1.example.org"),
        None => word.to_owned(),
    };
    let mut commands: Vec<Vec<String>> = vec![setup.lines().map(given).collect()];
    for line in compose
        .lines()
        .filter_map(|line| line.trim().strip_prefix("command: [bowline, "))
    {
        let words = line.trim_end_matches(']').split(", ");
        let words = words.map(|word| word.trim_matches('"').to_owned());
        commands.push(std::iter::once("bowline".to_owned()).chain(words).collect());
    }
    assert_eq!(commands.len(), 3, "{commands:?}");
    for command in commands {
        let matched = bowline::command::tree().try_get_matches_from(&command);
        assert!(matched.is_ok(), "{command:?}: {}", matched.unwrap_err());
    }
}

#[test]
fn every_link_leads_somewhere() {
    let all = pages();
    let mut links = 0;
    for page in &all {
        for link in page.links() {
            let (path, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let file = match path {
                "" => page.file.clone(),
                path => page.file.parent().unwrap().join(path),
            };
            assert!(file.exists(), "{}: {link}", page.name);
            links += 1;
            if !anchor.is_empty() {
                let there = Page::read(&file).anchors();
                assert!(there.contains(anchor), "{}: {link}: {there:?}", page.name);
            }
        }
    }
    assert!(links > 40, "{links}");
}

#[test]
fn every_page_is_in_the_book() {
    let src = root().join("docs/src");
    let summary = Page::read(&src.join("SUMMARY.md"));
    let listed: BTreeSet<_> = summary
        .links()
        .into_iter()
        .map(|link| src.join(link))
        .collect();
    let mut there: BTreeSet<_> = pages()
        .into_iter()
        .map(|page| page.file)
        .filter(|file| file.starts_with(&src))
        .collect();
    there.remove(&src.join("SUMMARY.md"));
    assert_eq!(listed, there);
}

#[test]
fn every_configuration_can_be_read() {
    let place = place::Place::new();
    let there = fs::read_to_string(place.file("etc/bowline.toml")).unwrap();
    let state = there.split("[[zone]]").next().unwrap().split('\n').skip(1);
    let state: String = state.map(|line| format!("{line}\n")).collect();
    place.write("etc/bind.key", &place.read("etc/tsig.key"));
    let mut examples = 0;
    for entry in fs::read_dir(root().join("examples")).unwrap() {
        let file = entry.unwrap().path();
        if file.extension().is_some_and(|kind| kind == "toml") {
            let text = fs::read_to_string(&file).unwrap();
            place.write("etc/bowline.toml", &format!("{text}\n{state}"));
            assert_eq!(place.done("config check"), "ok\n", "{}", file.display());
            examples += 1;
        }
    }
    assert!(examples > 4, "{examples}");
    for page in pages() {
        for (_, text) in page.blocks("toml") {
            let whole = match text.starts_with("url") {
                true => text,
                false => format!("url = \"https://update.example.org\"\n{text}"),
            };
            let parsed = Config::parse(Path::new("/etc/bowline/bowline.toml"), &whole);
            assert!(
                parsed.is_ok(),
                "{}: {whole}: {}",
                page.name,
                parsed.unwrap_err()
            );
        }
    }
}

#[test]
fn messages_in_the_troubleshooting_are_ours() {
    let source = page::source();
    let page = Page::read(&root().join("docs/src/troubleshooting.md"));
    let mut checked = 0;
    for line in page.text.lines() {
        let Some(message) = line
            .strip_prefix("### `")
            .and_then(|line| line.strip_suffix('`'))
        else {
            continue;
        };
        // What a message is made of stands in the source between its values.
        for part in message.split('…') {
            assert!(source.contains(part.trim()), "{message}: {part:?}");
        }
        checked += 1;
    }
    assert!(checked > 15, "{checked}");
}

#[test]
fn what_is_typed_into_a_device_is_what_is_printed_for_it() {
    let mut checked = 0;
    for page in pages() {
        for line in page.text.lines() {
            let Some(device) = line.strip_prefix("```text for=") else {
                continue;
            };
            let file = root().join(format!("devices/{device}.txt"));
            let lines = fs::read_to_string(file).unwrap();
            let lines = lines.lines();
            let wanted: String = lines
                .filter(|line| !line.starts_with("# begin ") && !line.starts_with("# end "))
                .map(|line| format!("{line}\n"))
                .collect();
            let blocks = page.blocks(&format!("text for={device}"));
            assert_eq!(blocks[0].1, wanted, "{}: {device}", page.name);
            checked += 1;
        }
    }
    assert!(checked > 8, "{checked}");
}

#[test]
fn the_readme_stays_short() {
    let lines = Page::read(&root().join("README.md")).text.lines().count();
    assert!(lines < 250, "{lines}");
}
