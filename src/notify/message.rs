//! A message: what is due on a channel for one recipient.

use serde_json::{Value, json};

use super::template::{Rendered, TemplateError, Templates, fill, html as html_of};
use super::variables::Variables;
use crate::config::Config;
use crate::event::Event;
use crate::registry::{Notice, Registry, RegistryError};

/// So many events are told in full; of the others only how many they are.
const MOST: usize = 50;
/// Octets in an identifier.
const ID: usize = 16;

/// A message.
#[derive(Debug, Clone)]
pub(super) struct Message {
    /// Its identifier; the same when it is sent again.
    pub(super) id: String,
    /// Who gets it as mail; `None`: the operator.
    pub(super) to: Option<String>,
    /// One line.
    pub(super) title: String,
    pub(super) text: String,
    pub(super) html: String,
    /// All of it.
    pub(super) document: Value,
    /// The variables of its newest event: what is so now.
    pub(super) newest: Variables,
}

impl Message {
    /// The message about some notices, the first of which says to whom and as what it goes.
    ///
    /// # Errors
    /// When the registry cannot be read, or the system has no randomness to give.
    pub(super) fn about(
        notices: &[Notice],
        templates: &Templates,
        errors: &mut Vec<TemplateError>,
        config: &Config,
        registry: &Registry,
    ) -> Result<Self, MessageError> {
        let first = notices.first().ok_or(MessageError::Nothing)?;
        let id = match &first.message {
            Some(id) => id.clone(),
            None => new_id().map_err(MessageError::Random)?,
        };
        let mut parts = Vec::new();
        for notice in notices.iter().take(MOST) {
            let variables = Variables::of(notice, config, registry)?;
            let rendered = templates.render(notice.event(), &variables, errors);
            parts.push((notice, variables, rendered));
        }
        // It may not be among those that are told in full.
        let last = notices.last().unwrap_or(first);
        let newest = Variables::of(last, config, registry)?;
        let subject = templates.render(last.event(), &newest, errors).subject;
        let (title, text, html) = words(&parts, &subject, notices.len());
        let events: Vec<Value> = (parts.iter())
            .map(|(notice, variables, rendered)| event(notice, variables, rendered))
            .collect();
        Ok(Message {
            document: json!({
                "id": id,
                "title": title,
                "text": text,
                "count": notices.len(),
                "events": events,
            }),
            to: first.to.clone(),
            newest,
            id,
            title,
            text,
            html,
        })
    }

    /// Makes it recognisable as a test.
    pub(super) fn mark_as_test(&mut self) {
        self.title = format!("Test: {}", self.title);
        if let Some(document) = self.document.as_object_mut() {
            document.insert("title".to_owned(), self.title.clone().into());
            document.insert("test".to_owned(), true.into());
        }
    }

    /// The document with another form: its texts are templates.
    ///
    /// # Errors
    /// When one of them has an error.
    pub(super) fn document_like(&self, form: &toml::Table) -> Result<Value, String> {
        like(form, &self.newest, &self.document)
    }
}

/// Tries the form of a document with an example of every variable.
///
/// # Errors
/// When one of its texts has an error.
pub fn try_body(form: &toml::Table) -> Result<(), String> {
    let document = json!({"id": "0", "title": "an example", "text": "an example", "count": 1});
    like(form, &Variables::example(Event::Changed), &document).map(drop)
}

/// A document of that form, with the variables of an event and what `document` says beside them.
fn like(form: &toml::Table, newest: &Variables, document: &Value) -> Result<Value, String> {
    let mut values = serde_json::to_value(newest).unwrap_or_default();
    for key in ["id", "title", "text", "count"] {
        if let (Some(values), Some(value)) = (values.as_object_mut(), document.get(key)) {
            values.insert(key.to_owned(), value.clone());
        }
    }
    filled_table(form, &values)
}

/// Title, text and HTML of all parts together, of which `newest` is said of the newest.
fn words(
    parts: &[(&Notice, Variables, Rendered)],
    newest: &str,
    count: usize,
) -> (String, String, String) {
    if let ([(_, _, only)], 1) = (parts, count) {
        let html = only.html.clone();
        let html = html.unwrap_or_else(|| html_of(&only.subject, &only.text));
        return (only.subject.clone(), only.text.clone(), html);
    }
    let title = format!("{newest}, and {} more", count.saturating_sub(1));
    let mut texts: Vec<String> = (parts.iter())
        .map(|(_, _, part)| format!("* {}\n\n{}", part.subject, part.text))
        .collect();
    if count > parts.len() {
        texts.push(format!(
            "* {} more; `bowline history` shows them all",
            count - parts.len()
        ));
    }
    let text = texts.join("\n\n");
    let html = html_of(&title, &text);
    (title, text, html)
}

/// An event in the document.
fn event(notice: &Notice, variables: &Variables, rendered: &Rendered) -> Value {
    json!({
        "event": notice.event().as_str(),
        "time": notice.at.to_string(),
        "host": variables.fqdn,
        "zone": variables.zone,
        "owner": variables.owner,
        "ipv4": variables.ipv4,
        "ipv6": variables.ipv6,
        "last_ipv4": variables.last_ipv4,
        "last_ipv6": variables.last_ipv6,
        "reason": variables.reason,
        "note": variables.note,
        "pending": variables.is_pending,
        "title": rendered.subject,
        "text": rendered.text,
    })
}

/// A table with every text in it filled.
fn filled_table(form: &toml::Table, values: &Value) -> Result<Value, String> {
    let fields = form
        .iter()
        .map(|(key, one)| Ok((key.clone(), filled(one, values)?)));
    Ok(Value::Object(fields.collect::<Result<_, String>>()?))
}

/// A value with every text in it filled.
fn filled(form: &toml::Value, values: &Value) -> Result<Value, String> {
    Ok(match form {
        toml::Value::String(text) => fill(text, values)?.into(),
        toml::Value::Integer(number) => (*number).into(),
        toml::Value::Float(number) => (*number).into(),
        toml::Value::Boolean(is) => (*is).into(),
        // JSON has none.
        toml::Value::Datetime(time) => time.to_string().into(),
        toml::Value::Array(all) => {
            let all = all.iter().map(|one| filled(one, values));
            Value::Array(all.collect::<Result<_, _>>()?)
        }
        toml::Value::Table(table) => filled_table(table, values)?,
    })
}

fn new_id() -> Result<String, getrandom::Error> {
    let mut bytes = [0; ID];
    getrandom::fill(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Why there is no message.
#[derive(Debug)]
pub(super) enum MessageError {
    /// There is nothing to tell.
    Nothing,
    /// The registry cannot be read.
    Registry(RegistryError),
    /// The system has no randomness to give.
    Random(getrandom::Error),
}

impl From<RegistryError> for MessageError {
    fn from(error: RegistryError) -> Self {
        MessageError::Registry(error)
    }
}
