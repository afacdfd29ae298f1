//! How long an exchange waits, and for what.

use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::Instant;

use super::alarm::Alarm;
use super::deadline::Deadline;
use super::meter::Meter;
use super::outgoing::Outgoing;
use crate::phone::Failure;

/// How long a body waits for `100 Continue` (as libcurl does by default).
const CONTINUE_WAIT: Duration = Duration::from_secs(1);
/// What the exchange waits for, and for how long still.
pub(super) struct Patience {
    stage: Stage,
    /// When this stage has lasted too long.
    until: Instant,
    /// How running out of time is called in this stage.
    late: Failure,
    first_byte: Duration,
    deadline: Deadline,
    meter: Rc<Meter>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// For `100 Continue`, with the body held back.
    Continue,
    /// For the system to take the request.
    Send,
    /// For the first octet of the answer.
    FirstByte,
    /// For the rest of it.
    Rest,
}

impl Patience {
    pub(super) fn new(first_byte: Duration, deadline: Deadline, meter: Rc<Meter>, held: bool) -> Patience {
        let (stage, until) = match held {
            true => (Stage::Continue, deadline.within(CONTINUE_WAIT, Failure::TimeoutExchange).0),
            false => (Stage::Send, deadline.moment()),
        };
        Patience { stage, until, late: Failure::TimeoutExchange, first_byte, deadline, meter }
    }

    /// Ready when time has run out.
    pub(super) fn poll(&mut self, request: &mut Outgoing, alarm: &mut Alarm, cx: &mut Context<'_>) -> Poll<Failure> {
        self.advance(request);
        ready!(alarm.poll(self.until, cx));
        if self.stage == Stage::Continue && Instant::now() < self.deadline.moment() {
            request.release();
            self.advance(request);
            // What was held back can be written now.
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(self.late)
    }

    fn advance(&mut self, request: &Outgoing) {
        if self.stage == Stage::Continue && !request.is_held() {
            self.enter(Stage::Send, self.deadline.moment(), Failure::TimeoutExchange);
        }
        if self.stage == Stage::Send
            && let Some(sent) = self.meter.sent.get()
        {
            let (moment, late) = self.deadline.after_that(sent, self.first_byte, Failure::TimeoutFirstByte);
            self.enter(Stage::FirstByte, moment, late);
        }
        if self.stage != Stage::Rest && self.meter.answered.get().is_some() {
            self.enter(Stage::Rest, self.deadline.moment(), Failure::TimeoutExchange);
        }
    }

    fn enter(&mut self, stage: Stage, until: Instant, late: Failure) {
        self.stage = stage;
        self.late = late;
        self.until = until;
    }
}
