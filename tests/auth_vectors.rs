//! Authentication against vectors that do not come from this code: RFC examples, hashlib, headers of real servers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "in a test, a panic is the message")]

use bootstorm::auth::digest::Ha1;
use bootstorm::auth::{
    AnswerUser, Authorization, Challenge, Charset, Credentials, DigestAnswer, MalformedChallenge, Rspauth, Session,
    parse_challenges,
};
use serde::Deserialize;
use serde::de::DeserializeOwned;

#[derive(Deserialize)]
struct Vectors {
    vector: Vec<Vector>,
}

/// One request and its right answer.
#[derive(Deserialize)]
struct Vector {
    name: String,
    challenge: String,
    user: String,
    password: String,
    cnonce: String,
    #[serde(default = "one")]
    nc: u32,
    method: String,
    uri: String,
    #[serde(default)]
    body: String,
    response: String,
    /// Over the octets `the answer`.
    rspauth: Option<String>,
    #[serde(default)]
    fields: Vec<String>,
    #[serde(default)]
    absent: Vec<String>,
}

fn one() -> u32 {
    1
}

fn read<T: DeserializeOwned>(file: &str) -> T {
    let path = format!("{}/tests/data/auth/{file}", env!("CARGO_MANIFEST_DIR"));
    toml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

impl Vector {
    fn challenge(&self) -> Challenge {
        let mut challenges = parse_challenges([self.challenge.as_bytes()]).unwrap();
        assert_eq!(challenges.len(), 1, "{}", self.name);
        challenges.remove(0)
    }

    /// A session that has answered up to this vector's request, and the answer.
    fn answered(&self) -> (Session, Vec<u8>) {
        let credentials = Credentials::new(&self.user, &self.password);
        let mut session = Session::open(&self.challenge(), &credentials, &self.cnonce).expect(&self.name);
        let mut value = Vec::new();
        for _ in 0..self.nc {
            value = session.authorize(&self.method, &self.uri, self.body.as_bytes()).as_bytes().to_vec();
        }
        (session, value)
    }

    /// What a server reads of the answer, and the secret it would have.
    fn received(&self) -> (Box<DigestAnswer>, Ha1) {
        let Authorization::Digest(answer) = Authorization::parse(&self.answered().1).expect(&self.name) else {
            panic!("{}: no Digest answer", self.name);
        };
        let charset = if self.challenge.contains("harset=") { Charset::Utf8 } else { Charset::Latin1 };
        let credentials = Credentials::new(&self.user, &self.password);
        let ha1 = Ha1::new(answer.algorithm(), charset, &credentials, &answer.realm_octets());
        (answer, ha1)
    }
}

#[test]
fn the_client_answers_as_the_rfcs_do() {
    for v in read::<Vectors>("rfc.toml").vector {
        let (_, value) = v.answered();
        let text = String::from_utf8(value).unwrap();
        assert!(text.contains(&format!("response=\"{}\"", v.response)), "{}: {text}", v.name);
        for field in &v.fields {
            assert!(text[7..].split(", ").any(|f| f == field), "{}: no {field} in {text}", v.name);
        }
        for field in &v.absent {
            assert!(!text.contains(field.as_str()), "{}: {field} in {text}", v.name);
        }
    }
}

#[test]
fn the_client_answers_as_hashlib_does() {
    let vectors = read::<Vectors>("generated.toml").vector;
    assert_eq!(vectors.len(), 2 + 6 * 3 * 3);
    for v in vectors {
        let (mut session, value) = v.answered();
        let text = String::from_utf8_lossy(&value);
        assert!(text.contains(&format!("response=\"{}\"", v.response)), "{}: {text}", v.name);
        let info = format!("rspauth=\"{}\"", v.rspauth.unwrap());
        let verdict = session.take_info(info.as_bytes(), &v.uri, Some(b"the answer"));
        assert_eq!(verdict.rspauth, Rspauth::Right, "{}", v.name);
    }
}

#[test]
fn the_server_takes_right_answers_and_no_others() {
    let files = ["rfc.toml", "generated.toml"];
    for v in files.into_iter().flat_map(|file| read::<Vectors>(file).vector) {
        let (answer, ha1) = v.received();
        let (method, body) = (v.method.as_str(), v.body.as_bytes());
        assert!(answer.verify(method, body, &ha1), "{}", v.name);
        assert!(!answer.verify("DELETE", body, &ha1), "{}", v.name);
        let other = Ha1::of_octets(answer.algorithm(), v.user.as_bytes(), answer.realm.as_bytes(), b"wrong");
        assert!(!answer.verify(method, body, &other), "{}", v.name);
        if let AnswerUser::Name(user) = &answer.user {
            assert_eq!(*user, v.user, "{}", v.name);
        }
        if let Some(rspauth) = &v.rspauth {
            let info = answer.info(&answer.key(&ha1).unwrap(), b"the answer", None);
            assert!(info.to_str().unwrap().contains(rspauth.as_str()), "{}: {info:?}", v.name);
        }
    }
}

#[derive(Deserialize)]
struct Cases {
    case: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    headers: Vec<String>,
    expect: Vec<String>,
    #[serde(default)]
    flaw: Vec<String>,
    usable: Option<bool>,
}

/// The octets of a header with `\xHH` in it.
fn octets(text: &str) -> Vec<u8> {
    let mut pieces = text.split("\\x");
    let mut octets = pieces.next().unwrap().as_bytes().to_vec();
    for piece in pieces {
        octets.push(u8::from_str_radix(&piece[..2], 16).unwrap());
        octets.extend_from_slice(&piece.as_bytes()[2..]);
    }
    octets
}

impl Case {
    fn headers(&self) -> Vec<Vec<u8>> {
        self.headers.iter().map(|h| octets(h)).collect()
    }
}

#[test]
fn challenges_of_real_servers_are_read() {
    for case in read::<Cases>("challenges.toml").case {
        let headers = case.headers();
        let read = parse_challenges(headers.iter().map(Vec::as_slice));
        let challenges = read.as_deref().unwrap_or_default();
        let printed: Vec<String> = challenges.iter().map(|c| c.to_string().trim_end().to_owned()).collect();
        assert_eq!(printed, case.expect, "{}", case.name);
        assert_eq!(read.is_err(), case.expect.is_empty(), "{}", case.name);
        let flaw = |c: &Challenge| match c {
            Challenge::Other(other) => other.flaw.map(|f| format!("{f:?}")),
            _ => None,
        };
        assert_eq!(challenges.iter().filter_map(flaw).collect::<Vec<_>>(), case.flaw, "{}", case.name);
        if let Some(usable) = case.usable {
            assert!(challenges.iter().all(|c| c.scheme().is_some() == usable), "{}", case.name);
        }
    }
}

#[test]
fn every_prefix_of_every_header_is_read_without_panic() {
    for case in read::<Cases>("challenges.toml").case {
        for header in case.headers() {
            for end in 0..=header.len() {
                if let Ok(challenges) = parse_challenges([&header[..end]]) {
                    assert!(!challenges.is_empty(), "{}", case.name);
                }
            }
        }
    }
}

#[test]
fn a_prefix_costs_no_neighbour() {
    let neighbour: &[u8] = b"Basic realm=\"neighbour\"";
    for case in read::<Cases>("challenges.toml").case {
        for header in case.headers() {
            for end in 0..=header.len() {
                let challenges = parse_challenges([&header[..end], neighbour]).expect(&case.name);
                assert_eq!(challenges.last().and_then(Challenge::realm), Some("neighbour"), "{}", case.name);
            }
        }
    }
}

#[test]
fn no_challenge_is_an_error_that_names_its_cause() {
    assert_eq!(parse_challenges([]), Err(MalformedChallenge::Missing));
    let unreadable = parse_challenges([b"=".as_slice(), b"".as_slice()]).unwrap_err();
    assert_eq!(unreadable.to_string(), "the server's WWW-Authenticate header names no scheme: \"=\"");
}
