//! The short page on a secret path: what the name has, and a button to change it.

use crate::http::{Response, Status};
use crate::registry::Host;

/// So many characters without a place to break stand side by side on the narrowest telephone.
const SIDE_BY_SIDE: usize = 12;

/// The page for a host. The form's action is the page's own path, and of its query only which
/// host is meant, which an owner's token has to say: the secret is not in the page, and the
/// address is the connection's.
pub fn confirm(host: &Host) -> Response {
    // A host name is letters, digits, hyphens and dots, an address as much: nothing to escape.
    let name = host.name.as_str();
    let shown = host.name.for_people();
    let (title, heading) = (escaped(&shown), breakable(&shown));
    let addresses: Vec<String> = host
        .fact
        .addresses
        .iter()
        .map(|ip| ip.to_string().replace(':', ":<wbr>"))
        .collect();
    let addresses = match addresses.as_slice() {
        [] => "no address".to_owned(),
        some => some.join(" and "),
    };
    Response::page(
        Status::Ok,
        format!(
            "<!DOCTYPE html>\n\
             <html lang=\"en\">\n\
             <meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <title>{title}</title>\n\
             <h1>{heading}</h1>\n\
             <p>This name has {addresses}.</p>\n\
             <form method=\"post\" action=\"?hostname={name}\"><button>Point it at this connection</button></form>\n\
             </html>\n"
        ),
    )
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
}
