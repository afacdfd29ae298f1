//! Charts as SVG, drawn by hand: no script, no library, and a size of text that stays what it is on every screen.
//!
//! A chart is as wide as its place. Shapes lie in a drawing of 1,000 units that is stretched to that width; texts, grid
//! and marks are placed by percentages of it, outside the stretched part, so they are never distorted. Positions come in as
//! shares of the two axes (see [`Scale`]), from 0 (left, bottom) to 1.

mod heat;
mod line;
mod marks;
mod ranges;
mod scale;
mod stack;

pub(super) use heat::{Heat, LEVELS};
pub(super) use line::{area, line};
pub(super) use marks::{End, Flag, ends, flags, hover, legend};
pub(super) use ranges::{Range, ranges};
pub(super) use scale::{Scale, duration_label, time_label, time_ticks};
pub(super) use stack::stack;

use super::markup::Markup;

/// Width of the stretched drawing, in its own units.
const WIDTH: f64 = 1_000.0;

/// A place on an axis that is named.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tick {
    /// Where, as a share of the axis.
    pub(super) at: f64,
    /// What it is called.
    pub(super) label: String,
}

/// The frame of a chart: what it is called, how high it is, and its axes.
#[derive(Clone, Debug)]
pub(super) struct Chart<'a> {
    /// Unique on the page.
    pub(super) id: &'a str,
    /// Class names of the frame.
    pub(super) class: &'a str,
    /// What it shows, in a line.
    pub(super) title: &'a str,
    /// What is to be seen in it, for whoever cannot.
    pub(super) description: &'a str,
    /// Height of the drawing, in pixels.
    pub(super) height: f64,
    /// The horizontal axis.
    pub(super) x: Vec<Tick>,
    /// The vertical axis.
    pub(super) y: Vec<Tick>,
    /// What the vertical axis counts.
    pub(super) unit: &'a str,
}

impl Chart<'_> {
    /// Draws the frame, in it the stretched `shapes`, and over both what is not stretched.
    pub(super) fn draw(
        &self,
        m: &mut Markup,
        shapes: impl FnOnce(&mut Markup, f64),
        over: impl FnOnce(&mut Markup, f64),
    ) {
        let (title, description) = (format!("{}-title", self.id), format!("{}-desc", self.id));
        let (named, height) = (format!("{title} {description}"), px(self.height));
        m.within("div", &[("class", &format!("plot {}", self.class))], |m| {
            let attributes = [
                ("xmlns", "http://www.w3.org/2000/svg"),
                ("role", "img"),
                ("aria-labelledby", &named),
                ("width", "100%"),
                ("height", &height),
            ];
            m.within("svg", &attributes, |m| {
                m.leaf("title", &[("id", &title)], self.title);
                m.leaf("desc", &[("id", &description)], self.description);
                self.axes(m);
                let view = format!("0 0 {WIDTH} {height}");
                let stretched = [
                    ("viewBox", view.as_str()),
                    ("preserveAspectRatio", "none"),
                    ("width", "100%"),
                    ("height", &height),
                ];
                m.within("svg", &stretched, |m| shapes(m, self.height));
                over(m, self.height);
            });
        });
    }

    fn axes(&self, m: &mut Markup) {
        let bottom = px(self.height);
        m.within("g", &[("class", "axes")], |m| {
            if self.y.first().is_some_and(|tick| tick.at > 0.0) {
                m.empty("line", &[("class", "base"), ("x1", "0"), ("x2", "100%"), ("y1", &bottom), ("y2", &bottom)]);
            }
            for tick in &self.y {
                let y = px((1.0 - tick.at) * self.height);
                let line = if tick.at == 0.0 { "base" } else { "grid" };
                m.empty("line", &[("class", line), ("x1", "0"), ("x2", "100%"), ("y1", &y), ("y2", &y)]);
                m.leaf("text", &[("class", "y"), ("x", "0"), ("dx", "-8"), ("y", &y), ("dy", ".32em")], &tick.label);
            }
            for (i, tick) in self.x.iter().enumerate() {
                // Where there is little room, some names give way.
                let class = match i {
                    0 => "x first",
                    i if i % 2 == 1 => "x odd",
                    _ => "x",
                };
                let x = percent(tick.at);
                let end = px(self.height + 5.0);
                m.empty("line", &[("class", "base"), ("x1", &x), ("x2", &x), ("y1", &bottom), ("y2", &end)]);
                let y = px(self.height + 19.0);
                m.leaf("text", &[("class", class), ("x", &x), ("y", &y)], &tick.label);
            }
            if !self.unit.is_empty() {
                m.leaf("text", &[("class", "unit"), ("x", "0"), ("dx", "-8"), ("y", "-12")], self.unit);
            }
        });
    }
}

/// The ticks of a time axis of so many seconds.
pub(super) fn time_axis(seconds: f64) -> Vec<Tick> {
    let tick = |at: f64| Tick { at: at / seconds, label: time_label(at, seconds) };
    time_ticks(seconds, 6).into_iter().map(tick).collect()
}

/// The ticks of an axis whose values are called so.
pub(super) fn axis(scale: Scale, about: usize, label: impl Fn(f64) -> String) -> Vec<Tick> {
    let ticks = scale.ticks(about).into_iter().map(|value| Tick { at: scale.at(value), label: label(value) });
    let mut ticks: Vec<Tick> = ticks.collect();
    // Counts have nothing between 0 and 1 to name.
    ticks.dedup_by(|next, kept| next.label == kept.label);
    ticks
}

/// A length in the drawing: at most one decimal.
pub(super) fn px(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").map(str::to_owned).unwrap_or(text)
}

/// A share of the width.
pub(super) fn percent(at: f64) -> String {
    let text = format!("{:.2}", at * 100.0);
    format!("{}%", text.trim_end_matches('0').trim_end_matches('.'))
}
