//! The table: a figure, its goal, ours, and what others do at the same place in the same run.

/// One line of the table.
pub struct Row {
    pub figure: String,
    pub goal: &'static str,
    pub ours: String,
    pub peers: String,
}

/// All lines, printed as they come and once more together.
#[derive(Default)]
pub struct Table(Vec<Row>);

impl Table {
    pub fn row(&mut self, figure: impl Into<String>, goal: &'static str, ours: impl Into<String>) {
        self.beside(figure, goal, ours, String::new());
    }

    pub fn beside(&mut self, figure: impl Into<String>, goal: &'static str, ours: impl Into<String>, peers: String) {
        let row = Row { figure: figure.into(), goal, ours: ours.into(), peers };
        eprintln!("  {} | {} | {} | {}", row.figure, row.goal, row.ours, row.peers);
        self.0.push(row);
    }

    pub fn print(&self) {
        let heads = ["figure", "goal", "ours", "beside"];
        let cells: Vec<[&str; 4]> =
            self.0.iter().map(|row| [&*row.figure, row.goal, &*row.ours, &*row.peers]).collect();
        let wide = |at: usize| cells.iter().map(|row| row[at].chars().count()).max().unwrap_or(0).max(heads[at].len());
        let widths = [wide(0), wide(1), wide(2), wide(3)];
        for row in std::iter::once(&heads).chain(&cells) {
            let padded: Vec<String> = row.iter().zip(widths).map(|(cell, wide)| format!("{cell:<wide$}")).collect();
            println!("{}", padded.join("  ").trim_end());
        }
    }
}
