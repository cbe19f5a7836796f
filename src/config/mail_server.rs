//! Who takes mail: `smtp` of `[notify.mail]`.

use std::fmt;
use std::net::Ipv6Addr;
use std::path::PathBuf;
use std::str::FromStr;

/// What takes mail where `smtp = "sendmail"`.
const SENDMAIL: &str = "/usr/sbin/sendmail";

/// Who takes mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MailServer {
    /// A server that speaks SMTP (RFC 5321).
    Smtp {
        /// How the connection is protected.
        security: Security,
        /// Its name or address.
        host: String,
        /// Its port.
        port: u16,
    },
    /// A program that reads the message.
    Sendmail(PathBuf),
}

/// How a connection is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    /// Not at all.
    Plain,
    /// By TLS, after STARTTLS (RFC 3207), or not used.
    StartTls,
    /// By TLS from the start (RFC 8314).
    Tls,
}

impl MailServer {
    /// How the connection is protected, the scheme for it, and its usual port.
    const SCHEMES: [(Security, &'static str, u16); 3] = [
        (Security::Plain, "smtp", 25),
        (Security::StartTls, "starttls", 587),
        (Security::Tls, "smtps", 465),
    ];
}

impl FromStr for MailServer {
    type Err = MailServerError;

    fn from_str(text: &str) -> Result<Self, MailServerError> {
        let bad = || MailServerError((!text.contains('@')).then(|| text.to_owned()));
        if text == "sendmail" {
            return Ok(MailServer::Sendmail(SENDMAIL.into()));
        }
        if let Some(path) = text.strip_prefix("sendmail:") {
            let path = PathBuf::from(path);
            return path
                .is_absolute()
                .then_some(MailServer::Sendmail(path))
                .ok_or_else(bad);
        }
        let (scheme, rest) = match text.split_once("://") {
            Some((scheme, rest)) => (Some(scheme), rest.strip_suffix('/').unwrap_or(rest)),
            None => (None, text),
        };
        let (host, port) = match rest.rsplit_once(':') {
            Some((host, port)) if !host.contains(':') || host.ends_with(']') => {
                (host, Some(port.parse::<u16>().map_err(|_| bad())?))
            }
            _ => (rest, None),
        };
        let bracketed = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'));
        let fits = |c: char| c.is_ascii_alphanumeric() || ".-_".contains(c);
        let is_host = match bracketed {
            None if !host.contains(':') => !host.is_empty() && host.chars().all(fits),
            _ => bracketed.unwrap_or(host).parse::<Ipv6Addr>().is_ok(),
        };
        if !is_host || port == Some(0) {
            return Err(bad());
        }
        let host = bracketed.unwrap_or(host);
        let (security, _, usual) = MailServer::SCHEMES
            .into_iter()
            .find(|(_, name, usual)| match scheme {
                Some(scheme) => scheme == *name,
                // The port says it where nothing else does; 25 and any other are plain.
                None => Some(*usual) == port,
            })
            .or(scheme.is_none().then_some((Security::Plain, "smtp", 25)))
            .ok_or_else(bad)?;
        Ok(MailServer::Smtp {
            security,
            host: host.to_owned(),
            port: port.unwrap_or(usual),
        })
    }
}

impl fmt::Display for MailServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            MailServer::Sendmail(path) => write!(f, "sendmail:{}", path.display()),
            MailServer::Smtp {
                security,
                host,
                port,
            } => {
                let mut schemes = MailServer::SCHEMES.into_iter();
                let scheme = schemes.find(|(one, ..)| one == security);
                let scheme = scheme.map_or("smtp", |(_, scheme, _)| scheme);
                match host.contains(':') {
                    true => write!(f, "{scheme}://[{host}]:{port}"),
                    false => write!(f, "{scheme}://{host}:{port}"),
                }
            }
        }
    }
}

/// A text that names no mail server; without the text where a password may be in it, as in the
/// URLs of other programs: what is wrong with the configuration gets into the log.
#[derive(Debug, PartialEq, Eq)]
pub struct MailServerError(Option<String>);

impl fmt::Display for MailServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(text) = &self.0 else {
            return f.write_str("smtp: write the user as user and the password as password");
        };
        write!(
            f,
            "{text:?} is no mail server; write smtp://HOST:PORT, starttls://HOST:PORT, \
             smtps://HOST:PORT, sendmail or sendmail:PATH"
        )
    }
}

impl std::error::Error for MailServerError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mail_servers_read_back() {
        for (text, shown) in [
            ("localhost", "smtp://localhost:25"),
            ("mail.example.org:587", "starttls://mail.example.org:587"),
            ("mail.example.org:465", "smtps://mail.example.org:465"),
            ("localhost:2525", "smtp://localhost:2525"),
            ("smtp://[::1]:2525/", "smtp://[::1]:2525"),
            ("smtps://mail.example.org", "smtps://mail.example.org:465"),
            ("starttls://192.0.2.1", "starttls://192.0.2.1:587"),
            ("sendmail", "sendmail:/usr/sbin/sendmail"),
        ] {
            let server: MailServer = text.parse().unwrap();
            assert_eq!(server.to_string(), shown);
            assert_eq!(shown.parse(), Ok(server));
        }
        for text in [
            "",
            "imap://x",
            "smtp://",
            "smtp://a@b",
            "x:0",
            "x:y",
            "x:65536",
            "x:25:99999",
            "smtp://x:25:99999",
            "[x]:25",
            "sendmail:x",
            "a b",
        ] {
            assert!(text.parse::<MailServer>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_password_in_a_url_is_not_said_again() {
        for text in [
            "smtp://dns:sesame@mail.example.org:587",
            "smtps://sesame@x",
            "dns:sesame@x:25",
        ] {
            let error = text.parse::<MailServer>().unwrap_err().to_string();
            assert!(!error.contains("sesame"), "{error}");
            assert!(error.contains("the password as password"), "{error}");
        }
    }
}
