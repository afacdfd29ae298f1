//! Where the body of an answer ends.

use super::Wrong;

/// Most octets of chunk extensions, and of trailer lines, in one body: nobody sends any.
const EXTRAS_LIMIT: u32 = 16 * 1024;

/// A body being read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Body {
    /// So many octets are still to come.
    Length(u64),
    /// In chunks (RFC 9112 section 7.1).
    Chunked(Chunks),
    /// All until the connection ends.
    UntilClose,
}

/// Where in the chunks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Chunks {
    place: Place,
    /// Of the chunk: its size as far as it is read, then what is left of it.
    left: u64,
    /// Octets of extensions and trailers so far.
    extras: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Before the first digit of a size.
    Start,
    Size,
    /// Blanks after a size.
    Blanks,
    Extension,
    SizeLf,
    Data,
    DataCr,
    DataLf,
    /// Before a trailer line, or the empty one that ends it all.
    Line,
    Trailer,
    TrailerLf,
    LastLf,
    End,
}

impl Body {
    pub(crate) const fn length(octets: u64) -> Body {
        Body::Length(octets)
    }

    pub(crate) const fn chunked() -> Body {
        Body::Chunked(Chunks { place: Place::Start, left: 0, extras: 0 })
    }

    /// Whether all of it was read. One that ends with the connection never knows.
    pub(crate) fn is_over(&self) -> bool {
        match self {
            Body::Length(left) => *left == 0,
            Body::Chunked(chunks) => chunks.place == Place::End,
            Body::UntilClose => false,
        }
    }

    /// The least octets that are still to come, as far as is known.
    pub(crate) fn least(&self) -> u64 {
        if let Body::Length(left) = self { *left } else { 0 }
    }

    /// Takes in the next octets and gives the content among them to `content`. How many were the body's: fewer than there
    /// are only when it is over.
    pub(crate) fn take(&mut self, octets: &[u8], content: impl FnMut(&[u8])) -> Result<usize, Wrong> {
        let mut content = content;
        match self {
            Body::Length(left) => {
                let taken = usize::try_from(*left).unwrap_or(usize::MAX).min(octets.len());
                *left -= taken as u64;
                content(&octets[..taken]);
                Ok(taken)
            }
            Body::Chunked(chunks) => chunks.take(octets, content),
            Body::UntilClose => {
                content(octets);
                Ok(octets.len())
            }
        }
    }
}

impl Chunks {
    fn take(&mut self, octets: &[u8], mut content: impl FnMut(&[u8])) -> Result<usize, Wrong> {
        let mut at = 0;
        while let Some(&octet) = octets.get(at) {
            match self.place {
                Place::End => break,
                Place::Data => {
                    let rest = &octets[at..];
                    let data = usize::try_from(self.left).unwrap_or(usize::MAX).min(rest.len());
                    content(&rest[..data]);
                    self.left -= data as u64;
                    at += data;
                    if self.left == 0 {
                        self.place = Place::DataCr;
                    }
                }
                _ => {
                    self.place = self.step(octet)?;
                    at += 1;
                }
            }
        }
        Ok(at)
    }

    /// What one octet outside of the data leads to.
    fn step(&mut self, octet: u8) -> Result<Place, Wrong> {
        Ok(match (self.place, octet) {
            (Place::Start | Place::Size, b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F') => {
                let digit = match octet {
                    b'0'..=b'9' => octet - b'0',
                    letter => letter.to_ascii_lowercase() - b'a' + 10,
                };
                let size = self.left.checked_mul(16).and_then(|size| size.checked_add(digit.into()));
                self.left = size.ok_or(Wrong::Malformed)?;
                Place::Size
            }
            (Place::Size | Place::Blanks, b' ' | b'\t') => Place::Blanks,
            (Place::Size | Place::Blanks, b';') => Place::Extension,
            (Place::Size | Place::Blanks | Place::Extension, b'\r') => Place::SizeLf,
            // A bare line feed: somebody may hide something from somebody.
            (Place::Extension, b'\n') => return Err(Wrong::Malformed),
            (Place::Extension, _) => self.extra(Place::Extension)?,
            (Place::SizeLf, b'\n') if self.left == 0 => Place::Line,
            (Place::SizeLf, b'\n') => Place::Data,
            (Place::DataCr, b'\r') => Place::DataLf,
            (Place::DataLf, b'\n') => Place::Start,
            (Place::Line, b'\r') => Place::LastLf,
            (Place::Trailer, b'\r') => Place::TrailerLf,
            (Place::Line | Place::Trailer, b'\n' | 0) => return Err(Wrong::Malformed),
            (Place::Line | Place::Trailer, _) => self.extra(Place::Trailer)?,
            (Place::TrailerLf, b'\n') => Place::Line,
            (Place::LastLf, b'\n') => Place::End,
            _ => return Err(Wrong::Malformed),
        })
    }

    /// One more octet nobody has a use for.
    fn extra(&mut self, place: Place) -> Result<Place, Wrong> {
        self.extras += 1;
        if self.extras > EXTRAS_LIMIT { Err(Wrong::Malformed) } else { Ok(place) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The content, how many octets were taken, and whether it is over; the octets coming in these pieces.
    fn taken<'a>(mut body: Body, pieces: impl IntoIterator<Item = &'a [u8]>) -> Result<(Vec<u8>, usize, bool), Wrong> {
        let (mut content, mut taken) = (Vec::new(), 0);
        for piece in pieces {
            taken += body.take(piece, |octets| content.extend_from_slice(octets))?;
        }
        Ok((content, taken, body.is_over()))
    }

    #[test]
    fn chunks_table() {
        #[allow(clippy::type_complexity, reason = "a table of cases")]
        let table: [(&str, Result<(&str, usize, bool), Wrong>); 16] = [
            ("5\r\nhello\r\n0\r\n\r\nrest", Ok(("hello", 15, true))),
            ("0\r\n\r\n", Ok(("", 5, true))),
            ("3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n", Ok(("abc0123456789", 28, true))),
            ("03 \t\r\nabc\r\n0;x=\"y\"\r\n\r\n", Ok(("abc", 22, true))),
            ("1\r\na\r\n0\r\nTrailer: 1\r\nAnother: 2\r\n\r\n!", Ok(("a", 35, true))),
            ("5\r\nhel", Ok(("hel", 6, false))),
            ("zz\r\n", Err(Wrong::Malformed)),
            ("\r\n", Err(Wrong::Malformed)),
            ("1 1\r\n", Err(Wrong::Malformed)),
            ("1\nab", Err(Wrong::Malformed)),
            ("1;x\ny\r\n", Err(Wrong::Malformed)),
            ("1\r\nab", Err(Wrong::Malformed)),
            ("1\r\na\r\r", Err(Wrong::Malformed)),
            ("10000000000000000\r\n", Err(Wrong::Malformed)),
            ("0\r\n\rx", Err(Wrong::Malformed)),
            ("-1\r\n", Err(Wrong::Malformed)),
        ];
        for (octets, wanted) in table {
            let wanted = wanted.map(|(content, length, over)| (content.as_bytes().to_vec(), length, over));
            assert_eq!(taken(Body::chunked(), [octets.as_bytes()]), wanted, "{octets:?}");
        }
        let endless = format!("1;{}", "x".repeat(EXTRAS_LIMIT as usize + 1));
        assert_eq!(taken(Body::chunked(), [endless.as_bytes()]), Err(Wrong::Malformed));
    }

    #[test]
    fn a_length_is_taken_and_no_more() {
        assert_eq!(taken(Body::length(3), [&b"ab"[..], b"cd"]), Ok((b"abc".to_vec(), 3, true)));
        assert_eq!(taken(Body::length(0), [&b"x"[..]]), Ok((Vec::new(), 0, true)));
        assert_eq!(taken(Body::UntilClose, [&b"ab"[..], b"cd"]), Ok((b"abcd".to_vec(), 4, false)));
        assert_eq!((Body::length(7).least(), Body::chunked().least()), (7, 0));
    }

    proptest! {
        #[test]
        fn chunks_read_alike_however_they_come(
            contents in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..20), 0..5),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
        ) {
            let mut octets = Vec::new();
            for content in &contents {
                octets.extend(format!("{:x}\r\n", content.len()).bytes());
                octets.extend(content);
                octets.extend(b"\r\n");
            }
            octets.extend(b"0\r\n\r\n");
            let mut cuts: Vec<_> = cuts.into_iter().map(|cut| cut.index(octets.len())).collect();
            cuts.extend([0, octets.len()]);
            cuts.sort_unstable();
            let pieces = cuts.windows(2).map(|cut| &octets[cut[0]..cut[1]]);
            prop_assert_eq!(taken(Body::chunked(), pieces), Ok((contents.concat(), octets.len(), true)));
        }

        #[test]
        fn octets_never_panic(octets in prop::collection::vec(any::<u8>(), 0..100)) {
            let _ = taken(Body::chunked(), [octets.as_slice()]);
        }
    }
}
