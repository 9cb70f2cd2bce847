//! What paging gives.

use serde::{Deserialize, Serialize};

/// One page of a result whose size is known: what `page(number, size)` gives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page<T> {
    /// The items of this page.
    pub items: Vec<T>,
    /// How many items there are on all pages.
    pub total: u64,
    /// How many pages there are.
    pub pages: u64,
}

impl<T> Page<T> {
    /// A page of so many items in all, `size` to a page.
    pub(crate) fn new(items: Vec<T>, total: u64, size: u64) -> Self {
        Self { items, total, pages: total.div_ceil(size.max(1)) }
    }

    /// The same page with each item turned into something else.
    ///
    /// ```
    /// # use orm_core::query::Page;
    /// let page = Page { items: vec![1, 2], total: 5, pages: 3 };
    /// assert_eq!(page.map(|n| n * 10).items, [10, 20]);
    /// ```
    pub fn map<U>(self, convert: impl FnMut(T) -> U) -> Page<U> {
        Page {
            items: self.items.into_iter().map(convert).collect(),
            total: self.total,
            pages: self.pages,
        }
    }
}
