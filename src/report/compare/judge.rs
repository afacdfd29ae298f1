//! The answers: each figure of A against that of B, by the methods of [`crate::statistics::comparison`].

use serde::{Serialize, Serializer};

use super::spread::median;
use super::{Figure, Row, Run, Seconds, Sense, figures};
use crate::report::number::figure;
use crate::statistics::comparison::{self, Better, Comparison, Doubt, Terms, compare_pair, compare_pairs, holm};
use crate::statistics::{self, Interval, Refusal, Rules, mean_interval};

/// So many pairs it takes for several runs to show a difference.
pub const MIN_PAIRS: usize = comparison::MIN_PAIRS;
/// How sure each interval is; for differences over all figures together (Holm).
pub(super) const CONFIDENCE: f64 = 0.95;

/// What B is, compared with A.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Less time, or more done in a second.
    Faster,
    /// More time, or less done in a second.
    Slower,
    /// Less of what there should be little of.
    Less,
    /// More of it.
    More,
    /// No difference that would matter.
    Same,
    /// Nothing can be said.
    CannotTell,
}

impl Answer {
    /// In words, and in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Answer::Faster => "faster",
            Answer::Slower => "slower",
            Answer::Less => "less",
            Answer::More => "more",
            Answer::Same => "same",
            Answer::CannotTell => "cannot tell",
        }
    }

    /// Whether B is worse.
    pub const fn is_worse(self) -> bool {
        matches!(self, Answer::Slower | Answer::More)
    }
}

impl Serialize for Answer {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.name())
    }
}

/// B's figure ÷ A's, with its interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Ratio {
    /// 1 is no difference.
    pub value: f64,
    /// The interval's lower end.
    pub low: f64,
    /// Its upper end; not finite (null) where there is none.
    pub high: f64,
    /// How often two equal servers would differ as much, this figure taken alone.
    pub p_value: f64,
}

/// A row for each figure that any run has and that is `wanted`. Figures that differ by less than `margin` (0.05: 5 %)
/// are the same.
pub(super) fn rows(a: &[Run], b: &[Run], margin: f64, wanted: impl Fn(&str) -> bool) -> Vec<Row> {
    let [a_runs, b_runs] = [a, b].map(|runs| runs.iter().map(|run| figures(&run.saved)).collect::<Vec<_>>());
    let mut named: Vec<(&str, &str, Sense)> = Vec::new();
    for figure in a_runs.iter().chain(&b_runs).flatten() {
        if figure.value.is_some() && wanted(&figure.key) && !named.iter().any(|(key, ..)| *key == figure.key) {
            named.push((&figure.key, &figure.name, figure.sense));
        }
    }
    let sides = |key: &str| [&a_runs, &b_runs].map(|runs| of_runs(runs, key));
    let mut judged: Vec<Judged> = named
        .iter()
        .map(|(key, _, sense)| {
            let [a, b] = sides(key);
            judge(&a, &b, *sense, margin)
        })
        .collect();
    correct(&mut judged);
    named
        .into_iter()
        .zip(judged)
        .map(|((key, name, sense), judged)| {
            let [a, b] = sides(key).map(|side| values(&side));
            row(key, name, sense, a, b, margin, &judged)
        })
        .collect()
}

/// A figure of several runs of each side, from wherever it was taken.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// Which figure.
    pub key: String,
    /// As a person reads it, with the unit.
    pub name: String,
    /// Its direction.
    pub sense: Sense,
    /// Its value in each run of A; none where it cannot be told.
    pub a: Vec<Option<f64>>,
    /// Its value in each run of B, pair by pair.
    pub b: Vec<Option<f64>>,
}

/// Judges figures by what the runs show, all of them together. There is no telling of a single pair.
pub fn judge_runs(figures: &[Measured], margin: f64) -> Vec<Row> {
    let mut judged: Vec<Judged> = figures.iter().map(|f| judge_values(&f.a, &f.b, f.sense, margin)).collect();
    correct(&mut judged);
    let told = figures.iter().zip(judged);
    told.map(|(f, judged)| row(&f.key, &f.name, f.sense, f.a.clone(), f.b.clone(), margin, &judged)).collect()
}

/// One figure in every run of a side; none where a run does not have it.
fn of_runs<'r>(runs: &'r [Vec<Figure<'r>>], key: &str) -> Vec<Option<&'r Figure<'r>>> {
    runs.iter().map(|run| run.iter().find(|figure| figure.key == key)).collect()
}

fn values(side: &[Option<&Figure<'_>>]) -> Vec<Option<f64>> {
    side.iter().map(|figure| figure.and_then(|f| f.value)).collect()
}

/// What came of one figure.
enum Judged {
    /// As the statistics have it.
    By(Comparison),
    /// Both sides have none of it at all.
    NoneInEither,
    /// The statistics need not be asked.
    CannotTell(String),
}

fn judge(a: &[Option<&Figure<'_>>], b: &[Option<&Figure<'_>>], sense: Sense, margin: f64) -> Judged {
    let (a_values, b_values) = (values(a), values(b));
    match (a, b) {
        ([Some(a)], [Some(b)]) if a.value.is_some() && b.value.is_some() && (a.value, b.value) != NONE_IN_EITHER => {
            match (interval(&a.seconds), interval(&b.seconds)) {
                (Some(a), Some(b)) => Judged::By(compare_pair(a, b, &terms(sense, margin))),
                _ => Judged::CannotTell(format!(
                    "one number of a whole run: only repeated runs show how much it varies (take {MIN_PAIRS} pairs or more)"
                )),
            }
        }
        _ => judge_values(&a_values, &b_values, sense, margin),
    }
}

const NONE_IN_EITHER: (Option<f64>, Option<f64>) = (Some(0.0), Some(0.0));

/// By the runs' values alone.
fn judge_values(a: &[Option<f64>], b: &[Option<f64>], sense: Sense, margin: f64) -> Judged {
    if a.iter().chain(b).all(|value| *value == Some(0.0)) {
        return Judged::NoneInEither;
    }
    if a.iter().chain(b).any(Option::is_none) {
        return Judged::CannotTell("not every run has this figure: it did not happen, or too few samples".into());
    }
    let known = |values: &[Option<f64>]| values.iter().flatten().copied().collect::<Vec<_>>();
    Judged::By(compare_pairs(&known(a), &known(b), &terms(sense, margin)))
}

fn terms(sense: Sense, margin: f64) -> Terms {
    let better = if sense.more_is_worse() { Better::Smaller } else { Better::Larger };
    Terms { better, margin, confidence: CONFIDENCE }
}

/// The interval that a run's seconds give; `None` if it has none.
fn interval(seconds: &Seconds<'_>) -> Option<Result<Interval, Refusal>> {
    let rules = Rules { confidence: CONFIDENCE, ..Rules::default() };
    match seconds {
        Seconds::Quantile { rows, p } => {
            let rows = statistics::Seconds::new(rows.iter().map(|row| row.as_slice()));
            Some(rows.interval(*p, &rules))
        }
        Seconds::Ratio(sums, weights) => Some(mean_interval(sums, weights, &rules)),
        Seconds::One => None,
    }
}

/// Takes back those differences that so many figures would show by chance.
fn correct(judged: &mut [Judged]) {
    let mut all: Vec<Comparison> = judged.iter().filter_map(Judged::comparison).collect();
    holm(&mut all, CONFIDENCE);
    let mut corrected = all.into_iter();
    for one in judged {
        if let Judged::By(comparison) = one {
            *comparison = corrected.next().unwrap_or(*comparison);
        }
    }
}

impl Judged {
    fn comparison(&self) -> Option<Comparison> {
        match self {
            Judged::By(comparison) => Some(*comparison),
            _ => None,
        }
    }
}

fn row(
    key: &str,
    name: &str,
    sense: Sense,
    a_runs: Vec<Option<f64>>,
    b_runs: Vec<Option<f64>>,
    margin: f64,
    judged: &Judged,
) -> Row {
    let ratio = judged.comparison().and_then(|c| c.ratio);
    let ratio = ratio.map(|r| Ratio { value: r.value, low: r.low, high: r.high, p_value: r.p_value });
    let side = side_by_side(&a_runs, &b_runs, sense, margin);
    let doubtful = |why: String| {
        let words = side.as_ref().map_or("cannot tell".to_owned(), |side| format!("cannot tell; {side}"));
        (Answer::CannotTell, words, Some(why))
    };
    let (answer, words, why) = match judged {
        Judged::NoneInEither => (Answer::Same, "none in either".to_owned(), None),
        Judged::CannotTell(why) => doubtful(why.clone()),
        Judged::By(Comparison { answer, .. }) => match answer {
            comparison::Answer::SameWithin(margin) => {
                (Answer::Same, format!("the same within {}", percent(*margin)), None)
            }
            comparison::Answer::CannotTell(doubt) => doubtful(words_of(doubt)),
            comparison::Answer::Faster | comparison::Answer::Slower => {
                let answer = direction(sense, ratio.is_some_and(|r| r.value > 1.0));
                (answer, ratio.map_or_else(String::new, |r| by_how_much(answer, r)), None)
            }
        },
    };
    let middle = |runs: &[Option<f64>]| {
        let mut known: Vec<f64> = runs.iter().flatten().copied().collect();
        known.sort_by(f64::total_cmp);
        median(&known)
    };
    let (a, b) = (middle(&a_runs), middle(&b_runs));
    Row { key: key.to_owned(), name: name.to_owned(), a, b, a_runs, b_runs, ratio, answer, words, why, sense }
}

fn direction(sense: Sense, more: bool) -> Answer {
    match (sense, more) {
        (Sense::Time, false) | (Sense::Speed, true) => Answer::Faster,
        (Sense::Time, true) | (Sense::Speed, false) => Answer::Slower,
        (Sense::Amount, false) => Answer::Less,
        (Sense::Amount, true) => Answer::More,
    }
}

/// `slower by 3.1 to 6.6 %`, and from twice on `slower: 2.31 to 2.58 times A`.
fn by_how_much(answer: Answer, ratio: Ratio) -> String {
    if ratio.low >= 2.0 {
        let to = if ratio.high.is_finite() { format!("to {}", figure(Some(ratio.high))) } else { "or more".to_owned() };
        return format!("{}: {} {to} times A", answer.name(), figure(Some(ratio.low)));
    }
    let [from, to] =
        if ratio.low > 1.0 { [ratio.low - 1.0, ratio.high - 1.0] } else { [1.0 - ratio.high, 1.0 - ratio.low] };
    match to.is_finite() {
        true => format!("{} by {:.1} to {:.1} %", answer.name(), from * 100.0, to * 100.0),
        false => format!("{} by {:.1} % or more", answer.name(), from * 100.0),
    }
}

/// What few pairs show all the same: that B was on one side in each of them, beyond what counts as the same.
fn side_by_side(a: &[Option<f64>], b: &[Option<f64>], sense: Sense, margin: f64) -> Option<String> {
    let pairs: Vec<(f64, f64)> = a.iter().zip(b).filter_map(|(a, b)| a.zip(*b)).collect();
    if !(2..MIN_PAIRS).contains(&a.len()) || pairs.len() != a.len() {
        return None;
    }
    let more = pairs.iter().all(|(a, b)| *b > a * (1.0 + margin));
    let less = pairs.iter().all(|(a, b)| *b < a * (1.0 - margin));
    (more || less).then(|| format!("{} in each of {} pairs", direction(sense, more).name(), a.len()))
}

fn words_of(doubt: &Doubt) -> String {
    match doubt {
        Doubt::FirstRefused(why) => format!("A gives no interval: {why}{}", repeat(why)),
        Doubt::SecondRefused(why) => format!("B gives no interval: {why}{}", repeat(why)),
        Doubt::AmongMany { .. } => {
            format!("{doubt}: take more pairs, or name beforehand with --figures those that matter")
        }
        Doubt::TooWide => format!("{doubt}: longer runs or more pairs would narrow it"),
        Doubt::NotPositive | Doubt::TooFewPairs { .. } => doubt.to_string(),
    }
}

/// What is not steady by its nature, as a storm, does not get steady by more time.
fn repeat(why: &Refusal) -> &'static str {
    match why {
        Refusal::Drifts { .. } => " (a storm never is: repeat it, five pairs or more)",
        _ => "",
    }
}

/// `5 %`, `2.5 %`.
fn percent(share: f64) -> String {
    let text = format!("{:.1}", share * 100.0);
    format!("{} %", text.strip_suffix(".0").unwrap_or(&text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directions_have_the_right_words() {
        for (sense, less, more) in [
            (Sense::Time, Answer::Faster, Answer::Slower),
            (Sense::Speed, Answer::Slower, Answer::Faster),
            (Sense::Amount, Answer::Less, Answer::More),
        ] {
            assert_eq!((direction(sense, false), direction(sense, true)), (less, more));
            assert!(if sense.more_is_worse() { more.is_worse() } else { less.is_worse() });
        }
    }

    #[test]
    fn how_much_is_told_from_the_near_end_to_the_far_one() {
        for (low, high, words) in
            [(1.031, 1.066, "slower by 3.1 to 6.6 %"), (1.5, f64::INFINITY, "slower by 50.0 % or more")]
        {
            assert_eq!(by_how_much(Answer::Slower, Ratio { value: low, low, high, p_value: 0.01 }), words);
        }
        let ratio = Ratio { value: 0.9, low: 0.85, high: 0.925, p_value: 0.01 };
        assert_eq!(by_how_much(Answer::Faster, ratio), "faster by 7.5 to 15.0 %");
        assert_eq!((percent(0.05), percent(0.025)), ("5 %".into(), "2.5 %".into()));
    }

    #[test]
    fn few_pairs_tell_their_side_and_no_more() {
        let told = |a: &[f64], b: &[f64]| {
            let some = |values: &[f64]| values.iter().map(|v| Some(*v)).collect::<Vec<_>>();
            side_by_side(&some(a), &some(b), Sense::Time, 0.05)
        };
        assert_eq!(told(&[1.0, 2.0], &[1.5, 2.5]).as_deref(), Some("slower in each of 2 pairs"));
        assert_eq!(told(&[1.0, 2.0, 3.0], &[0.5, 1.5, 1.0]).as_deref(), Some("faster in each of 3 pairs"));
        assert_eq!(told(&[1.0, 2.0], &[1.5, 1.5]), None);
        assert_eq!(told(&[1.0, 2.0], &[1.5, 2.01]), None, "within what is the same");
        assert_eq!(told(&[1.0], &[1.5]), None);
        assert_eq!(told(&[1.0; 5], &[1.5; 5]), None);
    }
}
