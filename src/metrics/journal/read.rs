//! Reading a journal: entry by entry, in bounded memory, as far as it goes.

use std::fmt;
use std::io::{self, Read};
use std::time::Duration;

use super::{Closing, Entry, Header, LONGEST_ENTRY, LONGEST_RUN, MAGIC};

/// Reads the entries of a journal in order, and tells how it ended.
///
/// An iterator over the entries that follow the header. It ends with the [`Closing`], or where the journal is cut or
/// damaged; [`Reader::end`] tells which. It never panics, whatever it reads, and holds one entry at a time.
#[derive(Debug)]
pub struct Reader<R> {
    from: R,
    header: Header,
    /// Octets read and understood.
    offset: u64,
    /// The number of the last slice.
    slice: Option<u64>,
    known_until: Duration,
    closing: Option<Closing>,
    how: Option<How>,
}

/// A look at the machine is written after all slices that ended so long before it. Where nothing happens there are none,
/// and it alone tells that the run was still on.
const LOOK_BACK: Duration = Duration::from_secs(1);

/// How a journal ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// In which way.
    pub how: How,
    /// So many octets of it were read and used.
    pub offset: u64,
    /// What happened up to this moment since the run began is known.
    pub known_until: Duration,
}

/// In which way a journal ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// The run closed it.
    Closed,
    /// It breaks off: the run was killed, its disk was full, or it is still on.
    Cut,
    /// What follows is no entry.
    Damaged(Damage),
}

/// What is wrong with an entry that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damage {
    /// It would be empty, or longer than entries are.
    Length(u32),
    /// Its checksum is not that of its octets.
    Checksum,
    /// Its octets are no entry.
    Content,
    /// It is an entry, but not one that may follow the one before.
    Order,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Damage::Length(length) => write!(f, "an entry of {length} octets cannot be"),
            Damage::Checksum => f.write_str("the checksum is wrong"),
            Damage::Content => f.write_str("the checksum is right, but this is no entry"),
            Damage::Order => f.write_str("this entry cannot follow the one before"),
        }
    }
}

/// Why nothing can be told from a journal.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// It is empty, or ends within its header.
    #[error(
        "it ends before it says what was run: the run was killed as it began, or its disk was full; nothing can be told"
    )]
    NoHeader,
    /// It does not begin as a journal does.
    #[error("this is no journal of bootstorm")]
    NoJournal,
    /// Another version of the form.
    #[error("its form is version {found}, this bootstorm reads version {reads}; read it with the bootstorm that wrote it", found = .0, reads = MAGIC[9])]
    OtherVersion(u8),
    /// Its header cannot be read.
    #[error("its header is damaged ({0}); nothing can be told")]
    Damaged(Damage),
    /// The system would not.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl<R: Read> Reader<R> {
    /// Reads what a journal begins with, up to and with its header. Give it something buffered.
    ///
    /// # Errors
    /// If it is none, is of another version, or has no header that can be read.
    pub fn begin(mut from: R) -> Result<Reader<R>, Unreadable> {
        let mut magic = Vec::with_capacity(MAGIC.len());
        (&mut from).take(MAGIC.len() as u64).read_to_end(&mut magic)?;
        match magic.as_slice() {
            whole if whole == MAGIC => {}
            part if MAGIC.starts_with(part) => return Err(Unreadable::NoHeader),
            [name @ .., version] if magic.len() == MAGIC.len() && MAGIC.starts_with(name) => {
                return Err(Unreadable::OtherVersion(*version));
            }
            _ => return Err(Unreadable::NoJournal),
        }
        match frame(&mut from)? {
            Ok((Entry::Header(header), length)) => Ok(Reader {
                from,
                header,
                offset: MAGIC.len() as u64 + length,
                slice: None,
                known_until: Duration::ZERO,
                closing: None,
                how: None,
            }),
            Ok(_) => Err(Unreadable::Damaged(Damage::Order)),
            Err(How::Damaged(damage)) => Err(Unreadable::Damaged(damage)),
            Err(_) => Err(Unreadable::NoHeader),
        }
    }

    /// What was known before the run began.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// How the journal ended; as long as it has not, as if it were cut here.
    pub fn end(&self) -> End {
        End { how: self.how.unwrap_or(How::Cut), offset: self.offset, known_until: self.known_until }
    }

    /// The header, what the run closed its journal with, and how it ended.
    pub fn into_parts(self) -> (Header, Option<Closing>, End) {
        let end = self.end();
        (self.header, self.closing, end)
    }

    /// Whether the entry may stand here, and what is known by it.
    fn follows(&mut self, entry: &Entry) -> bool {
        match entry {
            Entry::Header(_) => false,
            Entry::Slice(slice) => {
                let rises = self.slice.is_none_or(|last| last < slice.number);
                self.slice = Some(slice.number);
                let fits = rises && slice.ends() <= LONGEST_RUN;
                if fits {
                    self.known_until = self.known_until.max(slice.ends());
                }
                fits
            }
            Entry::Machine(sample) => {
                let at = Duration::from_millis(sample.at_ms);
                if at <= LONGEST_RUN {
                    self.known_until = self.known_until.max(at.saturating_sub(LOOK_BACK));
                }
                at <= LONGEST_RUN
            }
            Entry::Closing(closing) => {
                let wall = Duration::from_micros(closing.wall_us);
                if wall <= LONGEST_RUN {
                    self.known_until = wall;
                    self.closing = Some(closing.clone());
                }
                wall <= LONGEST_RUN
            }
        }
    }
}

impl<R: Read> Iterator for Reader<R> {
    type Item = io::Result<Entry>;

    fn next(&mut self) -> Option<io::Result<Entry>> {
        if self.how.is_some() {
            return None;
        }
        let (entry, length) = match frame(&mut self.from) {
            Ok(Ok((entry, length))) => (entry, length),
            Ok(Err(how)) => {
                self.how = Some(how);
                return None;
            }
            Err(error) => {
                self.how = Some(How::Cut);
                return Some(Err(error));
            }
        };
        if !self.follows(&entry) {
            self.how = Some(How::Damaged(Damage::Order));
            return None;
        }
        self.offset += length;
        if matches!(entry, Entry::Closing(_)) {
            self.how = Some(How::Closed);
        }
        Some(Ok(entry))
    }
}

/// The next entry with its length in the journal, or how it ends here. Room is made for what is there, not for what is announced.
fn frame(from: &mut impl Read) -> io::Result<Result<(Entry, u64), How>> {
    let mut start = Vec::with_capacity(8);
    from.take(8).read_to_end(&mut start)?;
    let Ok([l0, l1, l2, l3, c0, c1, c2, c3]) = <[u8; 8]>::try_from(start) else { return Ok(Err(How::Cut)) };
    let (length, checksum) = (u32::from_le_bytes([l0, l1, l2, l3]), u32::from_le_bytes([c0, c1, c2, c3]));
    if length == 0 || length > LONGEST_ENTRY {
        return Ok(Err(How::Damaged(Damage::Length(length))));
    }
    let mut octets = Vec::new();
    from.take(length.into()).read_to_end(&mut octets)?;
    if octets.len() as u64 != u64::from(length) {
        return Ok(Err(How::Cut));
    }
    if crc32fast::hash(&octets) != checksum {
        return Ok(Err(How::Damaged(Damage::Checksum)));
    }
    match postcard::take_from_bytes(&octets) {
        Ok((entry, [])) => Ok(Ok((entry, 8 + u64::from(length)))),
        _ => Ok(Err(How::Damaged(Damage::Content))),
    }
}
