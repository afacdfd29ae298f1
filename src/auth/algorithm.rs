//! The hash algorithms of Digest (RFC 7616 3.3, RFC 2617 3.2.1).

use std::fmt;

/// An algorithm of Digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub enum Algorithm {
    /// MD5; also meant when the challenge names none.
    Md5,
    /// MD5 with a session key (IIS).
    Md5Sess,
    /// SHA-256.
    Sha256,
    /// SHA-256 with a session key.
    Sha256Sess,
    /// SHA-512/256.
    Sha512_256,
    /// SHA-512/256 with a session key.
    Sha512_256Sess,
}

impl Algorithm {
    /// Every algorithm.
    pub const ALL: [Algorithm; 6] = [
        Algorithm::Md5,
        Algorithm::Md5Sess,
        Algorithm::Sha256,
        Algorithm::Sha256Sess,
        Algorithm::Sha512_256,
        Algorithm::Sha512_256Sess,
    ];

    /// The token of the wire, as the RFC writes it.
    pub const fn token(self) -> &'static str {
        match self {
            Algorithm::Md5 => "MD5",
            Algorithm::Md5Sess => "MD5-sess",
            Algorithm::Sha256 => "SHA-256",
            Algorithm::Sha256Sess => "SHA-256-sess",
            Algorithm::Sha512_256 => "SHA-512-256",
            Algorithm::Sha512_256Sess => "SHA-512-256-sess",
        }
    }

    /// The algorithm of a wire token, in any case.
    pub fn from_token(token: &str) -> Option<Algorithm> {
        Algorithm::ALL.into_iter().find(|a| a.token().eq_ignore_ascii_case(token))
    }

    /// Whether the first hash is bound to nonce and cnonce.
    pub const fn is_session(self) -> bool {
        matches!(self, Algorithm::Md5Sess | Algorithm::Sha256Sess | Algorithm::Sha512_256Sess)
    }

    /// The algorithm of the same hash function without a session key.
    pub const fn base(self) -> Algorithm {
        match self {
            Algorithm::Md5 | Algorithm::Md5Sess => Algorithm::Md5,
            Algorithm::Sha256 | Algorithm::Sha256Sess => Algorithm::Sha256,
            Algorithm::Sha512_256 | Algorithm::Sha512_256Sess => Algorithm::Sha512_256,
        }
    }

    /// How many hexadecimal digits a hash has.
    pub const fn hex_len(self) -> usize {
        match self.base() {
            Algorithm::Md5 => 32,
            _ => 64,
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.token())
    }
}

/// The scheme of an answer, as it is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub enum AnswerScheme {
    /// Basic.
    Basic,
    /// Digest with this algorithm.
    Digest(Algorithm),
}

impl AnswerScheme {
    /// The word used in files and output: `basic`, `digest-md5-sess`, `digest-sha-256`, …
    pub const fn name(self) -> &'static str {
        match self {
            AnswerScheme::Basic => "basic",
            AnswerScheme::Digest(Algorithm::Md5) => "digest-md5",
            AnswerScheme::Digest(Algorithm::Md5Sess) => "digest-md5-sess",
            AnswerScheme::Digest(Algorithm::Sha256) => "digest-sha-256",
            AnswerScheme::Digest(Algorithm::Sha256Sess) => "digest-sha-256-sess",
            AnswerScheme::Digest(Algorithm::Sha512_256) => "digest-sha-512-256",
            AnswerScheme::Digest(Algorithm::Sha512_256Sess) => "digest-sha-512-256-sess",
        }
    }
}
