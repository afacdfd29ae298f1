//! JUnit's XML, for whatever shows test results: the verdict and each threshold is a test case.

use std::io;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use crate::metrics::Validity;
use crate::report::{Summary, summary};
use crate::workload::Judgement;

/// The run as one test suite.
///
/// # Errors
/// Only those of the XML writer.
pub(super) fn render(s: &Summary) -> io::Result<String> {
    let mut suite = TestSuite::new(format!("bootstorm {}", s.workload.name));
    // A value that is no time is left out.
    suite.timestamp = s.started_at.parse().ok();
    suite.set_time(std::time::Duration::try_from_secs_f64(s.wall_s).unwrap_or_default());
    suite.add_test_case(verdict(s));
    suite.add_test_cases(s.thresholds.iter().map(|t| threshold(s, t)));
    for (name, value) in [("seed", s.seed.to_string()), ("sha256", s.workload.sha256.clone())] {
        suite.add_property((name, value.as_str()));
    }
    let mut report = Report::new("bootstorm");
    report.add_test_suite(suite);
    let mut text = report.to_string().map_err(io::Error::other)?;
    if !text.ends_with('\n') {
        text.push('\n');
    }
    Ok(text)
}

/// Fails if the measurement is invalid; a degraded one passes and says why it is no better.
fn verdict(s: &Summary) -> TestCase {
    let mut reasons = s.verdict.reasons.join("\n");
    let status = match s.verdict.state {
        Validity::Invalid if !s.marks.accepted_invalid => {
            failed(&format!("the measurement is invalid: {}", s.verdict.reasons.join("; ")))
        }
        _ => TestCaseStatus::success(),
    };
    let mut case = TestCase::new("the measurement is valid", status);
    case.set_classname(format!("bootstorm.{}.verdict", s.workload.name));
    for (mark, words) in s.marks.told(&s.verdict) {
        reasons.push_str(&format!("\n{}: {words}", mark.to_lowercase()));
    }
    if !reasons.is_empty() {
        case.set_system_out(format!("{}: {}", s.verdict.state.name(), reasons.trim_start()));
    }
    case
}

fn threshold(s: &Summary, t: &summary::Threshold) -> TestCase {
    let is = t.told();
    let status = match t.judgement {
        Judgement::NotJudged => TestCaseStatus::skipped(),
        _ if t.pass => TestCaseStatus::success(),
        _ => failed(&format!("{} does not hold ({is})", t.text)),
    };
    let mut case = TestCase::new(t.text.as_str(), status);
    case.set_classname(format!("bootstorm.{}.threshold", s.workload.name));
    case.set_system_out(is);
    case
}

fn failed(message: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
    status.set_message(message);
    status
}
