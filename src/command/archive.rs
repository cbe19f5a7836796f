//! The file that a backup is: a tar archive whose last entry, the manifest, lists all others
//! with size and SHA-256.
//!
//! A tar archive that ends too soon looks like a shorter one, and only its headers have
//! checksums: without the manifest neither a lost key nor a changed one would be noticed.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tar::{Archive, Builder, Header};

/// The manifest's name.
const MANIFEST: &str = "manifest.json";
/// The mode of every file of ours in the archive: its owner's alone.
const SECRET: u32 = 0o600;
/// What an archive is made of; a block of zeros is its end, and a second one stands behind.
const BLOCK: usize = 512;
/// Programs fill the end up with zeros, to so much at most.
const END_MAX: u64 = 1 << 20;

/// An archive that is being written.
pub(super) struct Writer<W: Write> {
    tar: Builder<W>,
    manifest: Manifest,
}

/// What is in an archive, by name.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
struct Manifest(BTreeMap<String, Content>);

/// What an entry's content must be.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    size: u64,
    sha256: String,
}

impl<W: Write> Writer<W> {
    /// A new archive.
    pub(super) fn new(to: W) -> Self {
        Writer {
            tar: Builder::new(to),
            manifest: Manifest::default(),
        }
    }

    /// Adds a file of so many octets.
    ///
    /// # Errors
    /// When it has another size, or cannot be read or written.
    pub(super) fn add(&mut self, name: &str, size: u64, content: impl Read) -> io::Result<()> {
        self.add_as(secret(size), name, content)
    }

    /// Adds what `header` is about, with its owner and mode.
    ///
    /// # Errors
    /// As [`Writer::add`].
    pub(super) fn add_as(
        &mut self,
        mut header: Header,
        name: &str,
        content: impl Read,
    ) -> io::Result<()> {
        let size = header.size()?;
        let mut content = Summed::new(content);
        self.tar.append_data(&mut header, name, &mut content)?;
        if content.size != size {
            return Err(io::Error::other("it changed while it was saved"));
        }
        self.manifest.add(name, content)
    }

    /// Adds the manifest and the end.
    ///
    /// # Errors
    /// When they cannot be written.
    pub(super) fn finish(mut self) -> io::Result<W> {
        let manifest = serde_json::to_vec_pretty(&self.manifest)?;
        let mut header = secret(manifest.len() as u64);
        self.tar
            .append_data(&mut header, MANIFEST, manifest.as_slice())?;
        self.tar.into_inner()
    }
}

/// The header of a file of ours.
pub(super) fn secret(size: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_size(size);
    header.set_mode(SECRET);
    header.set_mtime(crate::time::Timestamp::now().seconds().cast_unsigned());
    header
}

/// Reads an archive, giving each entry to `each`. What was given is only good when all of it
/// was read without an error.
///
/// # Errors
/// When it cannot be read, ends too soon, or has anything else than its manifest says.
pub(super) fn read(
    from: impl Read,
    mut each: impl FnMut(&str, &Header, &mut dyn Read) -> io::Result<()>,
) -> io::Result<()> {
    let mut archive = Archive::new(from);
    let (mut found, mut listed) = (Manifest::default(), None);
    for entry in archive.entries()? {
        let entry = entry?;
        if listed.is_some() {
            return Err(io::Error::other("there is more behind its manifest"));
        }
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let header = entry.header().clone();
        let mut content = Summed::new(entry);
        if name == MANIFEST {
            listed = Some(serde_json::from_reader::<_, Manifest>(&mut content)?);
            continue;
        }
        each(&name, &header, &mut content)?;
        io::copy(&mut content, &mut io::sink())?;
        found.add(&name, content)?;
    }
    let mut end = Vec::new();
    archive.into_inner().take(END_MAX).read_to_end(&mut end)?;
    match listed {
        Some(listed) if end.len() >= BLOCK && end.iter().all(|octet| *octet == 0) => {
            listed.check(&found)
        }
        _ => Err(io::Error::other("its end is missing")),
    }
}

impl Manifest {
    fn add(&mut self, name: &str, content: Summed<impl Read>) -> io::Result<()> {
        match self.0.insert(name.to_owned(), content.sum()) {
            None => Ok(()),
            Some(_) => Err(io::Error::other(format!("it has {name} twice"))),
        }
    }

    /// Whether exactly this was found.
    fn check(&self, found: &Manifest) -> io::Result<()> {
        for (name, content) in &self.0 {
            match found.0.get(name) {
                Some(is) if is == content => {}
                Some(_) => return Err(io::Error::other(format!("{name} was changed in it"))),
                None => return Err(io::Error::other(format!("there is no {name} in it"))),
            }
        }
        match found.0.keys().find(|name| !self.0.contains_key(*name)) {
            Some(name) => Err(io::Error::other(format!("{name} was added to it"))),
            None => Ok(()),
        }
    }
}

/// A reader that remembers what went through.
struct Summed<R> {
    from: R,
    size: u64,
    hash: Sha256,
}

impl<R: Read> Summed<R> {
    fn new(from: R) -> Self {
        Summed {
            from,
            size: 0,
            hash: Sha256::new(),
        }
    }

    fn sum(self) -> Content {
        let octets = self.hash.finalize();
        Content {
            size: self.size,
            sha256: octets.iter().map(|octet| format!("{octet:02x}")).collect(),
        }
    }
}

impl<R: Read> Read for Summed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.from.read(buffer)?;
        self.hash.update(buffer.get(..count).unwrap_or_default());
        self.size += count as u64;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn archive() -> Vec<u8> {
        let mut writer = Writer::new(Vec::new());
        writer.add("a", 600, [1; 600].as_slice()).unwrap();
        writer.add("empty", 0, io::empty()).unwrap();
        writer.add("b", 3, b"key".as_slice()).unwrap();
        writer.finish().unwrap()
    }

    fn names(octets: &[u8]) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        // Not all of each is read: it counts all the same.
        read(octets, |name, _, content| {
            names.push(name.to_owned());
            content.read_exact(&mut [])
        })?;
        Ok(names)
    }

    #[test]
    fn only_the_whole_of_it_is_read() {
        let whole = archive();
        assert_eq!(names(&whole).unwrap(), ["a", "empty", "b"]);
        for length in (0..whole.len()).step_by(64).chain([whole.len() - 1]) {
            assert!(names(&whole[..length]).is_err(), "{length}");
        }
        let padded = [whole.as_slice(), &[0; 8192]].concat();
        assert!(names(&padded).is_ok());
        let followed = [whole.as_slice(), &[1; 512]].concat();
        assert!(names(&followed).is_err());
    }

    #[test]
    fn no_octet_of_a_file_can_change() {
        let whole = archive();
        for at in (512..512 + 600).chain(2560..2563) {
            let mut changed = whole.clone();
            changed[at] ^= 1;
            let error = names(&changed).unwrap_err().to_string();
            assert!(error.ends_with(" was changed in it"), "{at}: {error}");
        }
    }

    #[test]
    fn what_is_read_is_what_is_listed() {
        let mut writer = Writer::new(Vec::new());
        writer.add("a", 1, b"1".as_slice()).unwrap();
        writer.manifest.0.clear();
        let error = names(&writer.finish().unwrap()).unwrap_err();
        assert_eq!(error.to_string(), "a was added to it");

        let mut writer = Writer::new(Vec::new());
        writer.add("a", 1, b"1".as_slice()).unwrap();
        assert!(writer.add("a", 1, b"1".as_slice()).is_err());
        assert!(writer.add("b", 2, b"1".as_slice()).is_err());
    }
}
