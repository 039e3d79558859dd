//! What commands print: text for people, JSON for scripts, and progress on terminals.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::Value;
use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write};
use std::time::Duration;

/// How often a spinner moves while nothing else happens.
const TICK: Duration = Duration::from_millis(120);

/// Where a command prints.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    json: bool,
}

impl Output {
    /// JSON or text.
    pub(crate) fn new(json: bool) -> Self {
        Self { json }
    }

    /// Whether a script reads this.
    pub(crate) fn is_json(self) -> bool {
        self.json
    }

    /// Prints a result: the value itself for scripts, `text` for people.
    pub(crate) fn print(self, value: &Value, text: impl FnOnce() -> String) -> io::Result<()> {
        if self.json {
            return line(&format!("{value:#}"));
        }
        line(text().trim_end())
    }

    /// A bar for work of known length; nothing where no person looks.
    pub(crate) fn progress(self, length: usize, what: &'static str) -> ProgressBar {
        let style = ProgressStyle::with_template("{msg} {bar:30} {pos}/{len} ({eta} left)");
        self.bar(ProgressBar::new(length as u64), style, what)
    }

    /// A spinner for work of unknown length; nothing where no person looks.
    pub(crate) fn waiting(self, what: &'static str) -> ProgressBar {
        let bar = self.bar(ProgressBar::new_spinner(), ProgressStyle::with_template("{spinner} {msg}"), what);
        bar.enable_steady_tick(TICK);
        bar
    }

    fn bar(
        self,
        bar: ProgressBar,
        style: Result<ProgressStyle, indicatif::style::TemplateError>,
        what: &'static str,
    ) -> ProgressBar {
        if self.json || !io::stderr().is_terminal() {
            bar.set_draw_target(ProgressDrawTarget::hidden());
        }
        bar.set_style(style.expect("the template is well formed"));
        bar.set_message(what);
        bar
    }
}

/// Prints a line; a reader that has gone away (`furrow … | head`) is no error.
pub(crate) fn line(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match writeln!(out, "{text}").and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}

/// Rows in aligned columns under their headings; the last column may be of any length.
pub(crate) fn table<const N: usize>(headings: [&str; N], rows: &[[String; N]]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.chain([headings[column].chars().count()]).max().unwrap_or(0)
    };
    let widths: [usize; N] = std::array::from_fn(width);
    let mut text = String::new();
    let mut push = |cells: [&str; N]| {
        let mut row = String::new();
        for (cell, width) in cells.into_iter().zip(widths) {
            let padding = width - cell.chars().count();
            let _ = write!(row, "{cell}{:padding$}  ", "");
        }
        let _ = writeln!(text, "{}", row.trim_end());
    };
    push(headings);
    for row in rows {
        push(std::array::from_fn(|column| row[column].as_str()));
    }
    text
}

/// A field of a JSON value as text for people: nothing where there is nothing.
pub(crate) fn text(value: &Value, pointer: &str) -> String {
    match value.pointer(pointer) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => printable(text),
        Some(other) => other.to_string(),
    }
}

/// What came over the network must not be able to steer the terminal.
pub(crate) fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_by_characters() {
        let rows = [["Äpfel".to_owned(), "1".to_owned()], ["Pears".to_owned(), "22".to_owned()]];
        assert_eq!(table(["what", "n"], &rows), "what   n\nÄpfel  1\nPears  22\n");
    }

    #[test]
    fn text_from_outside_cannot_steer_the_terminal() {
        let value = serde_json::json!({ "name": "a\u{1b}[31mb", "n": 3, "none": null });
        assert_eq!(text(&value, "/name"), "a\u{fffd}[31mb");
        assert_eq!((text(&value, "/n"), text(&value, "/none")), ("3".to_owned(), String::new()));
    }
}
