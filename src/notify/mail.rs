//! Mail: by SMTP (RFC 5321), or handed to a program like sendmail.

use std::error::Error;
use std::io;
use std::time::{Duration, SystemTime};

use lettre::message::header::{Header, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{SmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail as MailFrom, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailParameter};
use lettre::{Address, transport};

use super::fault::one_line;
use super::gate::Gate;
use super::message::Message;
use super::{Fault, PATIENCE, process};
use crate::config::{Mail, MailServer, Security};
use crate::deadline::Deadline;

/// A finished mail on its way.
pub(super) struct Letter {
    from: Address,
    to: Address,
    octets: Vec<u8>,
    server: MailServer,
    login: Option<Credentials>,
    hello: ClientId,
}

impl Letter {
    /// The mail that a message is; `host` is where bowline is reached.
    ///
    /// # Errors
    /// When it cannot be written, such as to an address that is none.
    pub(super) fn write(message: &Message, mail: &Mail, host: &str) -> Result<Self, Fault> {
        let to = match (&message.to, &mail.to) {
            (Some(person), _) => person
                .parse::<Address>()
                .map(|address| Mailbox::new(None, address))
                .map_err(|error| Fault::never(format_args!("{person:?}: {error}")))?,
            (None, Some(operator)) => operator.clone(),
            (None, None) => return Err(Fault::never("there is nobody to send it to")),
        };
        let (from, to) = (in_ascii(&mail.from)?, in_ascii(&to)?);
        let written = lettre::Message::builder()
            .message_id(Some(format!("<{}@{host}>", message.id)))
            .date(SystemTime::now())
            .from(from.clone())
            .to(to.clone())
            .subject(&message.title)
            .header(AutoSubmitted)
            .multipart(MultiPart::alternative_plain_html(
                message.text.clone(),
                message.html.clone(),
            ))
            .map_err(Fault::never)?;
        let login = mail
            .login
            .as_ref()
            .map(|(user, password)| Credentials::new(user.clone(), password.secret().to_owned()));
        Ok(Letter {
            from: from.email,
            to: to.email,
            octets: written.formatted(),
            server: mail.smtp.clone(),
            login,
            hello: ClientId::Domain(host.to_owned()),
        })
    }

    /// Sends it.
    pub(super) fn send(&self, deadline: Deadline, gate: &Gate) -> Result<(), Fault> {
        match &self.server {
            MailServer::Sendmail(program) => {
                let mut command = std::process::Command::new(program);
                command.args(["-i", "-f", self.from.as_ref(), "--", self.to.as_ref()]);
                process::run(command, &self.octets, deadline, gate)
            }
            MailServer::Smtp {
                security,
                host,
                port,
            } => self.hand_over((host, *port), *security, deadline, gate),
        }
    }

    /// Speaks SMTP as far as the message itself, and behind the gate sends that.
    fn hand_over(
        &self,
        server: (&str, u16),
        security: Security,
        deadline: Deadline,
        gate: &Gate,
    ) -> Result<(), Fault> {
        let patience = Some(PATIENCE.min(deadline.left()).max(Duration::from_millis(1)));
        let tls = match security {
            Security::Plain => None,
            Security::StartTls | Security::Tls => {
                Some(TlsParameters::new(server.0.to_owned()).map_err(silent)?)
            }
        };
        let at_once = tls.as_ref().filter(|_| security == Security::Tls);
        let mut connection = SmtpConnection::connect(server, patience, &self.hello, at_once, None)
            .map_err(silent)?;
        if let (Security::StartTls, Some(tls)) = (security, &tls) {
            connection.starttls(tls, &self.hello).map_err(silent)?;
        }
        if let Some(login) = &self.login {
            connection
                .auth(&[Mechanism::Plain, Mechanism::Login], login)
                .map_err(silent)?;
        }
        let beyond_ascii = !self.to.to_string().is_ascii() || !self.from.to_string().is_ascii();
        let utf8 = connection
            .server_info()
            .supports_feature(Extension::SmtpUtfEight);
        if beyond_ascii && !utf8 {
            connection.abort();
            return Err(Fault::never("the mail server takes ASCII addresses only"));
        }
        let options = match beyond_ascii {
            true => vec![MailParameter::SmtpUtfEight],
            false => vec![],
        };
        connection
            .command(MailFrom::new(Some(self.from.clone()), options))
            .map_err(silent)?;
        connection
            .command(Rcpt::new(self.to.clone(), vec![]))
            .map_err(of_this_one)?;
        connection.command(Data).map_err(of_this_one)?;
        gate.pass()?;
        connection.message(&self.octets).map_err(of_this_one)?;
        // It has been taken: what comes now is courtesy.
        let _ = connection.quit();
        Ok(())
    }
}

/// A mailbox with its domain as A-labels (RFC 5890 2.3.2.1), which every server takes. What stands
/// before the @ has no other form, and needs one that knows SMTPUTF8 (RFC 6531).
fn in_ascii(mailbox: &Mailbox) -> Result<Mailbox, Fault> {
    let domain = mailbox.email.domain();
    if domain.is_ascii() {
        return Ok(mailbox.clone());
    }
    let never = |error: &dyn Error| Fault::never(format_args!("{}: {error}", mailbox.email));
    let domain = idna::domain_to_ascii_strict(domain).map_err(|error| never(&error))?;
    let email = Address::new(mailbox.email.user(), domain).map_err(|error| never(&error))?;
    Ok(Mailbox::new(mailbox.name.clone(), email))
}

/// What goes wrong for this message as for any other.
fn silent(error: transport::smtp::Error) -> Fault {
    if is_late(&error) {
        return Fault::late();
    }
    let why = whole(&error);
    match error.is_permanent() || error.is_transient() {
        true => Fault::refused(why),
        false => Fault::silent(why),
    }
}

/// What goes wrong for this message or its recipient, where the server says so.
fn of_this_one(error: transport::smtp::Error) -> Fault {
    if error.is_permanent() {
        Fault::never(whole(&error))
    } else if error.is_transient() {
        Fault::not_now(whole(&error))
    } else {
        silent(error)
    }
}

/// Whether it was waited for in vain; the system says then that it has nothing at present.
fn is_late(error: &dyn Error) -> bool {
    let causes = std::iter::successors(error.source(), |cause| (*cause).source());
    let mut kinds = causes.filter_map(|cause| Some(cause.downcast_ref::<io::Error>()?.kind()));
    kinds.any(|kind| matches!(kind, io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut))
}

/// An error with what has caused it.
fn whole(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    one_line(&text)
}

/// So that nobody's holiday answers (RFC 3834 5).
#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn Error + Send + Sync>> {
        Ok(AutoSubmitted)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}
