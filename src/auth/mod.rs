//! HTTP authentication, pure: challenges, Basic, Digest (both sides), the credential store.
//!
//! ```text
//! client:  parse_challenges → Preference::choose → Session::open → Session::authorize → Session::take_info
//! server:  Nonces::issue → DigestChallenge → Authorization::parse → Nonces::judge → DigestAnswer::verify → Nonces::take
//! ```
mod algorithm;
mod authorization;
pub mod basic;
mod challenge;
mod challenge_list;
mod charset;
mod choice;
mod commons;
mod credentials;
pub mod digest;
mod field_value;
mod nonce;
mod packed;
mod parameters;
mod place;
mod realm_cache;
mod scanner;
mod session;

pub use algorithm::{Algorithm, AnswerScheme};
pub use authorization::{AnswerUser, Authorization, DigestAnswer, MalformedAuthorization};
pub use challenge::{AlgorithmOffer, BasicChallenge, Challenge, DigestChallenge, Flaw, OtherChallenge};
pub use challenge_list::{MalformedChallenge, parse_challenges};
pub use charset::Charset;
pub use choice::{ChoiceRule, Preference, SchemeSet};
pub use commons::Commons;
pub use credentials::{CredentialStore, Credentials, Lookup};
pub use nonce::{NonceShape, NonceVerdict, Nonces, Replay};
pub use realm_cache::RealmCache;
pub use session::{InfoVerdict, Rspauth, Session};
