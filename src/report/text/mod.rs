//! The summary a person reads at a glance: the verdict first, then from the phones down to the generator.
//!
//! At most 100 columns. Made from a [`Summary`] alone, so a saved run prints as it did when it ended.

mod figures;
mod ledger;
mod sections;
mod style;
#[cfg(test)]
mod tests;

use std::path::Path;

pub(in crate::report) use self::ledger::{few, watched};
use self::style::Style;
use super::Summary;

/// The summary as text, ready to print; `colour` adds ANSI sequences and nothing else. `folder`: where the run was saved.
pub fn render(summary: &Summary, folder: Option<&Path>, colour: bool) -> String {
    let mut page = Page { style: Style::new(colour), text: String::new() };
    sections::verdict(&mut page, summary);
    sections::storm(&mut page, summary);
    sections::phones(&mut page, summary);
    sections::operations(&mut page, summary);
    figures::times(&mut page, summary);
    sections::auth(&mut page, summary);
    figures::tls(&mut page, summary);
    ledger::tls(&mut page, summary);
    sections::exchanges(&mut page, summary);
    ledger::target(&mut page, summary);
    sections::generator(&mut page, summary);
    sections::thresholds(&mut page, summary);
    if let Some(folder) = folder {
        page.gap();
        page.line(&format!("Saved in {}", folder.display()));
    }
    page.text
}

/// The text as it grows.
struct Page {
    style: Style,
    text: String,
}

/// Widest line.
const COLUMNS: usize = 100;
/// Width of a fact's name.
const NAME: usize = 15;

impl Page {
    fn line(&mut self, line: &str) {
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }

    fn gap(&mut self) {
        self.text.push('\n');
    }

    /// A section's heading, and what it is about in brief.
    fn heading(&mut self, name: &str, about: &str) {
        self.gap();
        let heading = self.style.strong(name);
        let pad = " ".repeat((NAME + 2).saturating_sub(name.chars().count()));
        self.line(&format!("{heading}{pad}{about}"));
    }

    /// One fact: its name and what there is to say, wrapped under itself.
    fn fact(&mut self, name: &str, words: &str) {
        let pad = " ".repeat(NAME + 2);
        for (i, line) in wrap(words, COLUMNS - NAME - 2).into_iter().enumerate() {
            if i == 0 {
                self.line(&format!("  {name:<width$}{line}", width = NAME));
            } else {
                self.line(&format!("{pad}{line}"));
            }
        }
    }
}

/// Breaks words so that no line is wider than `columns`, if no word is: after a ` ·` if that is possible, else at spaces.
fn wrap(words: &str, columns: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut width = 0;
    let apart = |item: &str| if item.chars().count() > columns { ' ' } else { '\n' };
    for word in words.split_inclusive(" ·").flat_map(|item| item.trim_start().split(apart(item))) {
        let length = word.chars().count();
        let line = lines.last_mut().filter(|line| line.is_empty() || width + 1 + length <= columns);
        match line {
            Some(line) if line.is_empty() => {
                line.push_str(word);
                width = length;
            }
            Some(line) => {
                line.push(' ');
                line.push_str(word);
                width += 1 + length;
            }
            None => {
                lines.push(word.to_owned());
                width = length;
            }
        }
    }
    lines
}
