//! What queries without a session run on.

use std::sync::Arc;

use super::SessionFactory;
use crate::driver::Engine;
use crate::query::Criteria;

/// What a query can run on without a session: an [`Engine`], which shows every row, or a
/// [`SessionFactory`], whose [criteria](SessionFactory::with_criteria) it keeps to.
#[diagnostic::on_unimplemented(
    message = "a query can't run on `{Self}`",
    label = "expected an `Engine` or a `SessionFactory`"
)]
pub trait QueryTarget {
    #[doc(hidden)]
    fn __target(&self) -> Target<'_>;
}

/// An engine and what it shows, opaque outside of this crate.
#[doc(hidden)]
#[derive(Clone, Debug)]
pub struct Target<'e> {
    pub(super) engine: &'e Engine,
    pub(super) criteria: Arc<Criteria>,
}

impl QueryTarget for Engine {
    fn __target(&self) -> Target<'_> {
        Target { engine: self, criteria: Arc::default() }
    }
}

impl QueryTarget for SessionFactory {
    fn __target(&self) -> Target<'_> {
        Target { engine: self.engine(), criteria: Arc::clone(&self.criteria) }
    }
}

impl<T: QueryTarget + ?Sized> QueryTarget for &T {
    fn __target(&self) -> Target<'_> {
        (**self).__target()
    }
}
