//! Templates: what a message says of an event, in our words or the operator's.

use std::fmt;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use minijinja::value::Serde;
use minijinja::{Environment, Value};

use super::fault::one_line;
use super::variables::Variables;
use crate::event::Event;

/// Where the subject of a message stands: in the first line.
const SUBJECT: &str = "Subject:";
/// Ours for HTML, around the text of any event.
const HTML: &str = include_str!("templates/html.j2");

/// The templates in force.
#[derive(Default)]
pub struct Templates {
    own: Vec<Own>,
}

/// One that the operator has written.
struct Own {
    event: Event,
    is_html: bool,
    file: PathBuf,
    source: String,
}

/// What a template made of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rendered {
    pub(super) subject: String,
    pub(super) text: String,
    /// Where the operator has a template for it.
    pub(super) html: Option<String>,
}

/// What is wrong with a template; ours is used in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateError {
    /// Its file.
    pub file: PathBuf,
    /// In which line, where that is known.
    pub line: Option<usize>,
    /// What.
    pub why: String,
}

impl Templates {
    /// Reads the operator's templates; those with errors are left out, and named.
    pub fn load(directory: Option<&Path>) -> (Self, Vec<TemplateError>) {
        let (mut templates, mut errors) = (Templates::default(), Vec::new());
        let Some(directory) = directory else {
            return (templates, errors);
        };
        if !directory.is_dir() {
            errors.push(TemplateError::of(directory, None, "it is no directory"));
        }
        for event in Event::ALL {
            for is_html in [false, true] {
                match Own::read(directory, event, is_html) {
                    Ok(None) => {}
                    Ok(Some(own)) => templates.own.push(own),
                    Err(error) => errors.push(error),
                }
            }
        }
        (templates, errors)
    }

    /// What is to be said of an event; errors of the operator's templates go to `errors`.
    pub(super) fn render(
        &self,
        event: Event,
        variables: &Variables,
        errors: &mut Vec<TemplateError>,
    ) -> Rendered {
        let mut own = |is_html| {
            let own = (self.own.iter()).find(|own| (own.event, own.is_html) == (event, is_html))?;
            match own.render(variables) {
                Ok(text) => Some(text),
                Err(error) => {
                    if !errors.contains(&error) {
                        errors.push(error);
                    }
                    None
                }
            }
        };
        let html = own(true);
        // Ours name what there always is: a test renders every one of them.
        let text = own(false).unwrap_or_else(|| {
            let ours = engine().render_named_str("ours", ours(event), values(variables));
            ours.unwrap_or_else(|error| format!("{event}: {error}"))
        });
        let (subject, text) = match text.trim_start().split_once('\n') {
            Some((first, rest)) if first.starts_with(SUBJECT) => {
                (first.get(SUBJECT.len()..).unwrap_or_default(), rest)
            }
            _ => ("", text.as_str()),
        };
        Rendered {
            subject: match one_line(subject) {
                subject if subject.is_empty() => {
                    let about = variables.fqdn.as_deref().unwrap_or("bowline");
                    format!("{about}: {event}")
                }
                subject => subject,
            },
            text: text.trim().to_owned(),
            html,
        }
    }
}

/// A text as HTML.
pub(super) fn html(title: &str, text: &str) -> String {
    let paragraphs: Vec<Vec<&str>> = (text.split("\n\n"))
        .map(|paragraph| paragraph.lines().collect())
        .collect();
    let values = Value::from(Serde(serde_json::json!({
        "title": title,
        "paragraphs": paragraphs,
    })));
    (engine().render_named_str("html.j2", HTML, values)).unwrap_or_default()
}

/// A text in which variables stand, of `[notify.webhook] body`.
pub(super) fn fill(text: &str, values: &serde_json::Value) -> Result<String, String> {
    let values = Value::from(Serde(values));
    (engine().render_named_str("body", text, values)).map_err(|error| why(&error))
}

impl Own {
    /// Reads one, and tries it.
    fn read(directory: &Path, event: Event, is_html: bool) -> Result<Option<Self>, TemplateError> {
        let file = directory.join(file_name(event, is_html));
        let source = match std::fs::read_to_string(&file) {
            // Some editors begin a file with a byte order mark, which is no part of a subject.
            Ok(source) => match source.strip_prefix('\u{feff}') {
                Some(marked) => marked.to_owned(),
                None => source,
            },
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(TemplateError::of(&file, None, &error.to_string())),
        };
        let own = Own {
            event,
            is_html,
            file,
            source,
        };
        own.render(&Variables::example(event))?;
        Ok(Some(own))
    }

    fn render(&self, variables: &Variables) -> Result<String, TemplateError> {
        // What is in HTML is escaped by the name.
        let name = if self.is_html {
            "own.html.j2"
        } else {
            "own.j2"
        };
        (engine().render_named_str(name, &self.source, values(variables)))
            .map_err(|error| TemplateError::of(&self.file, error.line(), &why(&error)))
    }
}

fn engine() -> Environment<'static> {
    Environment::new()
}

fn values(variables: &Variables) -> Value {
    Value::from(Serde(variables))
}

/// Whether a file of that name in the operator's directory is a template.
pub fn is_template(name: &str) -> bool {
    let both = [false, true];
    let is = |event| {
        both.iter()
            .any(|is_html| file_name(event, *is_html) == name)
    };
    Event::ALL.into_iter().any(is)
}

/// The name of a template's file.
fn file_name(event: Event, is_html: bool) -> String {
    let end = if is_html { ".html" } else { "" };
    format!("{}_notification{end}.j2", stem(event))
}

/// What an event's template is called; the first two as ddns-service calls them.
fn stem(event: Event) -> &'static str {
    match event {
        Event::Changed => "change",
        Event::Expired => "expiry",
        other => other.as_str(),
    }
}

/// Ours.
const fn ours(event: Event) -> &'static str {
    match event {
        Event::Changed => include_str!("templates/changed.j2"),
        Event::Expired => include_str!("templates/expired.j2"),
        Event::Silent => include_str!("templates/silent.j2"),
        Event::Pending => include_str!("templates/pending.j2"),
        Event::Mended => include_str!("templates/mended.j2"),
        Event::OldToken => include_str!("templates/old-token.j2"),
        Event::Upkeep => include_str!("templates/upkeep.j2"),
    }
}

fn why(error: &minijinja::Error) -> String {
    match error.detail() {
        Some(detail) => format!("{}: {detail}", error.kind()),
        None => error.kind().to_string(),
    }
}

impl TemplateError {
    fn of(file: &Path, line: Option<usize>, why: &str) -> Self {
        TemplateError {
            file: file.to_owned(),
            line,
            why: one_line(why),
        }
    }
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        write!(f, ": {}", self.why)
    }
}

impl std::error::Error for TemplateError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(templates: &Templates, event: Event, variables: &Variables) -> Rendered {
        let mut errors = Vec::new();
        let rendered = templates.render(event, variables, &mut errors);
        assert_eq!(errors, []);
        rendered
    }

    #[test]
    fn ours_render_with_everything_and_with_nothing() {
        for event in Event::ALL {
            let bare = rendered(&Templates::default(), event, &Variables::default());
            assert!(!bare.subject.is_empty(), "{event}");
            let whole = rendered(&Templates::default(), event, &Variables::example(event));
            let whole = format!("{}\n\n{}\n", whole.subject, whole.text);
            assert!(!whole.contains("None"), "{event}: {whole}");
            assert!(!whole.contains("\n\n\n"), "{event}: {whole}");
            assert!(!whole.contains(" \n"), "{event}: {whole}");
        }
    }

    #[test]
    fn a_change_reads_well() {
        let variables = Variables {
            last_ipv6: None,
            is_pending: true,
            ..Variables::example(Event::Changed)
        };
        let rendered = rendered(&Templates::default(), Event::Changed, &variables);
        assert_eq!(
            rendered.subject,
            "home.dyn.example.org is now at 203.0.113.7 and 2001:db8::7"
        );
        let end = "\n\nIPv4: 203.0.113.6 -> 203.0.113.7\nIPv6: none -> 2001:db8::7\n\n\
                   The name server has not confirmed it yet.\n\nNote: an example";
        assert!(rendered.text.ends_with(end), "{}", rendered.text);
    }

    #[test]
    fn what_expired_reads_well() {
        let text = |ipv6: Option<&str>| {
            let variables = Variables {
                ipv6: ipv6.map(str::to_owned),
                ipv6_expired: ipv6.is_none(),
                last_ipv4_update: None,
                last_ipv6_update: None,
                time: "noon".to_owned(),
                ..Variables::example(Event::Expired)
            };
            rendered(&Templates::default(), Event::Expired, &variables).text
        };
        assert_eq!(
            text(None),
            "home.dyn.example.org was silent for too long; its records were removed at noon.\n\n\
             IPv4: 203.0.113.6\nIPv6: 2001:db8::6\n\n\
             Its next visit brings them back.\n\nNote: an example"
        );
        assert_eq!(
            text(Some("2001:db8::6")),
            "home.dyn.example.org was heard, but for too long without one of its addresses; \
             that was removed at noon.\n\nIPv4: 203.0.113.6\n\n\
             Its next visit with an address of that family brings it back.\n\nNote: an example"
        );
    }

    #[test]
    fn the_variables_of_ddns_service() {
        let directory = tempfile::tempdir().unwrap();
        let change = "{{ hostname }} {{ zone }} {{ fqdn }}\n\
            {% if ipv4_changed %}4 {{ ipv4 }} {{ last_ipv4_update }}{% endif %}\n\
            {% if ipv6_changed %}6 {{ ipv6 }} {{ last_ipv6_update }}{% endif %} {{ expiry_ttl }}";
        let expiry = "{% if ipv4_expired %}4 {{ last_ipv4 }}{% endif %} \
            {%- if ipv6_expired %} 6 {{ last_ipv6 }}{% endif %} {{ expiry_ttl }}";
        std::fs::write(directory.path().join("change_notification.j2"), change).unwrap();
        std::fs::write(directory.path().join("expiry_notification.j2"), expiry).unwrap();
        let (templates, errors) = Templates::load(Some(directory.path()));
        assert_eq!(errors, []);
        let mut variables = Variables::example(Event::Changed);
        variables.last_ipv4_update = Some("T4".to_owned());
        variables.ipv6_changed = false;
        let change = rendered(&templates, Event::Changed, &variables);
        assert_eq!(change.subject, "home.dyn.example.org: changed");
        assert_eq!(
            change.text,
            "home dyn.example.org home.dyn.example.org\n4 203.0.113.7 T4\n 3600"
        );
        let expiry = rendered(
            &templates,
            Event::Expired,
            &Variables::example(Event::Expired),
        );
        assert_eq!(expiry.text, "4 203.0.113.6 6 2001:db8::6 3600");
    }

    #[test]
    fn errors_are_named_and_ours_is_used() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("change_notification.j2");
        std::fs::write(&file, "Subject: x\n\n{% if ipv4 %}\n{{ ipv4 \n").unwrap();
        let (templates, errors) = Templates::load(Some(directory.path()));
        let named = errors.first().unwrap().to_string();
        let place = format!("{}:4: ", file.display());
        assert!(named.starts_with(&place), "{named}");
        let rendered = rendered(
            &templates,
            Event::Changed,
            &Variables::example(Event::Changed),
        );
        assert!(rendered.subject.contains("is now at"), "{rendered:?}");
        std::fs::write(&file, "{{ ipv4 | nothing }}").unwrap();
        let (_, errors) = Templates::load(Some(directory.path()));
        assert_eq!(errors.first().and_then(|error| error.line), Some(1));
    }

    #[test]
    fn a_byte_order_mark_hides_no_subject() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("change_notification.j2");
        std::fs::write(file, "\u{feff}Subject: moved\r\n\r\nto {{ ipv4 }}\r\n").unwrap();
        let (templates, errors) = Templates::load(Some(directory.path()));
        assert_eq!(errors, []);
        let example = Variables::example(Event::Changed);
        let change = rendered(&templates, Event::Changed, &example);
        assert_eq!(
            (change.subject.as_str(), change.text.as_str()),
            ("moved", "to 203.0.113.7")
        );
    }

    #[test]
    fn html_escapes() {
        let made = html("a & b", "one <b>\ntwo\n\nthree");
        assert!(made.contains("<title>a &amp; b</title>"), "{made}");
        assert!(
            made.contains("<p>one &lt;b&gt;<br>\ntwo</p>\n<p>three</p>"),
            "{made}"
        );
    }
}
