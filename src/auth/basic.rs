//! The Basic scheme (RFC 7617).

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::{Charset, Credentials};

/// Padding is written, and may be missing when read: some devices leave it out.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The token68 of these credentials. `charset` is the challenge's; see [`Charset::encode`] for what happens to
/// characters beyond it. A colon in the user name is not refused: the server will take the first one as the end.
pub fn encode(credentials: &Credentials, charset: Charset) -> String {
    let pair = format!("{}:{}", credentials.user(), credentials.password());
    BASE64.encode(charset.encode(&pair))
}

/// The credentials of a token68: user name up to the first colon; UTF-8 if it is that, else Latin-1.
pub fn decode(token68: &str) -> Result<Credentials, MalformedBasic> {
    let octets = BASE64.decode(token68).map_err(|_| MalformedBasic::Base64)?;
    let (pair, _) = Charset::decode(&octets);
    let (user, password) = pair.split_once(':').ok_or(MalformedBasic::NoColon)?;
    Ok(Credentials::new(user, password))
}

/// Basic credentials that cannot be read: the client's fault. The octets are not shown, they may hold a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MalformedBasic {
    /// Not base64.
    #[error("the client's Basic credentials are not base64")]
    Base64,
    /// No colon between user name and password.
    #[error("the client's Basic credentials have no colon between user name and password")]
    NoColon,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn known_values() {
        let table = [
            // RFC 7617 2, RFC 7617 2.1 (UTF-8), the Avaya seed's registration credentials.
            ("Aladdin", "open sesame", Charset::Latin1, "QWxhZGRpbjpvcGVuIHNlc2FtZQ=="),
            ("test", "123\u{a3}", Charset::Utf8, "dGVzdDoxMjPCow=="),
            ("test", "123\u{a3}", Charset::Latin1, "dGVzdDoxMjOj"),
            ("10.1.2.3", "123456", Charset::Latin1, "MTAuMS4yLjM6MTIzNDU2"),
            ("", "", Charset::Latin1, "Og=="),
        ];
        for (user, password, charset, token68) in table {
            let credentials = Credentials::new(user, password);
            assert_eq!(encode(&credentials, charset), token68);
            assert_eq!(decode(token68), Ok(credentials));
        }
        assert_eq!(decode("Og"), Ok(Credentials::new("", "")), "padding may be missing");
    }

    #[test]
    fn bad_values() {
        assert_eq!(decode("?"), Err(MalformedBasic::Base64));
        assert_eq!(decode("YWJj"), Err(MalformedBasic::NoColon));
    }

    proptest! {
        #[test]
        fn credentials_come_back(user in "[^:]*", password: String) {
            let credentials = Credentials::new(user, password);
            prop_assert_eq!(decode(&encode(&credentials, Charset::Utf8)), Ok(credentials));
        }
    }
}
