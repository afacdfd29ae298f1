//! Columns over time, stacked by kind.

use std::fmt::Write;

use super::super::markup::Markup;
use super::{Scale, WIDTH, px};

/// Up to so many columns have a gap between them.
const APART: usize = 90;

/// Columns of equal width from left to right; `series` are their kinds from the bottom up, each with its class and its
/// value in every column.
pub(in crate::report::html) fn stack(m: &mut Markup, height: f64, y: Scale, series: &[(&str, Vec<f64>)]) {
    let columns = series.iter().map(|(_, values)| values.len()).max().unwrap_or(0);
    let wide = WIDTH / columns.max(1) as f64;
    let gap = if columns <= APART { wide * 0.14 } else { 0.0 };
    let mut below = vec![0.0; columns];
    for (class, values) in series {
        let mut d = String::new();
        for (i, (below, value)) in below.iter_mut().zip(values).enumerate() {
            let bottom = y.at(*below) * height;
            *below += value;
            let tall = y.at(*below) * height - bottom;
            // Thinner than this, nobody would see it.
            if tall < 0.05 {
                continue;
            }
            let (x, top) = (px(i as f64 * wide + gap / 2.0), px(height - bottom - tall));
            let (wide, tall) = (px(wide - gap), px(tall));
            let _ = write!(d, "M{x} {top}h{wide}v{tall}h-{wide}z");
        }
        if !d.is_empty() {
            m.empty("path", &[("class", &format!("fill {class}")), ("d", &d)]);
        }
    }
}
