//! Every situation of credentials, and every challenge.

use toml::Table;

use super::super::act::Act;
use super::super::bench::{Access, Bench};
use super::super::lab::LabError;
use super::super::scenario::{Need, Play, Scenario, signed_in};
use super::super::subject::{USUAL_BODY, literal};
use super::super::{Cell, Stored, Tamper, Transcript};
use crate::auth::{Algorithm, AnswerScheme, Challenge};
use crate::phone::{Operation, Outcome};

const SIGN_IN: &[Need] = &[Need::Connection, Need::Challenge];
const UNTOUCHED: Tamper = Tamper { request: None, answer: None };

const fn signs_in(stored: Stored, acts: &'static [Act], judge: fn(&Bench<'_>, &Transcript) -> Cell) -> Play {
    Play::Phone { stored, body: USUAL_BODY, tamper: UNTOUCHED, acts, judge }
}

const TYPED: &[Act] = &[Act::SignIn, Act::TypeRight];

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        key: "challenge.usable",
        about: "a challenge these phones can answer",
        needs: &[Need::Connection],
        play: Play::Own(usable),
        users: "nobody gets in, and no screen ever asks anybody",
        change: "offer Digest with MD5, or Basic over TLS",
    },
    offered(Scenario {
        key: "challenge.basic",
        about: "Basic is offered and taken",
        play: Play::Own(scheme::<6>),
        ..OFFER
    }),
    offered(Scenario {
        key: "challenge.digest-md5",
        about: "Digest MD5 is offered and taken",
        play: Play::Own(scheme::<0>),
        ..OFFER
    }),
    offered(Scenario {
        key: "challenge.digest-md5-sess",
        about: "Digest MD5-sess is offered and taken",
        play: Play::Own(scheme::<1>),
        ..OFFER
    }),
    offered(Scenario {
        key: "challenge.digest-sha-256",
        about: "Digest SHA-256 is offered and taken",
        play: Play::Own(scheme::<2>),
        ..OFFER
    }),
    offered(Scenario {
        key: "challenge.digest-sha-256-sess",
        about: "Digest SHA-256-sess is offered and taken",
        play: Play::Own(scheme::<3>),
        ..OFFER
    }),
    offered(Scenario {
        key: "challenge.digest-sha-512-256",
        about: "Digest SHA-512-256 is offered and taken",
        play: Play::Own(scheme::<4>),
        ..OFFER
    }),
    offered(Scenario {
        key: "challenge.digest-sha-512-256-sess",
        about: "Digest SHA-512-256-sess is offered and taken",
        play: Play::Own(scheme::<5>),
        ..OFFER
    }),
    Scenario {
        key: "sign-in.right",
        about: "stored credentials and realm are right",
        needs: SIGN_IN,
        play: signs_in(Stored::Configured, TYPED, signed_in),
        users: "even a phone with the right credentials does not get in",
        change: "see that the account is there, with this password, in this realm",
    },
    Scenario {
        key: "sign-in.wrong",
        about: "stored password is wrong",
        needs: SIGN_IN,
        play: signs_in(Stored::Wrong, TYPED, wrong),
        users: "the phone is refused and shows nothing; somebody must open its menu and type",
        change: "nothing: give the phone the right password",
    },
    Scenario {
        key: "sign-in.null",
        about: "nothing is stored (a new phone)",
        needs: SIGN_IN,
        play: signs_in(Stored::Null, TYPED, signed_in),
        users: "a new phone does not get in",
        change: "see that the account is there",
    },
    Scenario {
        key: "sign-in.other-realm",
        about: "right credentials, stored under another realm",
        needs: SIGN_IN,
        play: signs_in(Stored::OtherRealm, TYPED, signed_in),
        users: "a phone that comes from another server does not get in",
        change: "keep the realm that the phones have stored",
    },
    Scenario {
        key: "sign-in.mistyped",
        about: "nothing stored; a person mistypes, then types right",
        needs: SIGN_IN,
        play: signs_in(Stored::Null, &[Act::SignIn, Act::TypeWrong, Act::TypeRight], signed_in),
        users: "whoever mistypes once is not asked again",
        change: "nothing: whoever mistyped must open the phone's menu",
    },
    Scenario {
        key: "sign-in.in-rule",
        about: "right credentials in the profile rule, wrong account",
        needs: &[Need::Connection, Need::Challenge, Need::Family("cisco-mpp")],
        play: Play::Own(in_rule),
        users: "the rule's credentials are refused",
        change: "see that the account of the rule is there",
    },
    Scenario {
        key: "sign-in.in-rule-wrong",
        about: "wrong credentials in the profile rule, right account",
        needs: &[Need::Connection, Need::Challenge, Need::Family("cisco-mpp")],
        play: Play::Own(in_rule_wrong),
        users: "sign-in always fails, and the right account is never tried",
        change: "nothing: correct the profile rule",
    },
    Scenario {
        key: "sign-in.registration",
        about: "registration credentials sent unasked (BRAUTH 1)",
        needs: &[Need::Connection, Need::Challenge, Need::Tls, Need::Family("avaya-96xx")],
        play: Play::Own(registration),
        users: "phones with BRAUTH 1 do not get in",
        change: "let credentials it does not know be answered with 401 and a challenge, as if there were none",
    },
];

const OFFER: Scenario = Scenario {
    key: "",
    about: "",
    needs: SIGN_IN,
    play: Play::Own(usable),
    users: "phones that would answer so do not get in",
    change: "see that the password file has this account for this scheme",
};

/// For the table's sake: one line an offer.
const fn offered(scenario: Scenario) -> Scenario {
    scenario
}

fn usable(bench: &Bench<'_>) -> Result<Cell, LabError> {
    for access in [&bench.reads, &bench.writes] {
        match access {
            Access::Malformed => return Ok(Cell::ended(Outcome::MalformedChallenge)),
            Access::Failed(failure) => return Ok(Cell::failed(*failure)),
            _ => {}
        }
    }
    let Some(challenges) = bench.challenges() else {
        // A refusal to write is told where files are stored.
        return Ok(match bench.reads {
            Access::Refused(status) => Cell::status(status),
            _ => Cell::none("the server asks these phones for no credentials"),
        });
    };
    Ok(match bench.would_answer() {
        Some(scheme) => Cell::noted(format!("these phones answer with {}", scheme.name())),
        None => {
            let names: Vec<_> = challenges.iter().map(name_of).collect();
            tracing::info!("offered: {}", names.join(", "));
            Cell::ended(Outcome::NoUsableScheme)
        }
    })
}

/// A challenge's scheme in a word.
pub(crate) fn name_of(challenge: &Challenge) -> String {
    match (challenge.scheme(), challenge) {
        (Some(scheme), _) => scheme.name().to_owned(),
        (None, Challenge::Other(other)) => other.scheme.clone(),
        (None, Challenge::Basic(_)) => "Basic".to_owned(),
        (None, Challenge::Digest(_)) => "Digest of an unknown kind".to_owned(),
    }
}

/// Scheme `N`: the six algorithms, then Basic.
fn scheme<const N: usize>(bench: &Bench<'_>) -> Result<Cell, LabError> {
    let scheme = Algorithm::ALL.get(N).map_or(AnswerScheme::Basic, |algorithm| AnswerScheme::Digest(*algorithm));
    if !bench.challenges().is_some_and(|list| list.iter().any(|c| c.scheme() == Some(scheme))) {
        return Ok(Cell::none("the server does not offer it"));
    }
    if !bench.speaks(scheme) {
        return Ok(Cell::none("these phones do not speak it"));
    }
    let operation = bench.signs_in_by();
    let fleet = bench.plain_fleet()?;
    let step = super::super::subject::first_step(&fleet, operation, bench.lab.ground);
    let Some(step) = step else { return Ok(Cell::none("these phones send no such request")) };
    let request = bench.request(step.method, &step.path, step.headers, step.body);
    let exchange = bench.ask_as_account(&request, Some(scheme));
    Ok(match (exchange.was_let_in(), exchange.failure(), exchange.status()) {
        (true, ..) => Cell::WORKS,
        (false, Some(failure), _) => Cell::failed(failure),
        (false, None, Some(status)) => Cell::status(status),
        (false, None, None) => Cell::server("no-answer"),
    })
}

/// A wrong password must not get in before somebody typed the right one.
fn wrong(bench: &Bench<'_>, transcript: &Transcript) -> Cell {
    let first = transcript.exchanges().find(|e| e.has_credentials());
    match first {
        Some(first) if first.was_let_in() => Cell::server("a-wrong-password-gets-in"),
        _ => signed_in(bench, transcript),
    }
}

/// The change of settings that puts the account's credentials, or wrong ones, into the profile rule.
fn rule_with(bench: &Bench<'_>, right: bool) -> Result<Table, LabError> {
    let rule = bench.subject.setting("profile-rule", "/$MA.xml");
    let path = rule.rsplit_once(']').map_or(rule, |(_, path)| path).trim();
    let credentials = &bench.subject.right;
    let password = if right { credentials.password().to_owned() } else { format!("not-{}", credentials.password()) };
    let template = |text: &str| {
        literal(text)
            .map(|template| template.source().to_owned())
            .map_err(|error| LabError::Settings { family: bench.subject.registration.name, error })
    };
    let mut changes = Table::new();
    // By macro: a password may hold anything, a rule may not.
    changes.insert("profile-rule".into(), format!("[--uid $SA --pwd $SB] {path}").into());
    changes.insert("sa".into(), template(credentials.user())?.into());
    changes.insert("sb".into(), template(&password)?.into());
    Ok(changes)
}

fn in_rule(bench: &Bench<'_>) -> Result<Cell, LabError> {
    let changes = rule_with(bench, true)?;
    let play = |p: &mut super::super::Player<'_>| bench.act(p, Act::Fetch);
    let transcript = bench.play(Stored::Wrong, &changes, USUAL_BODY, UNTOUCHED, play)?;
    Ok(fetched_as(bench, &transcript))
}

fn in_rule_wrong(bench: &Bench<'_>) -> Result<Cell, LabError> {
    let changes = rule_with(bench, false)?;
    let play = |p: &mut super::super::Player<'_>| bench.act(p, Act::Fetch);
    let transcript = bench.play(Stored::Right, &changes, USUAL_BODY, UNTOUCHED, play)?;
    Ok(match transcript.exchanges().find(|e| e.has_credentials()) {
        Some(first) if first.was_let_in() => Cell::server("a-wrong-password-gets-in"),
        _ => fetched_as(bench, &transcript),
    })
}

/// As [`signed_in`], where the fetch itself is meant.
fn fetched_as(bench: &Bench<'_>, transcript: &Transcript) -> Cell {
    if bench.only_writes_are_guarded() {
        return Cell::none("the server guards nothing that is fetched");
    }
    signed_in(bench, transcript)
}

fn registration(bench: &Bench<'_>) -> Result<Cell, LabError> {
    let mut changes = Table::new();
    changes.insert("brauth".into(), true.into());
    let transcript = bench.play(Stored::Right, &changes, USUAL_BODY, UNTOUCHED, |player| {
        bench.act(player, Act::SignIn);
        bench.act(player, Act::TypeRight);
    })?;
    let unasked = transcript
        .exchanges()
        .find(|e| matches!(e.operation, Some(Operation::Restore | Operation::Backup)) && e.has_credentials());
    Ok(match unasked.and_then(|e| e.status()) {
        Some(status) if status.is_success() || status == http::StatusCode::NOT_FOUND => {
            Cell::noted("the server takes them, or does not look")
        }
        _ => signed_in(bench, &transcript),
    })
}
