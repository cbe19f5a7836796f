//! The paths that mean the same in every set-up: the application's routes, and what no
//! `[[endpoint]]` can be.

/// What is found at a fixed path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fixed {
    /// The client's address.
    Ip,
    /// Whether all is well.
    Health,
    /// An account of acme-dns, where clients may register.
    Register,
    /// The script for machines that visit by themselves, where it is offered.
    Script,
}

/// Every fixed path: its one segment, and what is there.
pub const FIXED: [(&str, Fixed); 5] = [
    ("ip", Fixed::Ip),
    ("healthz", Fixed::Health),
    ("health", Fixed::Health),
    ("register", Fixed::Register),
    ("client.sh", Fixed::Script),
];

impl Fixed {
    /// What is at a path below that of the base URL, if it is a fixed one.
    pub fn at(segments: &[Vec<u8>]) -> Option<Self> {
        let [segment] = segments else {
            return None;
        };
        let mut all = FIXED.iter();
        let found = all.find(|(path, _)| path.as_bytes() == segment.as_slice());
        found.map(|(_, fixed)| *fixed)
    }
}

/// Whether browsers and their makers fetch such a path from every site, unasked. Its name has the
/// shape of a token, and yet it is no attempt at one.
pub fn is_unasked(segments: &[Vec<u8>]) -> bool {
    let [segment] = segments else {
        return false;
    };
    match segment.as_slice() {
        b"apple-app-site-association" | b"browserconfig.xml" => true,
        // In several sizes.
        other => other.starts_with(b"apple-touch-icon") && other.ends_with(b".png"),
    }
}
