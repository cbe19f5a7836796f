//! Name-value pairs: a query string, a form, or a JSON object.

use serde_json::{Map, Value};

use super::path::percent_decode;

/// The pairs of `application/x-www-form-urlencoded` data, or of an object in
/// `application/json`, in order, as octets.
///
/// Nothing a client can write is an error: odd pairs are names without values,
/// bad escapes stay as they are, unknown names are never asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fields(Vec<(Vec<u8>, Vec<u8>)>);

impl Fields {
    /// Reads `a=1&b=2`.
    pub fn parse(text: &[u8]) -> Self {
        let pairs = text.split(|b| *b == b'&').filter(|pair| !pair.is_empty());
        Fields(
            pairs
                .map(|pair| {
                    let mut halves = pair.splitn(2, |b| *b == b'=');
                    let mut half = || form_decode(halves.next().unwrap_or_default());
                    (half(), half())
                })
                .collect(),
        )
    }

    /// Reads `{"a": "1", "b": 2}`; what is neither text nor number nor switch is left out.
    pub fn from_json(text: &[u8]) -> Self {
        let object: Map<String, Value> = serde_json::from_slice(text).unwrap_or_default();
        let pair = |(name, value): (String, Value)| {
            let value = match value {
                Value::String(text) => text,
                Value::Number(_) | Value::Bool(_) => value.to_string(),
                Value::Null | Value::Array(_) | Value::Object(_) => return None,
            };
            Some((name.into_bytes(), value.into_bytes()))
        };
        Fields(object.into_iter().filter_map(pair).collect())
    }

    /// These pairs and, behind them, those of `more` under other names.
    pub fn and(mut self, more: Fields) -> Self {
        let mine = self.0.len();
        for (name, value) in more.0 {
            let mut before = self.0.iter().take(mine);
            if !before.any(|(there, _)| there.eq_ignore_ascii_case(&name)) {
                self.0.push((name, value));
            }
        }
        self
    }

    /// Whether a parameter of that name is there, with a value or without.
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(there, _)| is(there, name))
    }

    /// Whether a switch of that name is on.
    pub fn is_on(&self, name: &str) -> bool {
        self.first_of(&[name]).any(|value| {
            ["yes", "true", "on", "1"]
                .iter()
                .any(|on| value.eq_ignore_ascii_case(on.as_bytes()))
        })
    }

    /// Every value of the first of `names` that is there at all, in order.
    pub fn first_of<'a, N: AsRef<str>>(&'a self, names: &'a [N]) -> impl Iterator<Item = &'a [u8]> {
        let mut names = names.iter().map(AsRef::as_ref);
        let name = names.find(|name| self.has(name));
        self.0
            .iter()
            .filter(move |(there, _)| name.is_some_and(|name| is(there, name)))
            .map(|(_, value)| value.as_slice())
    }
}

/// Names are compared without case: devices write `myIP` too.
fn is(there: &[u8], name: &str) -> bool {
    there.eq_ignore_ascii_case(name.as_bytes())
}

fn form_decode(text: &[u8]) -> Vec<u8> {
    let spaced: Vec<u8> = text
        .iter()
        .map(|b| if *b == b'+' { b' ' } else { *b })
        .collect();
    percent_decode(&spaced)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_name_that_is_there_wins() {
        let fields = Fields::parse(b"&x&ip=2&MYIP=1%2c%3A&ip=3&myip=a+b&%6dyip&=&");
        let all = |names: &[&str]| -> Vec<String> {
            fields
                .first_of(names)
                .map(|value| value.escape_ascii().to_string())
                .collect()
        };
        assert_eq!(all(&["myip", "ip"]), ["1,:", "a b", ""]);
        assert_eq!(all(&["ip"]), ["2", "3"]);
        assert_eq!(all(&["x"]), [""]);
        assert!(all(&["none"]).is_empty());
        assert!(fields.has("X") && fields.has("ip") && !fields.has("none"));
    }

    #[test]
    fn members_of_an_object() {
        for (text, shown) in [
            (
                r#"{"myip": "203.0.113.7", "clear": true, "n": 1, "none": null, "list": [1]}"#,
                "myip=203.0.113.7 clear=true n=1 ",
            ),
            (r#"{"ip": "\u0031 +%31"}"#, "ip=1 +%31 "),
            (r#"["myip"]"#, ""),
            (r#"{"myip": "203.0.113.7""#, ""),
            ("myip=203.0.113.7", ""),
            ("", ""),
        ] {
            let pairs = Fields::from_json(text.as_bytes()).0.into_iter();
            let pairs = pairs
                .map(|(name, value)| format!("{}={} ", name.escape_ascii(), value.escape_ascii()));
            assert_eq!(pairs.collect::<String>(), shown, "{text}");
        }
        let fields = Fields::from_json(&vec![b'['; 60_000]);
        assert_eq!(fields, Fields::default());
    }

    #[test]
    fn switches() {
        for (query, on) in [
            ("verbose=true", true),
            ("Verbose=YES", true),
            ("verbose=1", true),
            ("verbose=false", false),
            ("verbose", false),
            ("", false),
        ] {
            assert_eq!(
                Fields::parse(query.as_bytes()).is_on("verbose"),
                on,
                "{query}"
            );
        }
    }
}
