//! How far transactions are kept apart.

/// How far a transaction is kept apart from others, as the SQL standard names it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Isolation {
    /// Each statement sees what was committed before it. Reads before the first write run outside
    /// of a transaction. On SQLite a transaction that writes sees one snapshot all the same.
    #[default]
    ReadCommitted,
    /// The transaction begins with the first statement and sees what was committed before it. If it
    /// writes what another has changed meanwhile, it fails with
    /// [`Error::Serialization`](crate::Error::Serialization); but MySQL writes over it without a
    /// word.
    RepeatableRead,
    /// The transaction begins with the first statement, and what it reads and writes is as if no
    /// other ran beside it; else one of them fails with
    /// [`Error::Serialization`](crate::Error::Serialization) and is to be tried again.
    Serializable,
}
