//! A mistake in the file, in its own words.

/// What is wrong in `text`, as the reader of TOML has found it.
pub(super) fn told(error: &toml::de::Error, text: &str) -> String {
    let begin = error.span().map(|span| span.start);
    let before = begin
        .and_then(|begin| text.get(..begin))
        .unwrap_or_default();
    let message = match is_of_notify(before) {
        true => without_value(error.message()),
        false => error.message().to_owned(),
    };
    let message = match message.split_once(", expected struct ") {
        Some((found, _)) => format!("{found}, expected a table"),
        None => message,
    };
    message
        .replace("unknown field", "unknown key")
        .replace(
            "map, expected a sequence",
            "map, expected tables, as [[zone]]",
        )
        .replace("expected a sequence", "expected a list in [ ]")
        .replace('\n', "; ")
}

/// Whether what comes next belongs to `[notify]`, where passwords are: what is told here gets
/// into the log.
fn is_of_notify(before: &str) -> bool {
    let lines = || before.lines().rev().map(str::trim_start);
    let header = lines().find(|line| line.starts_with('['));
    header.is_some_and(|header| header.starts_with("[notify"))
        || lines()
            .next()
            .is_some_and(|line| line.starts_with("notify"))
}

/// A message about a value of another type than expected, without that value.
fn without_value(message: &str) -> String {
    let found = message.strip_prefix("invalid type: ");
    // The value may have any words in it: those at the end are ours.
    let parts = found.and_then(|found| found.rsplit_once(", expected "));
    match parts {
        Some((found, expected)) => {
            let kind = found.split(['"', '`']).next().unwrap_or_default();
            format!("invalid type: {}, expected {expected}", kind.trim_end())
        }
        None => message.to_owned(),
    }
}
