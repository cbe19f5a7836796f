//! A verb as it was typed, in one form: for the configuration to keep.

use clap::parser::ValueSource;
use clap::{ArgMatches, Command};

/// The words of `verb`, but for options that are not kept.
pub(super) fn line(verb: &Command, typed: &ArgMatches, not_kept: &[&str]) -> String {
    let mut words: Vec<String> = vec![verb.get_name().to_owned()];
    for argument in verb.get_arguments() {
        let id = argument.get_id().as_str();
        let is_typed = typed.value_source(id) == Some(ValueSource::CommandLine);
        if !is_typed || not_kept.contains(&id) {
            continue;
        }
        let option = argument.get_long().map(|long| format!("--{long}"));
        if !argument.get_action().takes_values() {
            words.extend(option);
            continue;
        }
        for value in typed.get_raw(id).into_iter().flatten() {
            words.extend(option.clone());
            words.push(quoted(&value.to_string_lossy()));
        }
    }
    words.join(" ")
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.,:/@%+=".contains(c);
    match !word.is_empty() && word.chars().all(is_plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use clap::{Arg, ArgAction};

    use super::*;

    #[test]
    fn in_one_form_and_as_a_shell_takes_it() {
        let verb = Command::new("init")
            .arg(Arg::new("zone"))
            .arg(Arg::new("public").long("public").action(ArgAction::Append))
            .arg(Arg::new("ttl").long("ttl").default_value("60"))
            .arg(Arg::new("acme").long("acme").action(ArgAction::SetTrue))
            .arg(Arg::new("apply").long("apply").action(ArgAction::SetTrue));
        let said = |words: &[&str]| {
            let typed = verb
                .clone()
                .try_get_matches_from([&["init"], words].concat());
            line(&verb, &typed.unwrap(), &["apply"])
        };
        let one = "init z --public 192.0.2.1 --public 2001:db8::1 --acme";
        for words in [
            "z --acme --public 192.0.2.1 --public 2001:db8::1",
            "--apply --public=192.0.2.1 --acme --public=2001:db8::1 z",
        ] {
            let words: Vec<&str> = words.split(' ').collect();
            assert_eq!(said(&words), one);
        }
        assert_eq!(said(&["z", "--ttl", "60"]), "init z --ttl 60");
        assert_eq!(said(&["it's a*", "--ttl="]), r"init 'it'\''s a*' --ttl ''");
    }
}
