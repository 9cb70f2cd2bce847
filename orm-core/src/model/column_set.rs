//! A set of column positions.

/// A set of a table's column positions: one word for tables of up to 64 columns.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ColumnSet {
    low: u64,
    /// Positions from 64 on.
    high: Box<[u64]>,
}

impl ColumnSet {
    /// Adds a column.
    pub fn insert(&mut self, column: usize) {
        *self.word_mut(column) |= 1 << (column % 64);
    }
    /// Takes a column out.
    pub fn remove(&mut self, column: usize) {
        *self.word_mut(column) &= !(1 << (column % 64));
    }
    /// Whether the column is in the set.
    pub fn contains(&self, column: usize) -> bool {
        let word = match column / 64 {
            0 => self.low,
            word => self.high.get(word - 1).copied().unwrap_or(0),
        };
        word >> (column % 64) & 1 == 1
    }
    /// Whether the set is empty.
    pub fn is_empty(&self) -> bool {
        self.low == 0 && self.high.iter().all(|word| *word == 0)
    }
    /// The columns, in order.
    pub fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        let words = std::iter::once(self.low).chain(self.high.iter().copied());
        words.enumerate().flat_map(|(at, mut word)| {
            std::iter::from_fn(move || {
                let column = word.trailing_zeros() as usize;
                (word != 0).then(|| {
                    word &= word - 1;
                    64 * at + column
                })
            })
        })
    }
    fn word_mut(&mut self, column: usize) -> &mut u64 {
        match column / 64 {
            0 => &mut self.low,
            word => {
                if self.high.len() < word {
                    let mut high = std::mem::take(&mut self.high).into_vec();
                    high.resize(word, 0);
                    self.high = high.into();
                }
                &mut self.high[word - 1]
            }
        }
    }
}

impl FromIterator<usize> for ColumnSet {
    fn from_iter<I: IntoIterator<Item = usize>>(columns: I) -> Self {
        let mut set = Self::default();
        columns.into_iter().for_each(|column| set.insert(column));
        set
    }
}
