//! The sentences a `cisco-mpp` phone follows, quoted.

use super::super::family::{Challenged, Decision, Deed};
use super::super::rule::Rule;
use super::super::{Operation, Outcome};

const SEED: &str = "Cisco IP Phone 8800 Series Multiplatform Phones Administration Guide, Profile Authentication";

const fn seed(quote: &'static str) -> Option<Rule> {
    Some(Rule { quote, source: SEED })
}

/// The sentence behind a deed. `in_rule`: whether the rule that was challenged names credentials.
pub(super) fn rule(deed: &Deed<'_>, in_rule: impl Fn(&Challenged<'_>) -> bool) -> Option<Rule> {
    match deed {
        Deed::Decided(challenged, decision) => match decision {
            Decision::Answer(_) if in_rule(challenged) => seed(
                "The username and password in the Profile Rule field have a higher priority than the profile account.",
            ),
            Decision::Answer(_) => seed(
                "When you provide a correct URL in the Profile Rule field without a username and password, the phone \
                 requires authentication or digest to resynchronize the profile. With the correct profile account, \
                 authentication passes.",
            ),
            Decision::Prompt(_) => seed(
                "... the Profile account setup screen is displayed on the phone for the following situations: When the \
                 HTTP or HTTPs 401 authentication error occurs during first-time provisioning after the phone reboots; \
                 When the profile account username and password are empty; When there are no username and password in \
                 the Profile Rule.",
            ),
            Decision::Fail(_) if challenged.refused && in_rule(challenged) => seed(
                "When you provide a correct URL in the Profile Rule field with an incorrect username and password ... \
                 The profile account isn't used for phone resynchronization. Sign-in always fails.",
            ),
            Decision::Fail(_) if challenged.refused => seed("With an incorrect profile account, authentication fails."),
            Decision::Fail(_) => seed(
                "If the Profile account setup screen is missed or ignored, the user can also access the setup screen \
                 through the phone screen menu, or the Setup softkey ... (No credentials, and no screen now.)",
            ),
        },
        Deed::Ended(Operation::Resync, Outcome::NotFound) => {
            seed("When you provide an incorrect URL in the Profile Rule field, sign-in always fails.")
        }
        Deed::SentUnasked | Deed::Learned | Deed::Ended(..) => None,
    }
}
