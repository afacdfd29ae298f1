//! What the words of a run mean, for those who read one for the first time.

/// How an operation ended, or an exchange failed, in a sentence. Empty if the name says it all.
pub(super) fn outcome(name: &str) -> &'static str {
    match name {
        "ok" => "every step succeeded",
        "prompt-authentication" => {
            "the phone shows “HTTP Authentication” and waits for a person: what it has stored does not fit"
        }
        "prompt-authentication-failure" => {
            "the phone shows “HTTP Authentication Failure” and waits for a person: its password was refused"
        }
        "prompt-profile-account" => "the phone shows “Profile account setup” and waits for a person: it has no account",
        "not-found" => "the file is not on the server",
        "credentials-rejected" => "the server refused the credentials, and the phone has no others",
        "no-credentials" => "the server wants credentials, and the phone has none",
        "no-usable-scheme" => "the server offers no way to sign in that this phone speaks",
        "malformed-challenge" => "the server refused without a challenge that can be read",
        "server-not-authentic" => "the server proved that it does not know the password",
        "overload" => "the server said it has too much to do (503)",
        "redirect-refused" => "the server sent the phone elsewhere, and it must not follow",
        "content-mismatch" => "what came back is not what this phone had stored",
        "connect-refused" => "nothing listened on the server's port",
        "connect-timeout" => "no answer to the connect in time",
        "connect-unreachable" => "the network says the server cannot be reached",
        "connect-failed" => "the connect failed",
        "local-ports" => "no local port was free: the generator's limit",
        "local-files" => "no file descriptor was free: the generator's limit",
        "tls-timeout" => "the TLS handshake took too long",
        "tls-not-tls" => "the server does not speak TLS on this port",
        "tls-unknown-ca" => "the certificate comes from a CA this phone does not trust",
        "tls-expired" => "the certificate is not valid at this time",
        "tls-wrong-name" => "the certificate is for another name",
        "tls-bad-certificate" => "the certificate is unfit",
        "tls-alert" => "the server refused the handshake",
        "tls-incompatible" => "no common TLS version, suite or group",
        "tls-closed" => "the connection broke off during the handshake",
        "tls-failed" => "the TLS handshake failed",
        "timeout-first-byte" => "the request was sent, and no answer began in time",
        "timeout-exchange" => "the exchange as a whole took too long",
        "reset" => "the server reset the connection",
        "closed" => "the server closed the connection before its answer was complete",
        "malformed-response" => "the answer is not HTTP/1.1 as it should be",
        "response-too-large" => "the answer is larger than a phone would take",
        "aborted" => "the run ended, or the phone lost power, while it was under way",
        _ if name.starts_with("http-5") => "the server failed with this status",
        _ if name.starts_with("http-") => "the server answered with this status",
        _ => "",
    }
}

/// Why an operation never began.
pub(super) fn dropped(name: &str) -> &'static str {
    match name {
        "phone-busy" => "the phone was still busy with one of the same kind",
        "powered-off" => "the phone had no power, or lost it",
        "boot-incomplete" => "an earlier step of the boot chain failed or stands at a prompt",
        "run-ended" => "the run ended first",
        "interrupted" => "the run was interrupted",
        _ => "",
    }
}

/// Who must act so that it goes away.
pub(super) fn fault(name: &str) -> &'static str {
    match name {
        "server" => "the server",
        "phone" => "the phone's setup",
        "network" => "the network",
        "generator" => "the generator",
        _ => "nobody",
    }
}

/// What a challenge of this kind is.
pub(super) fn challenge(name: &str) -> &'static str {
    match name {
        "first" => "to a request without credentials: the ordinary opening",
        "stale" => "the nonce had grown too old; the credentials were right",
        "rejected" => "the credentials were refused",
        "unsolicited" => "to credentials nobody had asked for this time",
        _ => "",
    }
}

/// The words of the page.
pub(super) const GLOSSARY: [(&str, &str); 12] = [
    ("phone", "one simulated desk phone, with its own identity, credentials and timers"),
    ("provisioned", "through its boot chain: this desk works"),
    ("prompting", "stands before a screen that waits for a person to type"),
    ("failed", "neither: its boot chain has not come to an end, or it has no power"),
    (
        "operation",
        "one job a person would name, such as resync, restore or backup, with all its challenges and retries",
    ),
    ("exchange", "one request and its response"),
    ("intended start", "when the plan says an operation begins, whatever the server does"),
    ("response time", "from the intended start to the end: waiting counts, so a slow server cannot hide it"),
    ("service time", "from the actual start to the end"),
    ("lateness", "from the intended to the actual start"),
    ("amplification", "exchanges sent for each that a fleet needs whose every first answer is right"),
    (
        "p50, p90, p99",
        "so many percent lie at or below this value; it is left out where there are too few samples to know",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::phone::{ChallengeKind, Failure, Outcome, Screen};

    #[test]
    fn every_outcome_failure_and_kind_is_explained() {
        let outcomes = Outcome::PLAIN
            .into_iter()
            .chain([405, 500].map(Outcome::Http))
            .chain(Screen::ALL.map(Outcome::Prompt))
            .chain(Failure::ALL.map(Outcome::Failed))
            .map(Outcome::name);
        for name in outcomes {
            assert_ne!(outcome(&name), "", "{name}");
        }
        for kind in ChallengeKind::ALL {
            assert_ne!(challenge(kind.name()), "", "{}", kind.name());
        }
    }
}
