//! Tables in Markdown.

use std::fmt::Write as _;

/// A table with these heads. The first column is words, the others are figures.
#[derive(Debug)]
pub(super) struct Table {
    columns: usize,
    text: String,
}

impl Table {
    pub(super) fn new(heads: &[&str]) -> Self {
        let text =
            format!("| {} |\n| --- |{}\n", heads.join(" | "), " ---: |".repeat(heads.len() - 1));
        Self { columns: heads.len(), text }
    }

    /// Adds a row.
    pub(super) fn row(&mut self, cells: &[String]) {
        assert_eq!(cells.len(), self.columns, "a row has as many cells as there are heads");
        let cells: Vec<String> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
        // A text takes everything.
        let _ = writeln!(self.text, "| {} |", cells.join(" | "));
    }

    /// The table, with an empty line behind it.
    pub(super) fn finish(mut self) -> String {
        self.text.push('\n');
        self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_markdown() {
        let mut table = Table::new(&["what", "how much"]);
        table.row(&["a | b".to_owned(), "1".to_owned()]);
        let expected = "| what | how much |\n| --- | ---: |\n| a \\| b | 1 |\n\n";
        assert_eq!(table.finish(), expected);
    }
}
