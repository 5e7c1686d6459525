//! Rows of texts under each other.

/// Columns that are as wide as their widest text so far. Pages of one list share them.
#[derive(Debug)]
pub(super) struct Columns<const N: usize> {
    widths: [usize; N],
}

impl<const N: usize> Columns<N> {
    /// Columns of at least these widths, so that later pages seldom need wider ones.
    pub(super) fn at_least(widths: [usize; N]) -> Self {
        Self { widths }
    }

    /// The rows, a line each, with two blanks between columns. The last column may be of any text;
    /// the others are as wide as they have characters.
    pub(super) fn lines(&mut self, rows: &[[String; N]]) -> String {
        for row in rows {
            for (width, text) in self.widths.iter_mut().zip(row) {
                *width = (*width).max(text.chars().count());
            }
        }
        let mut lines = String::new();
        for row in rows {
            let mut line = String::new();
            for (width, text) in self.widths.iter().zip(row) {
                line.push_str(&format!("{text:<width$}  "));
            }
            lines.push_str(line.trim_end());
            lines.push('\n');
        }
        lines
    }
}
