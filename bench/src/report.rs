//! Figures, as a table and as JSON.

use std::fmt::Write as _;
use std::path::Path;

/// One figure.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Figure {
    /// What was measured; names never change their meaning.
    pub name: String,
    pub value: f64,
    pub unit: &'static str,
    /// What the machine reached in the same run, in the same unit, where something sets a bound.
    pub ceiling: Option<f64>,
    /// What set the bound.
    pub ceiling_name: Option<&'static str>,
    /// How near the value came to it: 1 is the bound itself, whether more or less is better.
    pub ratio: Option<f64>,
}

/// All figures, in the order in which they were taken.
#[derive(Debug, Default)]
pub struct Report {
    figures: Vec<Figure>,
}

impl Report {
    /// Adds a figure that nothing but the machine's patience bounds.
    pub fn add(&mut self, name: impl Into<String>, value: f64, unit: &'static str) {
        let name = name.into();
        self.figures.push(Figure { name, value, unit, ceiling: None, ceiling_name: None, ratio: None });
    }

    /// Adds a rate, of which more is better.
    pub fn add_rate(
        &mut self,
        name: impl Into<String>,
        value: f64,
        unit: &'static str,
        ceiling: f64,
        ceiling_name: &'static str,
    ) {
        let (ceiling_name, ratio) = (Some(ceiling_name), Some(value / ceiling));
        self.figures.push(Figure { name: name.into(), value, unit, ceiling: Some(ceiling), ceiling_name, ratio });
    }

    /// Adds a cost, of which less is better.
    pub fn add_cost(
        &mut self,
        name: impl Into<String>,
        value: f64,
        unit: &'static str,
        ceiling: f64,
        ceiling_name: &'static str,
    ) {
        let (ceiling_name, ratio) = (Some(ceiling_name), Some(ceiling / value));
        self.figures.push(Figure { name: name.into(), value, unit, ceiling: Some(ceiling), ceiling_name, ratio });
    }

    /// Leaves out what nobody asked for.
    pub fn keep(&mut self, is_wanted: impl Fn(&str) -> bool) {
        self.figures.retain(|figure| is_wanted(&figure.name));
    }

    /// For people.
    pub fn table(&self) -> String {
        let mut text = format!("{:<34}{:>14} {:<12}{:>14} {:>7}  of\n", "figure", "value", "unit", "ceiling", "ratio");
        for figure in &self.figures {
            let Figure { name, value, unit, .. } = figure;
            let _ = write!(text, "{name:<34}{:>14} {unit:<12}", rounded(*value));
            if let (Some(ceiling), Some(of), Some(ratio)) = (figure.ceiling, figure.ceiling_name, figure.ratio) {
                let _ = write!(text, "{:>14} {ratio:>7.2}  {of}", rounded(ceiling));
            }
            text.truncate(text.trim_end().len());
            text.push('\n');
        }
        text
    }

    /// For programs: a list of figures.
    pub fn write(&self, path: &Path) -> std::io::Result<()> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let mut text = serde_json::to_string_pretty(&self.figures)?;
        text.push('\n');
        std::fs::write(path, text)
    }
}

/// Three or more digits that mean something.
fn rounded(value: f64) -> String {
    if value.abs() < 100.0 { format!("{value:.2}") } else { format!("{value:.0}") }
}
