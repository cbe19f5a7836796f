//! `bowline man`: the manual pages, made from the same definitions as the help.

use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;

use clap::{Args, Command};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, italic, roman};
use serde_json::json;

use super::tree::tree;
use super::{Context, Failure};
use crate::config::{TABLES, keys};

/// Write the manual pages into a directory
#[derive(Debug, Args)]
pub(super) struct Options {
    /// The directory; made when it is not there
    #[arg(value_name = "DIR")]
    directory: PathBuf,
}

/// Writes a page for bowline, one for each verb or group, and one for bowline.toml.
pub(super) fn run(options: Options, context: &mut Context<'_>) -> Result<(), Failure> {
    let directory = &options.directory;
    let failed = |error: io::Error| Failure::new(format!("{}: {error}", directory.display()));
    fs::create_dir_all(directory).map_err(failed)?;
    let mut names = Vec::new();
    for (name, text) in pages()? {
        fs::write(directory.join(&name), text).map_err(failed)?;
        names.push(name);
    }
    if context.json {
        return context.write_json(&json!({"directory": directory, "files": names}));
    }
    for name in names {
        writeln!(context.out, "{}", directory.join(name).display())?;
    }
    Ok(())
}

/// Every page by its file's name.
fn pages() -> Result<Vec<(String, Vec<u8>)>, Failure> {
    let mut root = tree();
    root.build();
    let mut pages = vec![("bowline.1".to_owned(), page(&root)?)];
    for verb in root.get_subcommands() {
        pages.push((format!("bowline-{}.1", verb.get_name()), page(verb)?));
    }
    pages.push(("bowline.toml.5".to_owned(), toml_page()));
    Ok(pages)
}

/// A verb's page; in that of a group its verbs follow, each with its options.
fn page(verb: &Command) -> Result<Vec<u8>, Failure> {
    let is_root = verb.get_name() == "bowline";
    let title = verb.get_bin_name().unwrap_or("bowline").replace(' ', "-");
    let man = Man::new(verb.clone()).title(title.to_uppercase());
    let mut text = Vec::new();
    man.render_title(&mut text)?;
    man.render_name_section(&mut text)?;
    man.render_synopsis_section(&mut text)?;
    man.render_description_section(&mut text)?;
    man.render_options_section(&mut text)?;
    if is_root {
        man.render_subcommands_section(&mut text)?;
        text.extend(exit_and_files());
        return Ok(text);
    }
    for verb in verb.get_subcommands() {
        text.extend(section(verb)?);
    }
    Ok(text)
}

/// A verb within its group's page.
fn section(verb: &Command) -> Result<Vec<u8>, Failure> {
    let man = Man::new(verb.clone());
    let mut parts = Vec::new();
    man.render_synopsis_section(&mut parts)?;
    man.render_description_section(&mut parts)?;
    man.render_options_section(&mut parts)?;
    let name = verb.get_bin_name().unwrap_or_default().to_uppercase();
    let mut text = format!(".SH \"{name}\"\n").into_bytes();
    for line in String::from_utf8_lossy(&parts).lines() {
        match line {
            ".SH DESCRIPTION" => text.extend(b".PP\n"),
            // One section per verb: its parts have no headings of their own.
            _ if line.starts_with(".SH") => {}
            _ if line.starts_with(".ie ") || line.starts_with(".el ") => {}
            _ => writeln!(text, "{line}")?,
        }
    }
    Ok(text)
}

/// What the root's page has besides its verbs.
fn exit_and_files() -> Vec<u8> {
    let mut page = Roff::new();
    page.control("SH", ["EXIT STATUS"]);
    for (code, meaning) in [
        (
            "0",
            "done; what is still pending is said in a note on standard error",
        ),
        (
            "1",
            "failed: the cause, and where useful a hint, are on standard error",
        ),
        ("2", "wrong usage"),
    ] {
        page.control("TP", [])
            .text([bold(code)])
            .text([roman(meaning)]);
    }
    page.control("SH", ["FILES"]);
    page.control("TP", []);
    page.text([italic(crate::config::DEFAULT_FILE)]);
    page.text([
        roman("the configuration, see "),
        bold("bowline.toml"),
        roman("(5)"),
    ]);
    page.control("SH", ["ENVIRONMENT"]);
    page.control("TP", []);
    page.text([bold("BOWLINE_CONFIG")]);
    page.text([roman("the configuration, where --config does not name one")]);
    page.to_roff().into_bytes()
}

/// bowline.toml(5), from the table of keys.
fn toml_page() -> Vec<u8> {
    let mut page = Roff::new();
    let version = concat!("bowline ", env!("CARGO_PKG_VERSION"));
    page.control("TH", ["BOWLINE.TOML", "5", "", version]);
    page.control("SH", ["NAME"]);
    page.text([roman("bowline.toml - the configuration of bowline(1)")]);
    page.control("SH", ["DESCRIPTION"]);
    page.text([roman(
        "TOML. Relative paths are relative to the file. An unknown key is an error. \
         Durations are written 90, 90s, 15m, 12h or 30d. A FastCGI responder that runs reads a \
         change with `systemctl reload bowline`; CGI and commands read the file each time.",
    )]);
    for (table, about) in TABLES {
        let heading = match table {
            "" => "FIRST".to_owned(),
            "zone" | "endpoint" => format!("[[{table}]]"),
            table => format!("[{table}]"),
        };
        page.control("SH", [heading.as_str()]);
        page.text([roman(format!("{about}."))]);
        for key in keys().filter(|key| key.table == table) {
            let default = match key.default {
                Some("") => String::new(),
                Some(default) => format!(" (default: {default})"),
                None => " (must be there)".to_owned(),
            };
            page.control("TP", []);
            page.text([bold(key.name), roman(default)]);
            page.text([roman(format!("{}.", key.doc))]);
        }
    }
    page.to_roff().into_bytes()
}
