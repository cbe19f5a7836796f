//! Records, the frames of everything that is said (FastCGI 1.0, section 3.3).

/// The one version there is.
pub const VERSION: u8 = 1;
/// The octets of a header.
pub const HEADER: usize = 8;
/// The most content that a record of ours has: a multiple of eight, so that it needs
/// no padding.
const CONTENT_MAX: usize = 0xfff8;

/// What a record is about (section 8).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A request begins.
    Begin,
    /// The web server no longer wants the answer.
    Abort,
    /// A request has ended.
    End,
    /// A piece of the name-value pairs.
    Params,
    /// A piece of the body.
    Stdin,
    /// A piece of the answer.
    Stdout,
    /// What somebody asks about the responder itself.
    Values,
    /// The answer to that.
    ValuesResult,
    /// The answer to a type that is not known.
    UnknownType,
    /// STDERR and DATA: of no use to a responder.
    Unused(u8),
    /// Something else.
    Unknown(u8),
}

impl Kind {
    /// The kind with that number.
    pub fn from_number(number: u8) -> Self {
        match number {
            1 => Kind::Begin,
            2 => Kind::Abort,
            3 => Kind::End,
            4 => Kind::Params,
            5 => Kind::Stdin,
            6 => Kind::Stdout,
            7 | 8 => Kind::Unused(number),
            9 => Kind::Values,
            10 => Kind::ValuesResult,
            11 => Kind::UnknownType,
            _ => Kind::Unknown(number),
        }
    }

    /// Its number.
    pub fn number(self) -> u8 {
        match self {
            Kind::Begin => 1,
            Kind::Abort => 2,
            Kind::End => 3,
            Kind::Params => 4,
            Kind::Stdin => 5,
            Kind::Stdout => 6,
            Kind::Values => 9,
            Kind::ValuesResult => 10,
            Kind::UnknownType => 11,
            Kind::Unused(number) | Kind::Unknown(number) => number,
        }
    }
}

/// The head of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// What it is about.
    pub kind: Kind,
    /// Whose it is; 0 is nobody's request.
    pub request: u16,
    /// Octets of content.
    pub content: u16,
    /// Octets after it that mean nothing.
    pub padding: u8,
}

impl Header {
    /// Reads a header; `None` when it is of another version.
    pub fn read(octets: [u8; HEADER]) -> Option<Self> {
        let [version, kind, id1, id0, content1, content0, padding, _] = octets;
        (version == VERSION).then(|| Header {
            kind: Kind::from_number(kind),
            request: u16::from_be_bytes([id1, id0]),
            content: u16::from_be_bytes([content1, content0]),
            padding,
        })
    }

    /// The octets of it.
    pub fn octets(self) -> [u8; HEADER] {
        let [id1, id0] = self.request.to_be_bytes();
        let [content1, content0] = self.content.to_be_bytes();
        let kind = self.kind.number();
        [VERSION, kind, id1, id0, content1, content0, self.padding, 0]
    }
}

/// How a request ended (section 5.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// It was answered, or given up because the web server wished so.
    Complete = 0,
    /// One connection carries one request at a time.
    CannotMultiplex = 1,
    /// The role is none of ours.
    UnknownRole = 3,
}

/// Appends records with this content, none when it is empty.
pub fn write(out: &mut Vec<u8>, kind: Kind, request: u16, content: &[u8]) {
    for piece in content.chunks(CONTENT_MAX) {
        let padding = piece.len().next_multiple_of(8) - piece.len();
        let header = Header {
            kind,
            request,
            content: u16::try_from(piece.len()).unwrap_or_default(),
            padding: u8::try_from(padding).unwrap_or_default(),
        };
        out.extend_from_slice(&header.octets());
        out.extend_from_slice(piece);
        out.extend(std::iter::repeat_n(0, padding));
    }
}

/// Appends a record that is there even when it is empty: the end of a stream, or "nothing".
pub fn write_empty(out: &mut Vec<u8>, kind: Kind, request: u16) {
    let header = Header {
        kind,
        request,
        content: 0,
        padding: 0,
    };
    out.extend_from_slice(&header.octets());
}

/// Appends the end of a request; its exit status is always 0.
pub fn write_end(out: &mut Vec<u8>, request: u16, ended: Ended) {
    write(out, Kind::End, request, &[0, 0, 0, 0, ended as u8, 0, 0, 0]);
}

/// Appends a whole answer: its octets, the end of its stream and of the request.
pub fn write_answer(out: &mut Vec<u8>, request: u16, octets: &[u8]) {
    out.reserve(octets.len() + 5 * HEADER);
    write(out, Kind::Stdout, request, octets);
    write_empty(out, Kind::Stdout, request);
    write_end(out, request, Ended::Complete);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_go_round() {
        for number in 0..=255 {
            assert_eq!(Kind::from_number(number).number(), number);
        }
    }

    #[test]
    fn headers_go_round_and_other_versions_do_not() {
        let header = Header {
            kind: Kind::Params,
            request: 0x1234,
            content: 0xfffe,
            padding: 2,
        };
        assert_eq!(header.octets(), [1, 4, 0x12, 0x34, 0xff, 0xfe, 2, 0]);
        assert_eq!(Header::read(header.octets()), Some(header));
        assert_eq!(Header::read([2, 4, 0, 1, 0, 0, 0, 0]), None);
    }

    #[test]
    fn an_answer_is_its_octets_and_two_ends() {
        let answer = |octets: &[u8]| {
            let mut out = Vec::new();
            write_answer(&mut out, 1, octets);
            out
        };
        let short = answer(b"hi");
        assert_eq!(short[..16], *b"\x01\x06\0\x01\0\x02\x06\0hi\0\0\0\0\0\0");
        assert_eq!(short[16..24], *b"\x01\x06\0\x01\0\0\0\0");
        assert_eq!(short[24..], *b"\x01\x03\0\x01\0\x08\0\0\0\0\0\0\0\0\0\0");
        let long = answer(&[b'x'; 100_000]);
        assert_eq!(long.len(), 100_000 + 2 * 8 + 8 + 16);
    }
}
