//! Quality of protection: what a Digest challenge offers and an answer uses.

/// The quality of protection of one answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Qop {
    /// None named: the formula of RFC 2069, without nc and cnonce.
    Legacy,
    /// `auth`.
    Auth,
    /// `auth-int`: the body is covered too.
    AuthInt,
}

impl Qop {
    /// The token of the wire; none for [`Qop::Legacy`].
    pub const fn token(self) -> Option<&'static str> {
        match self {
            Qop::Legacy => None,
            Qop::Auth => Some("auth"),
            Qop::AuthInt => Some("auth-int"),
        }
    }

    /// The quality of a wire token, in any case.
    pub fn from_token(token: &str) -> Option<Qop> {
        [Qop::Auth, Qop::AuthInt].into_iter().find(|q| q.token().is_some_and(|t| t.eq_ignore_ascii_case(token)))
    }
}

/// The qualities a challenge offers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum QopOffer {
    /// No `qop` parameter, or an empty one: RFC 2069.
    #[default]
    Absent,
    /// A `qop` list; unknown tokens in it are left out, so both may be false.
    Listed {
        /// `auth` is in it.
        auth: bool,
        /// `auth-int` is in it.
        auth_int: bool,
    },
}

impl QopOffer {
    /// Only `auth`, what nearly every server offers.
    pub const AUTH: QopOffer = QopOffer::Listed { auth: true, auth_int: false };

    /// The offer of a `qop` parameter's value: tokens between commas, spaces or both.
    pub fn from_list(list: &str) -> QopOffer {
        let mut tokens = list.split([',', ' ', '\t']).filter(|t| !t.is_empty()).peekable();
        if tokens.peek().is_none() {
            return QopOffer::Absent;
        }
        let (mut auth, mut auth_int) = (false, false);
        for token in tokens {
            match Qop::from_token(token) {
                Some(Qop::Auth) => auth = true,
                Some(Qop::AuthInt) => auth_int = true,
                _ => {}
            }
        }
        QopOffer::Listed { auth, auth_int }
    }

    /// The quality to answer with: `auth-int` where offered if `integrity` is preferred, else `auth` where offered,
    /// else the only one there is; none if nothing in the list is known.
    pub const fn choose(self, integrity: bool) -> Option<Qop> {
        match self {
            QopOffer::Absent => Some(Qop::Legacy),
            QopOffer::Listed { auth: true, auth_int: true } if integrity => Some(Qop::AuthInt),
            QopOffer::Listed { auth: true, .. } => Some(Qop::Auth),
            QopOffer::Listed { auth: false, auth_int: true } => Some(Qop::AuthInt),
            QopOffer::Listed { auth: false, auth_int: false } => None,
        }
    }

    /// The value of the `qop` parameter; none for no parameter.
    pub const fn list(self) -> Option<&'static str> {
        match self {
            QopOffer::Absent => None,
            QopOffer::Listed { auth: true, auth_int: true } => Some("auth, auth-int"),
            QopOffer::Listed { auth: true, auth_int: false } => Some("auth"),
            QopOffer::Listed { auth: false, auth_int: true } => Some("auth-int"),
            // Not empty, which would read as absent.
            QopOffer::Listed { auth: false, auth_int: false } => Some("none"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offers() {
        // list, choice, choice if integrity is preferred
        let table = [
            ("", Some(Qop::Legacy), Some(Qop::Legacy)),
            ("auth", Some(Qop::Auth), Some(Qop::Auth)),
            ("AUTH-INT", Some(Qop::AuthInt), Some(Qop::AuthInt)),
            ("auth,auth-int", Some(Qop::Auth), Some(Qop::AuthInt)),
            (" auth-int , auth ", Some(Qop::Auth), Some(Qop::AuthInt)),
            ("auth auth-conf", Some(Qop::Auth), Some(Qop::Auth)),
            ("auth-conf", None, None),
        ];
        for (list, plain, integrity) in table {
            let offer = QopOffer::from_list(list);
            assert_eq!((offer.choose(false), offer.choose(true)), (plain, integrity), "{list}");
            assert_eq!(QopOffer::from_list(offer.list().unwrap_or("")), offer, "{list}");
        }
    }
}
