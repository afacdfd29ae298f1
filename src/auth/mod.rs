//! HTTP authentication, pure: challenges, Basic, Digest (both sides), the credential store.
mod algorithm;
mod credentials;

pub use algorithm::{Algorithm, AnswerScheme};
pub use credentials::{CredentialStore, Credentials, Lookup};
