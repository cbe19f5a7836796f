//! The short page for who only looks: what the names have, and a button to change that.

use std::net::IpAddr;

use crate::http::{Response, Status};
use crate::registry::Host;

/// So many characters without a place to break stand side by side on the narrowest telephone.
const SIDE_BY_SIDE: usize = 12;

/// What the button of the page does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Button<'a> {
    /// It points the hosts at the connection, by the page's own path; its query only says which
    /// hosts are meant, in the parameter of that name. What else was in the query may be the word
    /// of somebody who does not know the secret.
    Here(Option<&'a str>),
    /// It asks once more for what the URL asks for, whose maker knows the secret in it.
    Again,
    /// There is none: no form can ask for that.
    None,
}

/// The page for these hosts. The secret is not in it.
pub fn confirm(hosts: &[&Host], button: Button<'_>) -> Response {
    let title = match hosts {
        [] => "Nothing has changed".to_owned(),
        [first, ..] => escaped(&first.name.for_people()),
    };
    let about: String = hosts.iter().map(|host| about(host)).collect();
    let form = form(hosts, button);
    // The header field tells nobody where a visit came from, and then a browser that says it in
    // Origin only would say null of our own button. This tells the host, and no path.
    Response::page(
        Status::Ok,
        format!(
            "<!DOCTYPE html>\n\
             <html lang=\"en\">\n\
             <meta charset=\"utf-8\">\n\
             <meta name=\"referrer\" content=\"origin\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <title>{title}</title>\n\
             {about}{form}\
             </html>\n"
        ),
    )
}

/// What a host has.
fn about(host: &Host) -> String {
    let heading = breakable(&host.name.for_people());
    let addresses: Vec<String> = host.fact.addresses.iter().map(address).collect();
    let addresses = match addresses.as_slice() {
        [] => "no address".to_owned(),
        some => some.join(" and "),
    };
    format!("<h1>{heading}</h1>\n<p>This name has {addresses}.</p>\n")
}

/// An address that a browser may break, and that programs find in one piece.
fn address(ip: IpAddr) -> String {
    let shown = ip.to_string().replace(':', ":<wbr>");
    format!("<data value=\"{ip}\">{shown}</data>")
}

fn form(hosts: &[&Host], button: Button<'_>) -> String {
    let (action, label) = match button {
        Button::Here(parameter) => {
            // A host name is letters, digits, hyphens and dots: nothing to escape.
            let names: Vec<&str> = hosts.iter().map(|host| host.name.as_str()).collect();
            let query = parameter.map(|name| format!("{}={}", encoded(name), names.join(",")));
            let what = if hosts.len() == 1 { "it" } else { "them" };
            let action = format!(" action=\"?{}\"", query.unwrap_or_default());
            (action, format!("Point {what} at this connection"))
        }
        Button::Again => (String::new(), "Do what this link asks for".to_owned()),
        Button::None => return "<p>Nothing has changed.</p>\n".to_owned(),
    };
    format!("<form method=\"post\"{action}><button>{label}</button></form>\n")
}

/// The name of a parameter as it may stand in a query; an `[[endpoint]]` can call it anything.
fn encoded(name: &str) -> String {
    let mut query = String::with_capacity(name.len());
    for octet in name.bytes() {
        match octet {
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'-' | b'.' | b'_' => {
                query.push(octet.into());
            }
            other => query.push_str(&format!("%{other:02X}")),
        }
    }
    query
}

/// Text as it may stand in a page; a name in Unicode is what somebody else's library makes of it.
fn escaped(text: &str) -> String {
    let mut page = String::with_capacity(text.len());
    for c in text.chars() {
        escape(c, &mut page);
    }
    page
}

fn escape(c: char, page: &mut String) {
    match c {
        '&' => page.push_str("&amp;"),
        '<' => page.push_str("&lt;"),
        '>' => page.push_str("&gt;"),
        c => page.push(c),
    }
}

/// The same, with places where a browser may break it. (A style could do that, but our policy
/// for contents allows none.)
fn breakable(text: &str) -> String {
    let mut page = String::with_capacity(text.len() * 2);
    let mut run = 0;
    for c in text.chars() {
        escape(c, &mut page);
        run = if " .-".contains(c) { 0 } else { run + 1 };
        if ".-".contains(c) || run == SIDE_BY_SIDE {
            page.push_str("<wbr>");
            run = 0;
        }
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_can_be_broken() {
        assert_eq!(
            breakable("a-b.example (<ü>)"),
            "a-<wbr>b.<wbr>example (&lt;ü&gt;)"
        );
        assert_eq!(
            breakable("abcdefghijklmno.x"),
            "abcdefghijkl<wbr>mno.<wbr>x"
        );
        assert_eq!(escaped("a&b.example"), "a&amp;b.example");
    }

    #[test]
    fn names_of_parameters() {
        assert_eq!(encoded("host_id"), "host_id");
        assert_eq!(encoded("\">ü&"), "%22%3E%C3%BC%26");
    }
}
