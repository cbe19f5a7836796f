//! The reference pages are made from the code: command line, configuration, and the tables of
//! the HTTP page. `BOWLINE_BLESS=1 cargo test --test documents` writes them anew; read the diff.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;

use bowline::config::{TABLES, keys};
use bowline::update::{BUILT_IN, Dialect, Hosts, Omitted, Place, Style, Word};
use clap::{Arg, Command};

use crate::page::{Page, root};

/// Options that every verb has; they are told once.
const COMMON: [&str; 4] = ["config", "json", "help", "version"];

#[test]
fn the_command_line_is_what_the_code_says() {
    let mut tree = bowline::command::tree();
    tree.build();
    let mut text = "# Command line\n\nThis page is made from the program's own definitions, as `bowline --help` and the \
                    manual pages are.\n\n"
        .to_owned();
    let about = "The configuration is found by `--config`, else in the variable `BOWLINE_CONFIG`, else at \
                 `/etc/bowline/bowline.toml`. `--json` makes every verb that reports something print one JSON document. \
                 Exit status: 0 done, 1 failed, 2 wrong usage.\n";
    text += about;
    for verb in tree.get_subcommands() {
        describe(verb, &mut text);
    }
    agree("docs/src/cli.md", &text);
}

#[test]
fn the_configuration_is_what_the_code_says() {
    let mut text = "# bowline.toml\n\nThis page is made from the program's own definitions, as bowline.toml(5) is; \
                    `bowline config show` prints every key with its value in force. Relative paths are relative to the \
                    file; a key that is not here is an error. Durations are written `90`, `90s`, `15m`, `12h` or `30d`. \
                    A FastCGI responder that runs reads a change with `systemctl reload bowline`; CGI and commands read the file each time.\n"
        .to_owned();
    for (table, about) in TABLES {
        let heading = match table {
            "" => "First".to_owned(),
            "zone" | "endpoint" => format!("`[[{table}]]`"),
            table => format!("`[{table}]`"),
        };
        let default = |default: Option<&str>| match default {
            Some("") => String::new(),
            Some(default) => format!("`{default}`"),
            None => "must be there".to_owned(),
        };
        writeln!(
            text,
            "\n## {heading}\n\n{about}.\n\n| key | default | what it is |"
        )
        .unwrap();
        text += "|---|---|---|\n";
        for key in keys().filter(|key| key.table == table) {
            let doc = escaped(key.doc).replace('|', "\\|");
            let default = default(key.default).replace('|', "\\|");
            writeln!(text, "| `{}` | {default} | {doc} |", key.name).unwrap();
        }
    }
    agree("docs/src/toml.md", &text);
}

#[test]
fn the_forms_of_requests_are_what_the_code_says() {
    let page = root().join("docs/src/http.md");
    let (begin, end) = ("<!-- forms, from the code -->\n", "<!-- end -->\n");
    let text = fs::read_to_string(&page).unwrap();
    let (before, rest) = text.split_once(begin).unwrap();
    let (_, after) = rest.split_once(end).unwrap();
    agree(
        "docs/src/http.md",
        &format!("{before}{begin}{}{end}{after}", forms()),
    );
}

#[test]
fn the_answers_are_those_of_the_code() {
    let of = |words: &[Word]| -> BTreeSet<_> {
        let status = |word: &Word| word.status().line()[..3].to_owned();
        let words = words.iter();
        words
            .map(|word| (word.as_str().to_owned(), status(word)))
            .collect()
    };
    for (name, words) in [
        ("README.md", of(&words())),
        ("docs/src/http.md", of(&words())),
        ("docs/src/certificates.md", of(&OF_CERTIFICATES)),
    ] {
        let page = Page::read(&root().join(name));
        let table = page.text.split("| answer | status |").nth(1).unwrap();
        let rows = table
            .lines()
            .skip(2)
            .take_while(|line| line.starts_with('|'));
        let mut told = BTreeSet::new();
        for row in rows {
            let cells: Vec<_> = row.split('|').map(str::trim).collect();
            for word in cells[1].split('`').skip(1).step_by(2) {
                let word = word.split(' ').next().unwrap();
                told.extend(
                    cells[2]
                        .split(", ")
                        .map(|status| (word.to_owned(), status.to_owned())),
                );
            }
        }
        assert_eq!(told, words, "{name}");
    }
}

/// A verb and those below it.
fn describe(verb: &Command, text: &mut String) {
    let name = verb.get_bin_name().unwrap().to_owned();
    let level = name.split(' ').count();
    writeln!(text, "\n{} {name}\n", "#".repeat(level)).unwrap();
    let about = verb.get_long_about().or(verb.get_about()).unwrap();
    let (first, more) = (escaped(&about.to_string()), String::new());
    let (first, more) = first.split_once("\n\n").unwrap_or((&first, &more));
    writeln!(text, "{}.", first.trim_end_matches('.')).unwrap();
    if !more.is_empty() {
        writeln!(text, "\n{}.", more.trim_end_matches('.')).unwrap();
    }
    if verb.has_subcommands() {
        for below in verb.get_subcommands() {
            describe(below, text);
        }
        return;
    }
    let usage = verb.clone().render_usage().to_string();
    let usage = usage
        .trim_start_matches("Usage: ")
        .trim()
        .replace("\n       ", "\n");
    write!(text, "\n```text\n{usage}\n```\n").unwrap();
    let own = |arg: &&Arg| !COMMON.contains(&arg.get_id().as_str()) && !arg.is_hide_set();
    let mut own: Vec<&Arg> = verb.get_arguments().filter(own).collect();
    own.sort_by_key(|arg| arg.get_display_order());
    for (number, arg) in own.iter().enumerate() {
        if number == 0 {
            *text += "\n";
        }
        let help = arg.get_long_help().or(arg.get_help());
        let help =
            escaped(&help.map(ToString::to_string).unwrap_or_default()).replace("\n\n", ". ");
        let defaults = arg.get_default_values().iter();
        let defaults: Vec<_> = defaults.map(|value| value.to_string_lossy()).collect();
        // Whether a flag is given or not needs no word.
        let default = match defaults.is_empty() || !arg.get_action().takes_values() {
            true => String::new(),
            false => format!(" (else `{}`)", defaults.join(" ")),
        };
        // Its values are in the usage already, when they are few.
        let values = arg.get_possible_values().into_iter();
        let values: Vec<_> = values
            .map(|value| format!("`{}`", value.get_name()))
            .collect();
        let values = match arg.get_action().takes_values() && !values.is_empty() {
            true => format!(": {}", values.join(", ")),
            false => String::new(),
        };
        writeln!(
            text,
            "- `{}`: {help}{values}{default}",
            arg.to_string().trim()
        )
        .unwrap();
    }
}

/// One table row for each form, and the names of the parameters.
fn forms() -> String {
    let mut text =
        "\n| at | for | token in | hosts in | a family not given | answers | methods |\n\
                    |---|---|---|---|---|---|---|\n"
            .to_owned();
    for row in about_addresses().rev() {
        let paths: Vec<_> = row
            .paths
            .iter()
            .map(|path| format!("`{}`", path.0))
            .collect();
        let mut at = paths.join(", ");
        if let Some(when) = &row.when {
            at += &format!(" with `{when}=`");
        }
        writeln!(
            text,
            "| {at} | {} | {} | {} | {} | {} | {} |",
            row.name,
            credentials(row),
            hosts(row),
            match row.omitted {
                Omitted::Keep => "stays",
                Omitted::Remove => "**is removed**",
            },
            match row.style {
                Style::Words => "words",
                Style::Json => "JSON",
                Style::OkKo => "`OK`, `KO`",
                Style::Echo | Style::AcmeDns => unreachable!(),
            },
            row.allow(),
        )
        .unwrap();
    }
    let all = |names: fn(&Dialect) -> &[bowline::update::Text]| {
        let lists: BTreeSet<String> = about_addresses()
            .map(|row| list(names(row)))
            .filter(|list| !list.is_empty())
            .collect();
        // Every form understands the same ones; else this page has to say which.
        assert_eq!(lists.len(), 1, "{lists:?}");
        lists.into_iter().next().unwrap()
    };
    writeln!(
        text,
        "\nParameters with an IPv4 address, the first that has a value counts: {}.",
        all(|row| &row.ipv4)
    )
    .unwrap();
    writeln!(text, "With an IPv6 address: {}.\n", all(|row| &row.ipv6)).unwrap();
    text
}

/// The rows that are not about certificates alone.
fn about_addresses() -> impl DoubleEndedIterator<Item = &'static Dialect> {
    BUILT_IN
        .iter()
        .filter(|row| !matches!(row.style, Style::Echo | Style::AcmeDns))
}

fn credentials(row: &Dialect) -> String {
    let place = |place: &Place| match place {
        Place::Path => "the path".to_owned(),
        Place::Basic => "the password (Basic)".to_owned(),
        Place::Bearer => "Bearer".to_owned(),
        Place::Field => list(&row.tokens),
        Place::ApiKey => unreachable!(),
    };
    let places: Vec<_> = row.credentials.iter().map(place).collect();
    places.join(", ")
}

fn hosts(row: &Dialect) -> String {
    let mut places = Vec::new();
    if row.paths.iter().any(|path| path.0.contains("<name>")) {
        places.push("the path".to_owned());
    }
    if !row.names.is_empty() {
        places.push(list(&row.names));
    }
    let most = match row.hosts {
        Hosts::OfToken | Hosts::UpTo(1) => String::new(),
        Hosts::UpTo(most) => format!("; up to {most}"),
    };
    places.join(", ") + &most
}

fn list(names: &[bowline::update::Text]) -> String {
    let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}

/// Those about challenges alone.
const OF_CERTIFICATES: [Word; 5] = [
    Word::BadText,
    Word::BadJson,
    Word::BadNetworks,
    Word::Registered,
    Word::TooManyAccounts,
];

/// All others: a further one has to be put in its place here.
fn words() -> Vec<Word> {
    let mut all = vec![Word::Good];
    loop {
        all.push(match all[all.len() - 1] {
            Word::Good => Word::NoChange,
            Word::NoChange => Word::Pending,
            Word::Pending => Word::Trouble,
            Word::Trouble => Word::BadIp,
            Word::BadIp => Word::BadIpValue,
            Word::BadIpValue => Word::Unknown,
            Word::Unknown => Word::Abuse,
            Word::Abuse => Word::NoCredential,
            Word::NoCredential => Word::WrongCredential,
            Word::WrongCredential => Word::NoHost,
            Word::NoHost => Word::NotFqdn,
            Word::NotFqdn => Word::NumHost,
            Word::NumHost => Word::PlainHttp,
            Word::PlainHttp => Word::TooManyChanges,
            Word::TooManyChanges => Word::TooManyWrong,
            // The others are about certificates.
            Word::TooManyWrong
            | Word::BadText
            | Word::BadJson
            | Word::BadNetworks
            | Word::Registered
            | Word::TooManyAccounts => return all,
        });
    }
}

/// In Markdown an angle bracket would begin a tag, except in code.
fn escaped(text: &str) -> String {
    let parts = text.split('`').enumerate();
    let parts = parts.map(|(number, part)| match number % 2 {
        0 => part.replace('<', "\\<"),
        _ => part.to_owned(),
    });
    parts.collect::<Vec<_>>().join("`")
}

/// The page is this; or is made so.
fn agree(name: &str, text: &str) {
    let file = root().join(name);
    if std::env::var_os("BOWLINE_BLESS").is_some() {
        fs::write(&file, text).unwrap();
    }
    let agreed = fs::read_to_string(&file).unwrap_or_default();
    assert_eq!(
        text, agreed,
        "{name}: set BOWLINE_BLESS=1 to have it written anew"
    );
}
