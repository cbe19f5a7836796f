//! A form in parts: `multipart/form-data` (RFC 7578), as `curl -F` sends it.

/// The longest boundary (RFC 2046 5.1.1).
const LONGEST: usize = 70;

/// The names and values of its parts, in order; `None` when it is no such form.
///
/// The content of a part is its value, whatever else is said about it: it may be that of a file.
pub(super) fn parse(content_type: &[u8], body: &[u8]) -> Option<Vec<(Vec<u8>, Vec<u8>)>> {
    let boundary = parameter(content_type, b"boundary")?;
    if boundary.is_empty() || boundary.len() > LONGEST {
        return None;
    }
    let delimiter = [b"\r\n--", boundary.as_slice()].concat();
    // The first one may begin the body, and then lacks its line break.
    let body = [b"\r\n", body].concat();
    let (_, mut rest) = split_once(&body, &delimiter)?;
    let mut fields = Vec::new();
    while !rest.starts_with(b"--") {
        let (part, after) = split_once(rest, &delimiter)?;
        let (head, value) = split_once(part, b"\r\n\r\n")?;
        fields.push((name(head)?, value.to_vec()));
        rest = after;
    }
    Some(fields)
}

/// The name in the head of a part, which begins with the rest of the delimiter's line.
fn name(head: &[u8]) -> Option<Vec<u8>> {
    let mut lines = head.split(|octet| *octet == b'\n');
    lines.next().filter(|rest| rest.trim_ascii().is_empty())?;
    let disposition = lines.find_map(|line| {
        let (field, value) = split_once(line, b":")?;
        (field.eq_ignore_ascii_case(b"Content-Disposition")).then_some(value)
    });
    parameter(disposition?, b"name")
}

/// A parameter of a header field (RFC 9110 5.6.6).
fn parameter(field: &[u8], name: &[u8]) -> Option<Vec<u8>> {
    let (_, mut rest) = split_once(field, b";")?;
    loop {
        let (before, after) = split_once(rest, b"=")?;
        let (text, after) = text(after);
        let there = before.rsplit(|octet| *octet == b';').next()?;
        if there.trim_ascii().eq_ignore_ascii_case(name) {
            return Some(text);
        }
        rest = after;
    }
}

/// The text of a parameter, in quotes or without, and what follows it.
fn text(octets: &[u8]) -> (Vec<u8>, &[u8]) {
    let Some(mut rest) = octets.strip_prefix(b"\"") else {
        let end = octets.iter().position(|octet| *octet == b';');
        let (text, rest) = octets.split_at(end.unwrap_or(octets.len()));
        return (text.trim_ascii().to_vec(), rest);
    };
    let mut text = Vec::new();
    while let Some((&octet, after)) = rest.split_first() {
        rest = after;
        match (octet, after.split_first()) {
            (b'"', _) => break,
            (b'\\', Some((escaped, after))) => {
                text.push(*escaped);
                rest = after;
            }
            _ => text.push(octet),
        }
    }
    (text, rest)
}

/// What stands before and behind the first of such octets.
fn split_once<'a>(octets: &'a [u8], at: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let start = octets.windows(at.len()).position(|there| there == at)?;
    let (before, rest) = octets.split_at(start);
    Some((before, rest.strip_prefix(at)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(content_type: &str, body: &str) -> String {
        let Some(fields) = parse(content_type.as_bytes(), body.as_bytes()) else {
            return "none".to_owned();
        };
        let shown = |(name, value): (Vec<u8>, Vec<u8>)| {
            format!("{}={} ", name.escape_ascii(), value.escape_ascii())
        };
        fields.into_iter().map(shown).collect()
    }

    #[test]
    fn what_clients_send() {
        let form = "multipart/form-data; boundary=b";
        let part = |head: &str, value: &str| format!("--b\r\n{head}\r\n\r\n{value}\r\n");
        let myip = part(
            "Content-Disposition: form-data; name=\"myip\"",
            "203.0.113.7",
        );
        // As curl 7.88 sends a file.
        let file = part(
            "Content-Disposition: form-data; name=\"a;\\\"b\"; filename=\"x=y\"\r\n\
             Content-Type: application/octet-stream",
            "\u{0}\r\n--\r\n\r\n",
        );
        let bare = part(
            "Content-Type: text/plain\r\ncontent-disposition:form-data ; x; NAME=ip ; y=z",
            "",
        );
        for (content_type, body, expected) in [
            (form, format!("{myip}--b--\r\n"), "myip=203.0.113.7 "),
            (
                form,
                format!("{myip}{file}{bare}--b--"),
                "myip=203.0.113.7 a;\\\"b=\\x00\\r\\n--\\r\\n\\r\\n ip= ",
            ),
            (
                form,
                format!("a preamble\r\n{myip}--b--\r\nan end\r\n--b"),
                "myip=203.0.113.7 ",
            ),
            (
                "Multipart/form-data; charset=x; Boundary=\"b\"",
                format!("{myip}--b--"),
                "myip=203.0.113.7 ",
            ),
            (form, "--b--\r\n".to_owned(), ""),
            (
                form,
                format!("{}--b--", myip.replacen("--b", "--b \t", 1)),
                "myip=203.0.113.7 ",
            ),
        ] {
            assert_eq!(shown(content_type, &body), expected, "{body}");
        }
    }

    #[test]
    fn what_is_none() {
        let form = "multipart/form-data; boundary=b";
        let whole = "--b\r\nContent-Disposition: form-data; name=\"myip\"\r\n\r\n-\r\n--b--";
        assert_eq!(shown(form, whole), "myip=- ");
        let long = format!("multipart/form-data; boundary={}", "b".repeat(LONGEST + 1));
        for content_type in [
            "multipart/form-data",
            "multipart/form-data;",
            "multipart/form-data; boundary",
            "multipart/form-data; boundary=",
            "multipart/form-data; boundary=\"\"",
            "multipart/form-data; boundary=c",
            "multipart/form-data; oundary=b",
            &long,
        ] {
            assert_eq!(shown(content_type, whole), "none", "{content_type}");
        }
        for (from, to) in [
            ("--b--", ""),
            ("--b--", "--b"),
            ("\r\n--b--", "--b--"),
            ("--b\r\n", "--bb\r\n"),
            ("\r\n", "\n"),
            ("\r\n\r\n", "\r\n"),
            ("name", "title"),
            ("Disposition", "Type"),
            (":", ""),
        ] {
            assert_eq!(
                shown(form, &whole.replace(from, to)),
                "none",
                "{from:?} {to:?}"
            );
        }
    }

    proptest! {
        #[test]
        fn every_form_is_read_back(fields: Vec<(Vec<u8>, Vec<u8>)>, boundary in "[0-9A-Za-z'+_,./:? -]{30,69}z") {
            let mut body = Vec::new();
            let fields: Vec<_> = fields
                .into_iter()
                .map(|(name, value)| (name.into_iter().filter(|octet| !b"\r\n".contains(octet)).collect(), value))
                .collect();
            for (name, value) in &fields {
                let name: &Vec<u8> = name;
                let quoted = name.iter().flat_map(|octet| match octet {
                    b'"' | b'\\' => vec![b'\\', *octet],
                    _ => vec![*octet],
                });
                let quoted: Vec<u8> = quoted.collect();
                body.extend([b"--", boundary.as_bytes(), b"\r\nContent-Disposition: form-data; name=\""].concat());
                body.extend([&quoted, &b"\"\r\n\r\n"[..], value, b"\r\n"].concat());
            }
            body.extend([b"--", boundary.as_bytes(), b"--\r\n"].concat());
            let content_type = format!("multipart/form-data; boundary=\"{boundary}\"");
            prop_assert_eq!(parse(content_type.as_bytes(), &body), Some(fields));
        }

        #[test]
        fn any_body_is_read_or_refused(
            head in "[a-z/;= \"\\\\-]{0,20}(; ?boundary=b)?", body in "(--b|\r\n|--|[:;=\"\\\\]|name|Content-Disposition|.){0,40}",
        ) {
            let _ = parse(head.as_bytes(), body.as_bytes());
        }
    }
}
