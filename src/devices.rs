//! What to paste into a device, so that it tells its address or obtains a certificate: a text
//! for each in `devices/`.

use clap::ValueEnum;

use crate::base_url::BaseUrl;
use crate::fill::{Fill, FillError};
use crate::ip::Family;
use crate::name::HostName;

/// A device or program that can tell its address, or obtains certificates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[allow(missing_docs, reason = "their names say it")]
pub enum Device {
    Fritzbox,
    Openwrt,
    Opnsense,
    Pfsense,
    Unifi,
    Mikrotik,
    Synology,
    Ddclient,
    Inadyn,
    Cron,
    Systemd,
    Windows,
    Lego,
    Certbot,
    #[value(name = "acme.sh")]
    AcmeSh,
    Caddy,
    Traefik,
    CertManager,
}

/// What stands in the text.
#[derive(Debug, Clone, Copy)]
pub struct Paste<'a> {
    /// Where bowline is reached.
    pub base: &'a BaseUrl,
    /// The whole update URL.
    pub url: &'a str,
    /// The token in it.
    pub token: &'a str,
    /// The host.
    pub name: &'a HostName,
    /// The only family it has.
    pub only: Option<Family>,
    /// Further hosts, for a device that takes several, and the only family of each.
    pub more: &'a [(&'a HostName, Option<Family>)],
    /// Whether others are behind it, which its prefix moves.
    pub lan: bool,
}

/// A request with more names than these is refused.
const AT_ONCE: usize = 20;

/// Where a FRITZ!Box puts its addresses, and the prefix of its LAN; without IPv6 it does not
/// fill in the prefix.
const ADDRESSES: &str = "?myip=<ipaddr>&myipv6=<ip6addr>";
const PREFIX: &str = "&ip6lanprefix=<ip6lanprefix>";

impl Device {
    /// Its name on the command line.
    pub fn as_str(self) -> String {
        let value = self.to_possible_value();
        value.map_or_else(String::new, |value| value.get_name().to_owned())
    }

    /// Whether it sets challenges for certificates.
    pub fn wants_certificates(self) -> bool {
        use Device::{AcmeSh, Caddy, CertManager, Certbot, Lego, Traefik};
        matches!(
            self,
            Lego | Certbot | AcmeSh | Caddy | Traefik | CertManager
        )
    }

    /// Whether one text of it may have several hosts.
    pub fn takes_several(self) -> bool {
        matches!(self, Device::Ddclient | Device::Inadyn)
    }

    /// The text for it, ready to paste.
    ///
    /// # Errors
    /// When the shipped text is broken.
    pub fn text(self, paste: &Paste<'_>) -> Result<String, FillError> {
        let template = self.template();
        let Paste {
            base, url, token, ..
        } = paste;
        let minute = minute(paste.name);
        let with_slot = url.replacen(token, "[PASSWORD]", 1);
        let ssl = |yes, no| if base.is_https() { yes } else { no };
        let (ipv4, ipv6) = (
            paste.names(Family::Ipv4, ""),
            paste.names(Family::Ipv6, "."),
        );
        // IPv6 comes first: its failure must not keep systemd from IPv4, if that follows.
        let or_go_on = if ipv4.is_empty() { "" } else { "-" };
        let values = [
            (
                "login=ipv4 \\\nhome.dyn.example.org,nas.dyn.example.org",
                entries(&ipv4, "4", base),
            ),
            (
                "login=ipv6 \\\nhome.dyn.example.org.,nas.dyn.example.org.",
                entries(&ipv6, "6", base),
            ),
            (
                "{ \"home.dyn.example.org\", \"nas.dyn.example.org\" }",
                braced(&ipv4),
            ),
            (
                "{ \"home.dyn.example.org.\", \"nas.dyn.example.org.\" }",
                braced(&ipv6),
            ),
            ("https://update.example.org/TOKEN/home", (*url).to_owned()),
            ("https://update.example.org/[PASSWORD]/home", with_slot),
            ("https://update.example.org", base.to_string()),
            ("update.example.org", base.authority().to_owned()),
            ("/nic/update", format!("{}/nic/update", base.path())),
            ("\"/ip\"", format!("\"{}/ip\"", base.path())),
            (
                "https://update.example.org/nic/update",
                format!("{base}/nic/update"),
            ),
            (
                "update.example.org/nic/update",
                format!("{}{}/nic/update", base.authority(), base.path()),
            ),
            (ADDRESSES, paste.query()),
            ("home.dyn.example.org", paste.name.to_string()),
            (
                "update-home_dyn_example_org",
                format!("update-{}", without_dots(paste.name)),
            ),
            (
                "update_home_dyn_example_org",
                format!("update_{}", letters_only(paste.name)),
            ),
            ("TOKEN", (*token).to_owned()),
            ("17 * * * *", format!("{minute} * * * *")),
            ("18 * * * *", format!("{} * * * *", (minute + 1) % 60)),
            ("*:17", format!("*:{minute:02}")),
            ("ExecStart=-", format!("ExecStart={or_go_on}")),
            ("ssl=yes", ssl("ssl=yes", "ssl=no").to_owned()),
            (
                "ssl             = true",
                ssl("ssl             = true", "ssl             = false").to_owned(),
            ),
            (
                "checkip-ssl     = true",
                ssl("checkip-ssl     = true", "checkip-ssl     = false").to_owned(),
            ),
            (
                "use_https '1'",
                ssl("use_https '1'", "use_https '0'").to_owned(),
            ),
        ];
        let used = values
            .into_iter()
            .filter(|(example, _)| template.contains(example));
        let fill = used.fold(Fill::new(template), |fill, (example, value)| {
            fill.value(example, value)
        });
        let [has_ipv4, has_ipv6] = [!ipv4.is_empty(), !ipv6.is_empty()];
        [
            ("ipv4", has_ipv4),
            ("ipv6", has_ipv6),
            ("both", has_ipv4 && has_ipv6),
        ]
        .into_iter()
        .filter(|(name, _)| template.contains(&format!("# begin {name}\n")))
        .fold(fill, |fill, (name, keep)| fill.part(name, keep))
        .text()
    }

    fn template(self) -> &'static str {
        match self {
            Device::Fritzbox => include_str!("../devices/fritzbox.txt"),
            Device::Openwrt => include_str!("../devices/openwrt.txt"),
            Device::Opnsense => include_str!("../devices/opnsense.txt"),
            Device::Pfsense => include_str!("../devices/pfsense.txt"),
            Device::Unifi => include_str!("../devices/unifi.txt"),
            Device::Mikrotik => include_str!("../devices/mikrotik.txt"),
            Device::Synology => include_str!("../devices/synology.txt"),
            Device::Ddclient => include_str!("../devices/ddclient.txt"),
            Device::Inadyn => include_str!("../devices/inadyn.txt"),
            Device::Cron => include_str!("../devices/cron.txt"),
            Device::Systemd => include_str!("../devices/systemd.txt"),
            Device::Windows => include_str!("../devices/windows.txt"),
            Device::Lego => include_str!("../devices/lego.txt"),
            Device::Certbot => include_str!("../devices/certbot.txt"),
            Device::AcmeSh => include_str!("../devices/acme.sh.txt"),
            Device::Caddy => include_str!("../devices/caddy.txt"),
            Device::Traefik => include_str!("../devices/traefik.txt"),
            Device::CertManager => include_str!("../devices/cert-manager.txt"),
        }
    }
}

impl Paste<'_> {
    /// The names that have a family, with something behind each.
    fn names(&self, family: Family, behind: &str) -> Vec<String> {
        let first = (self.name, self.only);
        std::iter::once(&first)
            .chain(self.more)
            .filter(|(_, only)| only.is_none_or(|only| only == family))
            .map(|(name, _)| format!("{name}{behind}"))
            .collect()
    }

    /// What stands behind the URL in a FRITZ!Box. For the prefix it needs its IPv6 address too,
    /// which counts as not given where the host has IPv4 only.
    fn query(&self) -> String {
        let addresses = match self.only {
            Some(Family::Ipv6) => "?myipv6=<ip6addr>",
            Some(Family::Ipv4) if !self.lan => "?myip=<ipaddr>",
            _ => ADDRESSES,
        };
        let prefix = if self.lan { PREFIX } else { "" };
        format!("{addresses}{prefix}")
    }
}

/// Names as ddclient wants them. It asks for all of one login at once, and a request may have so
/// many: for what is beyond that there is a further entry, with a login of its own.
fn entries(names: &[String], family: &str, base: &BaseUrl) -> String {
    let asking = format!("use=cmd, cmd='curl -{family} -fsS -m 20 {base}/ip', ");
    let entries = names.chunks(AT_ONCE).enumerate().map(|(number, names)| {
        let names = names.join(",");
        match number {
            0 => format!("login=ipv{family} \\\n{names}"),
            _ => format!("\n{asking}login=ipv{family}-{number} \\\n{names}"),
        }
    });
    entries.collect()
}

/// Names as inadyn wants them.
fn braced(names: &[String]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
    match quoted.as_slice() {
        [one] => one.clone(),
        several => format!("{{ {} }}", several.join(", ")),
    }
}

/// The name where a dot may not stand: cron passes over files with one. A label has no underscore,
/// so no other name becomes the same.
fn without_dots(name: &HostName) -> String {
    name.as_str().replace('.', "_")
}

/// The name where only letters, digits and underscores may stand, as in a section of OpenWrt. A
/// label neither begins nor ends with a hyphen, so each row of underscores tells what it was: a
/// single one a dot, two for each hyphen.
fn letters_only(name: &HostName) -> String {
    without_dots(name).replace('-', "__")
}

/// A minute of the hour for a host, so that not all of them come at once.
fn minute(name: &HostName) -> u32 {
    let octets = name.as_str().bytes();
    octets.fold(0, |sum: u32, octet| (sum * 31 + u32::from(octet)) % 60_000) % 60
}

#[cfg(test)]
mod tests;
