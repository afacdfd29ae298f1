//! Phones listed one by one in a CSV file.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use ::csv::{Position, ReaderBuilder, StringRecord, Trim};

use super::error::{Place, Problem, nearest};

/// One line of the file: who a phone is, as far as the file says.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Row {
    /// Line in the file, from 1.
    pub(crate) line: usize,
    /// Extension, never empty.
    pub(crate) extension: String,
    /// Twelve lower-case hex digits.
    pub(crate) mac: Option<String>,
    /// Serial number.
    pub(crate) serial: Option<String>,
    /// User name and password.
    pub(crate) credentials: Option<(String, String)>,
}

/// The columns that mean something.
const COLUMNS: [&str; 5] = ["extension", "mac", "serial", "user", "password"];

/// Most problems told of one file: a wrong separator would give one a line.
const MOST: usize = 20;

/// Reads the text of a CSV file with a header line. Other columns than ours are ignored, unless their names look
/// like slips of ours.
pub(crate) fn read(file: &str, octets: &[u8]) -> Result<Vec<Row>, Vec<Problem>> {
    let octets = octets.strip_prefix(b"\xef\xbb\xbf").unwrap_or(octets);
    let mut reader = ReaderBuilder::new().flexible(true).trim(Trim::All).from_reader(octets);
    let mut problems = Problems { file, found: Vec::new(), more: 0 };
    let columns = match reader.headers() {
        Ok(header) => Columns::of(header, &mut problems),
        Err(e) => {
            problems.say(1, "", format!("the header line cannot be read: {}", readable(&e)), UTF8);
            None
        }
    };
    let Some(columns) = columns else { return Err(problems.all()) };
    let mut rows = Vec::new();
    let mut seen = Seen::default();
    let mut lines = Lines { octets, at: 0, line: 1 };
    for record in reader.records() {
        match record {
            Ok(record) => {
                let line = lines.of(record.position());
                if let Some(row) = columns.row(line, &record, &mut problems) {
                    seen.check(&row, &mut problems);
                    rows.push(row);
                }
            }
            Err(e) => {
                problems.say(lines.of(e.position()), "", readable(&e), UTF8);
                // Encoding errors of one file come in crowds; the first is enough.
                break;
            }
        }
    }
    if rows.is_empty() && problems.found.is_empty() {
        problems.say(1, "", "lists no phones".to_owned(), "write one line a phone below the header");
    }
    if problems.found.is_empty() { Ok(rows) } else { Err(problems.all()) }
}

const UTF8: &str = "save it as UTF-8, comma-separated";

/// The reason of a csv error, without the file's content.
fn readable(e: &::csv::Error) -> String {
    match e.kind() {
        ::csv::ErrorKind::Utf8 { .. } => "is not UTF-8".to_owned(),
        _ => "is not CSV".to_owned(),
    }
}

/// Counts lines: the csv crate's own count does not take in blank lines before a record.
struct Lines<'o> {
    octets: &'o [u8],
    at: usize,
    line: usize,
}

impl Lines<'_> {
    /// The line of a position; positions come in order.
    fn of(&mut self, position: Option<&Position>) -> usize {
        let target = position.map_or(self.at, |p| p.byte() as usize);
        while let Some(octet) = self.octets.get(self.at) {
            if self.at >= target && !matches!(octet, b'\n' | b'\r') {
                break;
            }
            self.line += usize::from(*octet == b'\n');
            self.at += 1;
        }
        self.line
    }
}

/// What has been found so far.
struct Problems<'f> {
    file: &'f str,
    found: Vec<Problem>,
    more: usize,
}

impl Problems<'_> {
    fn say(&mut self, line: usize, column: &str, what: String, right: &str) {
        if self.found.len() >= MOST {
            self.more += 1;
            return;
        }
        self.found.push(Problem {
            place: Place::Line { file: self.file.to_owned(), line },
            key: column.to_owned(),
            what,
            right: (!right.is_empty()).then(|| right.to_owned()),
        });
    }

    fn all(mut self) -> Vec<Problem> {
        if self.more > 0 {
            let what = format!("{} more problems like these", self.more);
            self.found.push(Problem {
                place: Place::File(self.file.to_owned()),
                key: String::new(),
                what,
                right: None,
            });
        }
        self.found
    }
}

/// Where each column stands.
struct Columns {
    width: usize,
    at: [Option<usize>; COLUMNS.len()],
}

impl Columns {
    fn of(header: &StringRecord, problems: &mut Problems<'_>) -> Option<Columns> {
        let names: Vec<String> = header.iter().map(str::to_lowercase).collect();
        let mut right = true;
        for (n, name) in names.iter().enumerate() {
            if names[..n].contains(name) && COLUMNS.contains(&name.as_str()) {
                problems.say(1, name, "this column is there twice".to_owned(), "leave one");
                right = false;
            }
            let slip = || nearest(name, COLUMNS).filter(|near| !names.iter().any(|n| n == near));
            if let Some(near) = (!COLUMNS.contains(&name.as_str())).then(slip).flatten() {
                problems.say(1, name, "there is no such column".to_owned(), &format!("did you mean `{near}`?"));
                right = false;
            }
        }
        let at = COLUMNS.map(|column| names.iter().position(|name| name == column));
        if at[0].is_none() && right {
            let right = "the first line names the columns: extension, and if wanted mac, serial, user, password";
            problems.say(1, "extension", "this column is missing".to_owned(), right);
        }
        (right && at[0].is_some()).then_some(Columns { width: names.len(), at })
    }

    fn row(&self, line: usize, record: &StringRecord, problems: &mut Problems<'_>) -> Option<Row> {
        if record.len() != self.width {
            let what = format!("has {} values, the header {}", record.len(), self.width);
            problems.say(line, "", what, "give every line all columns, empty ones too; quote values that hold commas");
            return None;
        }
        let value = |column: usize| {
            self.at.get(column).copied().flatten().and_then(|at| record.get(at)).filter(|v| !v.is_empty())
        };
        let [extension, mac, serial, user, password] = [0, 1, 2, 3, 4].map(value);
        let Some(extension) = extension else {
            problems.say(line, "extension", "is empty".to_owned(), "every phone has an extension");
            return None;
        };
        let normal = mac.map(normal_mac);
        if let (Some(mac), Some(None)) = (mac, &normal) {
            let right = "a MAC address has twelve hex digits, colons or dashes between them or not";
            problems.say(line, "mac", format!("`{mac}` is no MAC address"), right);
            return None;
        }
        let credentials = match (user, password) {
            (Some(user), Some(password)) => Some((user.to_owned(), password.to_owned())),
            (None, None) => None,
            (given, _) => {
                let (missing, given) = if given.is_some() { ("password", "user") } else { ("user", "password") };
                problems.say(line, missing, format!("is empty, though {given} is given"), "give both or neither");
                return None;
            }
        };
        let serial = serial.map(str::to_owned);
        Some(Row { line, extension: extension.to_owned(), mac: normal.flatten(), serial, credentials })
    }
}

/// Extensions and MAC addresses met so far, with their lines.
#[derive(Default)]
struct Seen {
    extensions: HashMap<String, usize>,
    macs: HashMap<String, usize>,
}

impl Seen {
    fn check(&mut self, row: &Row, problems: &mut Problems<'_>) {
        let mut once = |seen: &mut HashMap<String, usize>, column: &str, value: &str| match seen.entry(value.to_owned())
        {
            Entry::Vacant(free) => {
                free.insert(row.line);
            }
            Entry::Occupied(taken) => {
                let what = format!("`{value}` is that of line {} already", taken.get());
                problems.say(row.line, column, what, "no two phones have the same");
            }
        };
        once(&mut self.extensions, "extension", &row.extension);
        if let Some(mac) = &row.mac {
            once(&mut self.macs, "mac", mac);
        }
    }
}

/// Twelve lower-case hex digits, of a MAC address written in any usual way.
pub(crate) fn normal_mac(text: &str) -> Option<String> {
    let digits: String = text.chars().filter(|c| !matches!(c, ':' | '-' | '.' | ' ')).collect();
    (digits.len() == 12 && digits.bytes().all(|b| b.is_ascii_hexdigit())).then(|| digits.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &[u8]) -> Vec<String> {
        read("p.csv", text).map(|_| ()).unwrap_err().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_list_is_read_with_or_without_bom() {
        for bom in ["", "\u{feff}"] {
            let text = format!(
                "{bom}Extension, mac ,location,user,password\n2001,00:1B:4F:00:00:01,Bern,u,\"p,w\"\n\n2002,,\"Zug, West\",,\n"
            );
            let rows = read("p.csv", text.as_bytes()).unwrap_or_default();
            assert_eq!(rows.len(), 2);
            assert_eq!(rows[0].mac.as_deref(), Some("001b4f000001"));
            assert_eq!(rows[0].credentials, Some(("u".to_owned(), "p,w".to_owned())));
            assert_eq!((rows[1].line, rows[1].extension.as_str(), &rows[1].credentials), (4, "2002", &None));
        }
    }

    #[test]
    fn every_problem_names_line_and_column() {
        let table: &[(&str, &[&str])] = &[
            (
                "",
                &[
                    "p.csv:1: extension: this column is missing; the first line names the columns: extension, and if wanted mac, serial, user, password",
                ],
            ),
            ("Extensions,mac\n1,\n", &["p.csv:1: extensions: there is no such column; did you mean `extension`?"]),
            ("extension,extension\n1,2\n", &["p.csv:1: extension: this column is there twice; leave one"]),
            ("extension\n", &["p.csv:1: lists no phones; write one line a phone below the header"]),
            (
                "extension,mac\n1,\n2\n",
                &[
                    "p.csv:3: has 1 values, the header 2; give every line all columns, empty ones too; quote values that hold commas",
                ],
            ),
            (
                "extension,mac,user,password\n1,,,\n1,xyz,,\n,,,\n2,,u,\n3,,,geheim\n1,,,\n",
                &[
                    "p.csv:3: mac: `xyz` is no MAC address; a MAC address has twelve hex digits, colons or dashes between them or not",
                    "p.csv:4: extension: is empty; every phone has an extension",
                    "p.csv:5: password: is empty, though user is given; give both or neither",
                    "p.csv:6: user: is empty, though password is given; give both or neither",
                    "p.csv:7: extension: `1` is that of line 2 already; no two phones have the same",
                ],
            ),
        ];
        for (text, want) in table {
            assert_eq!(told(text.as_bytes()), *want, "{text}");
        }
        assert_eq!(told(b"extension\n1\n\xff\n"), ["p.csv:3: is not UTF-8; save it as UTF-8, comma-separated"]);
    }

    #[test]
    fn problems_in_crowds_are_counted() {
        let text = format!("extension\n{}", "1\n".repeat(30));
        let told = told(text.as_bytes());
        assert_eq!((told.len(), told[20].as_str()), (21, "p.csv: 9 more problems like these"));
    }

    proptest::proptest! {
        #[test]
        fn no_text_is_too_odd(octets in proptest::collection::vec(proptest::num::u8::ANY, 0..200), text in "[extnsiomacurpwd,\\n\"0-9a-f]{0,80}") {
            let _ = read("p.csv", &octets);
            let _ = read("p.csv", format!("extension,mac,user,password\n{text}").as_bytes());
        }

        #[test]
        fn what_was_listed_is_read(extensions in proptest::collection::hash_set("[0-9]{1,8}", 1..50)) {
            let text: String = extensions.iter().map(|e| format!("{e}\n")).collect();
            let rows = read("p.csv", format!("extension\n{text}").as_bytes()).unwrap_or_default();
            let back: Vec<&String> = rows.iter().map(|r| &r.extension).collect();
            proptest::prop_assert_eq!(back, extensions.iter().collect::<Vec<_>>());
        }
    }
}
