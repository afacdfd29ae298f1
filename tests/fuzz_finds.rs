//! What the fuzzers found (fuzz/): one test each, with the input.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "in a test, a panic is the message")]

use bootstorm::phone::{FAMILIES, Identity, Template};

/// Found by `template` as `{index+18446744073709551615}`: the addition overflowed while filling.
#[test]
fn a_template_whose_addend_leads_beyond_every_number_is_refused_or_fills() {
    let who = Identity { index: 1, number: 1, extension: String::new(), mac: String::new(), serial: String::new() };
    if let Ok(template) = Template::parse("{index+18446744073709551615}") {
        let first = Identity { index: 0, number: 0, ..who.clone() };
        assert_ne!(template.fill(&who), template.fill(&first), "no two phones have the same");
    }
}

/// Found by `profile_rule` as ``/`$PN)/N$/``: a path that can be no request target was taken. On sockets it was sent
/// percent-encoded, with a Digest answer for the path as written, which every server refuses; in virtual time the phone
/// asked for `/` instead.
#[test]
fn a_profile_rule_with_characters_no_request_target_may_have_is_refused() {
    let cisco = FAMILIES.iter().find(|family| family.name == "cisco-mpp").unwrap();
    for character in ['`', '"', '<', '>', '\\', '^', '{', '}', '#'] {
        let rule = format!("/a{character}b.xml");
        let settings = toml::Table::from_iter([("profile-rule".to_owned(), rule.clone().into())]);
        assert!((cisco.read)(&settings).is_err(), "{rule} was taken");
    }
}
