//! What paging gives.

use serde::{Deserialize, Serialize};

use super::Cursor;

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

/// Part of a list from one place on, and the places where the parts beside it begin: what `slice`,
/// `after` and `before` give.
///
/// Unlike a [`Page`] it counts nothing, costs the same however far down the list it is, and neither
/// repeats nor misses a row where others come and go meanwhile. (The technique is known as keyset
/// pagination; GraphQL's connections page by cursors like that.)
///
/// ```
/// # use orm_core::{Engine, Model, schema};
/// # #[derive(Model)] struct User { name: String, age: Option<i32> }
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// # let engine = Engine::connect("sqlite::memory:").await?;
/// # engine.create_all(&schema![User]).await?;
/// # let mut session = orm_core::SessionFactory::new(engine.clone()).session();
/// # session.add_all(["ada", "bob", "cyd"].map(|name| User::draft().name(name)));
/// # session.commit().await?;
/// let users = || User::select().order_by((User::age.desc().nulls_last(), User::name.asc()));
/// let mut slice = users().on(&engine).slice(2).await?;
/// let mut names = Vec::new();
/// loop {
///     names.extend(slice.items.into_iter().map(|user| user.name.clone()));
///     let Some(next) = slice.next else { break };
///     slice = users().on(&engine).after(&next, 2).await?;
/// }
/// assert_eq!(names, ["ada", "bob", "cyd"]);
/// # Ok::<(), orm_core::Error>(()) }).unwrap();
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slice<T> {
    /// The items, in the order of the query.
    pub items: Vec<T>,
    /// Where `after` goes on, if there is more behind these.
    pub next: Option<Cursor>,
    /// Where `before` goes back to, if there may be something before these.
    pub previous: Option<Cursor>,
}

impl<T> Slice<T> {
    /// The same slice with each item turned into something else.
    ///
    /// ```
    /// # use orm_core::query::Slice;
    /// let slice = Slice { items: vec![1, 2], next: None, previous: None };
    /// assert_eq!(slice.map(|n| n * 10).items, [10, 20]);
    /// ```
    pub fn map<U>(self, convert: impl FnMut(T) -> U) -> Slice<U> {
        let Self { items, next, previous } = self;
        Slice { items: items.into_iter().map(convert).collect(), next, previous }
    }
}
