//! The sentences an `avaya-96xx` phone follows, quoted.

use super::super::family::{Decision, Deed};
use super::super::rule::Rule;
use super::super::{Operation, Outcome, Screen};
use crate::auth::Lookup;

const SEED: &str = "Administering Avaya 9608/9608G/9611G/9621G/9641G/9641GS, March 2018";

const fn seed(quote: &'static str) -> Option<Rule> {
    Some(Rule { quote, source: SEED })
}

/// The sentence behind a deed.
pub(super) fn rule(deed: &Deed<'_>, certificates_downloaded: bool) -> Option<Rule> {
    match deed {
        Deed::Decided(challenged, decision) => match decision {
            Decision::Answer(_) if challenged.typed.is_some() => {
                seed("... interrupt screen: Enter backup/restore credentials. (What was typed there is tried.)")
            }
            Decision::Answer(_) => seed(
                "If an HTTP backup or restore operation requires authentication and the realm in the challenge matches \
                 the stored realm, the phone uses the stored credentials to respond to the challenge without prompting \
                 the user.",
            ),
            Decision::Prompt(Screen::AuthenticationFailure) => seed(
                "... if an authentication attempt using the stored credentials fails, the Status Line ... or the Prompt \
                 Line ... display ... an HTTP Authentication Failure interrupt screen: Enter backup/restore credentials.",
            ),
            Decision::Prompt(_) => match challenged.store.lookup(challenged.realm) {
                Lookup::Null => seed(
                    "However, if the stored credentials are null ... the Status Line ... or the Prompt Line ... display \
                     an HTTP Authentication ... interrupt screen: Enter backup/restore credentials.",
                ),
                Lookup::OtherRealm | Lookup::Match(_) => seed(
                    "... or if the realms do not match ... the Status Line ... or the Prompt Line ... display an HTTP \
                     Authentication ... interrupt screen: Enter backup/restore credentials.",
                ),
            },
            Decision::Fail(_) => Some(Rule {
                quote: "Settings downloads carry no credentials: there is nothing to answer with, and no screen.",
                source: "assumed",
            }),
        },
        Deed::SentUnasked if certificates_downloaded => Some(Rule {
            quote: "With certificates downloaded, registration credentials are sent when BRAUTH is 1.",
            source: "the vendor's administration guide",
        }),
        Deed::SentUnasked => seed(
            "The phone sends the registration credentials without regard to the BRAUTH setting if no certificates are \
             downloaded.",
        ),
        Deed::Learned => seed(
            "New values replace the stored authentication and realm values: When HTTP authentication for backup or \
             restore succeeds; If the userid, password, or realm used differs from those values that are stored in the \
             phone.",
        ),
        Deed::Ended(Operation::Restore, Outcome::NotFound) => Some(Rule {
            quote: "A restore that finds no file: \"Retrieval failed\"; the phone keeps its settings.",
            source: "the vendor's guide to a sister model",
        }),
        Deed::Ended(..) => None,
    }
}
