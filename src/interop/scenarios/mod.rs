//! The scenarios there are, in the order of the matrix.

mod connection;
mod digest;
mod files;
mod sign_in;
mod tls;

pub(crate) use sign_in::name_of;

use super::Scenario;

/// Scenarios that belong together, under one heading.
#[derive(Clone, Copy, Debug)]
pub struct Group {
    /// The heading.
    pub title: &'static str,
    /// The rows.
    pub scenarios: &'static [Scenario],
}

/// Every group, in the order of the matrix.
pub const GROUPS: [Group; 5] = [
    Group { title: "Connection and TLS", scenarios: tls::SCENARIOS },
    Group { title: "Signing in", scenarios: sign_in::SCENARIOS },
    Group { title: "Files", scenarios: files::SCENARIOS },
    Group { title: "Digest", scenarios: digest::SCENARIOS },
    Group { title: "HTTP", scenarios: connection::SCENARIOS },
];

/// Every scenario.
pub fn all() -> impl Iterator<Item = &'static Scenario> {
    GROUPS.iter().flat_map(|group| group.scenarios)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_scenario_has_a_name_of_its_own_and_says_what_people_notice() {
        let keys: BTreeSet<_> = all().map(|s| s.key).collect();
        assert_eq!(keys.len(), all().count());
        for scenario in all() {
            assert!(!scenario.users.is_empty() && !scenario.change.is_empty(), "{}", scenario.key);
            assert!(scenario.about.chars().count() <= 58, "{} would not fit into its column", scenario.about);
        }
    }
}
