//! What a phone does about a 401: which kind of challenge it is, who decides, and the answer.

use http::{HeaderValue, StatusCode, header};

use super::context::Context;
use super::doing::{Carries, Doing, Proof};
use super::family::{Challenged, Decision, Deed};
use super::machine::Phone;
use super::rule::{self, Rule};
use super::{Action, Answer, ChallengeKind, Moment, Outcome, Purpose, Reason};
use crate::auth::{AnswerScheme, Challenge, Session, parse_challenges};

impl Phone {
    pub(super) fn challenged(&mut self, now: Moment, answer: &Answer, ctx: &Context<'_>, out: &mut Vec<Action>) {
        let Some(mut doing) = self.doing.take() else { return };
        let proxy = answer.status == StatusCode::PROXY_AUTHENTICATION_REQUIRED;
        let (asks, answers) = match proxy {
            true => (header::PROXY_AUTHENTICATE, header::PROXY_AUTHORIZATION),
            false => (header::WWW_AUTHENTICATE, header::AUTHORIZATION),
        };
        let values = answer.headers.get_all(asks).iter().map(HeaderValue::as_bytes);
        let challenges = parse_challenges(values);
        let carried = std::mem::replace(&mut doing.carries, Carries::Nothing);
        let chosen = challenges.as_ref().ok().and_then(|list| ctx.fleet.family.preference().choose(list));
        let kind = kind_of(&carried, chosen, doing.stale);
        out.push(Action::Challenged(kind));
        let picked = match (&challenges, chosen) {
            (Err(_), _) => Err(Outcome::MalformedChallenge),
            (_, None) => Err(Outcome::NoUsableScheme),
            (_, Some(challenge)) => Ok(challenge),
        };
        let challenge = match picked {
            Ok(challenge) => challenge,
            Err(outcome) => {
                let malformed = outcome == Outcome::MalformedChallenge;
                out.push(Action::Because(if malformed { rule::MALFORMED } else { rule::NO_USABLE_SCHEME }));
                self.doing = Some(doing);
                self.finish(now, outcome, ctx, out);
                return;
            }
        };
        let space = doing.space(proxy);
        let cnonce = self.cnonce(ctx);
        let mut session = None;
        if kind == ChallengeKind::Stale {
            let known = self.realms.session(&space, challenge.realm()).cloned();
            session = known.and_then(|mut s| s.renew(challenge, &cnonce).then_some(s));
        }
        if session.is_none() {
            if let Carries::Space(proof) | Carries::Answer(proof) = &carried {
                self.realms.forget(&doing.space(proof.proxy), proof.realm.as_deref());
            }
            let refused = kind == ChallengeKind::Rejected || is_same_basic(&carried, challenge);
            let (decision, rule) = self.decide(&mut doing, challenge, refused, ctx);
            out.extend(rule.map(Action::Because));
            match decision {
                Decision::Answer(credentials) => {
                    session = Session::open(challenge, &credentials, &cnonce);
                    doing.answered_with = Some(credentials);
                }
                Decision::Prompt(screen) => return self.end_with(doing, now, Outcome::Prompt(screen), ctx, out),
                Decision::Fail(outcome) => return self.end_with(doing, now, outcome, ctx, out),
            }
        } else {
            out.push(Action::Because(rule::STALE));
        }
        let Some(mut session) = session else {
            return self.end_with(doing, now, Outcome::NoUsableScheme, ctx, out);
        };
        if doing.answers >= ctx.fleet.family.max_answers() {
            out.push(Action::Because(rule::ENOUGH));
            return self.end_with(doing, now, Outcome::CredentialsRejected, ctx, out);
        }
        doing.answers += 1;
        doing.stale += u8::from(kind == ChallengeKind::Stale);
        let uri = doing.uri(ctx);
        let authorization = session.authorize(doing.step.method.as_str(), &uri, &doing.step.body);
        out.push(Action::Answering(session.scheme()));
        doing.carries = Carries::Answer(Proof::of(&session, proxy));
        self.realms.put(&space, &uri, challenge, session, ctx.commons);
        let reason = match kind {
            ChallengeKind::First => Reason::Answer,
            ChallengeKind::Stale => Reason::Stale,
            ChallengeKind::Unsolicited | ChallengeKind::Rejected => Reason::Again,
        };
        self.send(doing, Some((answers, authorization)), reason, ctx, out);
    }

    pub(super) fn decide(
        &mut self,
        doing: &mut Doing,
        challenge: &Challenge,
        refused: bool,
        ctx: &Context<'_>,
    ) -> (Decision, Option<Rule>) {
        let store = self.store_of(&doing.who, ctx);
        let typed = doing.typed.take();
        let challenged = Challenged {
            task: doing.task(ctx),
            step: doing.number,
            realm: challenge.realm().unwrap_or_default(),
            refused,
            store: &store,
            typed: typed.as_ref(),
            booting: self.is_booting(),
        };
        let decision = ctx.fleet.family.answer(&challenged);
        let rule = ctx.fleet.family.rule(&Deed::Decided(&challenged, &decision));
        (decision, rule)
    }

    /// 16 hex digits, different each time and the same for the same seed.
    pub(super) fn cnonce(&mut self, ctx: &Context<'_>) -> String {
        let word = rand::RngCore::next_u64(&mut self.draw(Purpose::Cnonce, ctx));
        format!("{word:016x}")
    }
}

/// Which of the four kinds a challenge is, by what the challenged request carried.
fn kind_of(carried: &Carries, chosen: Option<&Challenge>, stale_before: u8) -> ChallengeKind {
    let says_stale = matches!(chosen, Some(Challenge::Digest(digest)) if digest.stale);
    match carried {
        Carries::Nothing => ChallengeKind::First,
        // A server that tests staleness before the password (lighttpd) can say stale to a wrong one for ever.
        Carries::Space(proof) | Carries::Answer(proof)
            if says_stale && stale_before == 0 && proof.scheme != AnswerScheme::Basic =>
        {
            ChallengeKind::Stale
        }
        Carries::Unasked | Carries::Space(_) => ChallengeKind::Unsolicited,
        Carries::Answer(_) => ChallengeKind::Rejected,
    }
}

/// Whether the request carried Basic for this very realm: it holds the password itself, so had that been right
/// there would be no challenge.
fn is_same_basic(carried: &Carries, challenge: &Challenge) -> bool {
    matches!(carried, Carries::Space(proof)
        if proof.scheme == AnswerScheme::Basic && proof.realm.as_deref() == challenge.realm())
}
