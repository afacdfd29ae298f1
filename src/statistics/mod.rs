//! What figures may be believed, and how far. Pure arithmetic on what a run has recorded; imports nothing of ours.
//!
//! | question | answer |
//! |---|---|
//! | How far off may this p50, p90, p99 be? | [`Seconds::interval`]: an [`Interval`], or a [`Refusal`] that says what is lacking |
//! | How far off may this rate or mean be? | [`rate_interval`], [`mean_interval`] |
//! | Are there enough samples to state the quantile at all? | [`samples_needed`] |
//! | Is the second run faster, slower, or the same? | [`comparison`] |
//! | Do the arrivals follow the law they claim? | [`arrivals`] |
//! | How long does a series remember? Does it stay where it is? | [`autocorrelation`], [`drift`] |
//!
//! Requests that wait behind the same long one are slow together, so ten thousand of them may be worth a few hundred
//! independent ones. Everything here therefore counts in *blocks of seconds* that hardly know of each other. It refuses
//! rather than guess: `docs/statistics.md` says how often what it does print is right, measured on queues whose
//! truth is known.
//!
//! ```
//! use bootstorm::statistics::{Refusal, Rules, Seconds};
//!
//! // Ten minutes of 100 requests a second, 1.00 to 1.99 ms, no second like the one before.
//! let second = |s: u32| (0..100).map(move |i| (1_000 + (s * 37 + i * i) % 100 * 10, 1)).collect::<Vec<_>>();
//! let run: Vec<_> = (0..600).map(second).collect();
//! let seconds = Seconds::new(run.iter().map(Vec::as_slice));
//! let interval = seconds.interval(0.9, &Rules::default())?;
//! assert!(interval.low <= interval.value && interval.value <= interval.high);
//!
//! // Two seconds of it carry a p50 and no more.
//! let short = Seconds::new(run[..2].iter().map(Vec::as_slice));
//! assert!(short.quantile(0.5).is_some());
//! assert!(matches!(short.interval(0.99, &Rules::default()), Err(Refusal::TooFewSamples { needed: 299, .. })));
//! # Ok::<(), Refusal>(())
//! ```

pub mod arrivals;
pub mod autocorrelation;
mod blocks;
pub mod comparison;
pub mod critical;
pub mod drift;
mod interval;
mod mean;
mod quantile;
mod seconds;
mod studentised;

pub use interval::{Interval, Refusal, Rules, samples_needed};
pub use mean::{mean_interval, rate_interval};
pub use seconds::Seconds;
