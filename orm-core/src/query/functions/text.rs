//! Functions of texts. Lengths and positions count characters, as Rust's `chars` does, and begin
//! at zero.

use std::ops::{Bound, RangeBounds};

use super::call;
use crate::model::Column;
use crate::query::{Expression, Origin, PerRow, TextColumn, bind};
use crate::sql::{Expr, Function};
use crate::value::{ColumnType, Nullability, Operand};

/// No text has more characters. SQLite counts back from its end no further, and PostgreSQL adds two
/// of these in 32 bits.
const MOST_CHARACTERS: u32 = 1_000_000_000;

/// A number of characters as a bind.
fn count(characters: u32) -> Expr {
    bind(&characters.min(MOST_CHARACTERS).cast_signed())
}

/// The part of a text that a range of its characters is.
fn substring(text: Expr, characters: &impl RangeBounds<u32>) -> Expr {
    let start = match characters.start_bound() {
        Bound::Included(&start) => start,
        Bound::Excluded(&before) => before.saturating_add(1),
        Bound::Unbounded => 0,
    };
    let end = match characters.end_bound() {
        Bound::Included(&last) => Some(last.saturating_add(1)),
        Bound::Excluded(&end) => Some(end),
        Bound::Unbounded => None,
    };
    // SQL counts from one.
    let first = count(start.min(MOST_CHARACTERS - 1) + 1);
    match end {
        Some(end) => {
            let length = count(end.saturating_sub(start));
            Expr::Function(Function::Substring, vec![text, first, length])
        }
        None => Expr::Function(Function::SubstringFrom, vec![text, first]),
    }
}

macro_rules! functions_of_texts {
    ($type:ident<M $(: $bound:path)? $(; $param:ident)?> $level:ty) => {
        impl<M $(: $bound)?, T: ColumnType $(, $param)?> $type<M, T $(, $param)?> {
            /// In lower case. SQLite knows the case of ASCII letters only.
            pub fn lower(self) -> Expression<M, T, $level>
            where
                T: TextColumn,
            {
                call(Function::Lower, [self.into_expr()])
            }

            /// In upper case. SQLite knows the case of ASCII letters only.
            pub fn upper(self) -> Expression<M, T, $level>
            where
                T: TextColumn,
            {
                call(Function::Upper, [self.into_expr()])
            }

            /// The length in characters.
            pub fn length(
                self,
            ) -> Expression<M, <T::Nullability as Nullability>::Of<i64>, $level>
            where
                T: TextColumn,
            {
                call(Function::Length, [self.into_expr()])
            }

            /// Without the spaces at both ends. Other white space stays.
            pub fn trim(self) -> Expression<M, T, $level>
            where
                T: TextColumn,
            {
                call(Function::Trim, [self.into_expr()])
            }

            /// Without the spaces at its start. Other white space stays.
            pub fn trim_start(self) -> Expression<M, T, $level>
            where
                T: TextColumn,
            {
                call(Function::TrimStart, [self.into_expr()])
            }

            /// Without the spaces at its end. Other white space stays.
            pub fn trim_end(self) -> Expression<M, T, $level>
            where
                T: TextColumn,
            {
                call(Function::TrimEnd, [self.into_expr()])
            }

            /// With every occurrence of a text, by case, replaced by another. An empty text
            /// occurs nowhere.
            pub fn replace(
                self,
                from: impl Operand<String>,
                to: impl Operand<String>,
            ) -> Expression<M, T, $level>
            where
                T: TextColumn,
            {
                let (from, to) = (bind(&from.into_operand()), bind(&to.into_operand()));
                call(Function::Replace, [self.into_expr(), from, to])
            }

            /// The characters of a range, which are counted from zero:
            /// `User::username.substring(..3)`. Where the text ends before the range does, it is
            /// what there is.
            pub fn substring(
                self,
                characters: impl RangeBounds<u32>,
            ) -> Expression<M, T, $level>
            where
                T: TextColumn,
            {
                Expression::new(substring(self.into_expr(), &characters))
            }

            /// So many characters of its start.
            pub fn left(self, characters: u32) -> Expression<M, T, $level>
            where
                T: TextColumn,
            {
                self.substring(..characters)
            }

            /// So many characters of its end.
            pub fn right(self, characters: u32) -> Expression<M, T, $level>
            where
                T: TextColumn,
            {
                if characters == 0 {
                    return self.substring(..0);
                }
                call(Function::Right, [self.into_expr(), count(characters)])
            }

            /// So many times one behind the other.
            pub fn repeat(self, times: u32) -> Expression<M, T, $level>
            where
                T: TextColumn,
            {
                call(Function::Repeat, [self.into_expr(), count(times)])
            }

            /// How many characters stand before the first occurrence of a text, by case; NULL if
            /// it doesn't occur. What it is in Rust: `text.find(…)`, in characters.
            pub fn position(
                self,
                text: impl Operand<String>,
            ) -> Expression<M, Option<i64>, $level>
            where
                T: TextColumn,
            {
                call(Function::Position, [self.into_expr(), bind(&text.into_operand())])
            }
        }
    };
}

functions_of_texts!(Column<M: Origin> PerRow);
functions_of_texts!(Expression<M; L> L);
