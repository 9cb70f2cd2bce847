//! What may stand where a value of a column is expected.

/// A value that can be given for a column of type `T`: in a draft, a comparison, an assignment.
///
/// One trait serves them all, so `"x"` and `&String` do for a `String`, `36` for an
/// `Option<i16>` and `None` for any `Option`. It is not `Into`: a lossy or surprising conversion
/// is not among them.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be given for a column of type `{T}`",
    label = "expected a `{T}`"
)]
pub trait Operand<T> {
    /// The value itself.
    fn into_operand(self) -> T;
}

impl<T> Operand<T> for T {
    fn into_operand(self) -> T {
        self
    }
}

impl<T: Clone> Operand<T> for &T {
    fn into_operand(self) -> T {
        self.clone()
    }
}

impl<T> Operand<Option<T>> for T {
    fn into_operand(self) -> Option<T> {
        Some(self)
    }
}

impl<T: Clone> Operand<Option<T>> for &T {
    fn into_operand(self) -> Option<T> {
        Some(self.clone())
    }
}

impl Operand<String> for &str {
    fn into_operand(self) -> String {
        self.to_owned()
    }
}

impl Operand<Option<String>> for &str {
    fn into_operand(self) -> Option<String> {
        Some(self.to_owned())
    }
}

/// What iterating over a slice of texts gives: `User::name.in_(&["ada", "bob"])`.
impl Operand<String> for &&str {
    fn into_operand(self) -> String {
        (*self).to_owned()
    }
}

/// What iterating over a slice of texts gives.
impl Operand<Option<String>> for &&str {
    fn into_operand(self) -> Option<String> {
        Some((*self).to_owned())
    }
}

impl Operand<Vec<u8>> for &[u8] {
    fn into_operand(self) -> Vec<u8> {
        self.to_vec()
    }
}

impl<const N: usize> Operand<Vec<u8>> for &[u8; N] {
    fn into_operand(self) -> Vec<u8> {
        self.to_vec()
    }
}
