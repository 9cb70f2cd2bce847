//! SELECTs that were rendered before: the text is kept, the values are put where they belong.
//!
//! A tree has a [`Shape`]: all that its text depends on, and the values, which aren't. What was
//! rendered of one tree is a [`Template`] for every tree of the same shape. Queries of a shape that
//! is known are hashed, compared and filled in; nothing is written.

mod shape;
mod template;
#[cfg(all(test, feature = "sqlite", feature = "postgres", feature = "mysql"))]
mod tests;

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use foldhash::fast::RandomState;
use lru::LruCache;

use self::shape::Shape;
use self::template::Template;
use super::dialect::Dialect;
use super::render::render_select;
use super::select::Select;
use super::statement::Statement;
use crate::error::Result;

/// How long, in bytes, a shape or a text may be to be kept.
const LONGEST: usize = 8 << 10;

/// By shape, what is known of its text: `None` where it depends on values too.
type Templates = LruCache<Box<[u8]>, Option<Arc<Template>>, RandomState>;

/// Renders SELECTs for one database, each shape once while it is remembered.
pub(crate) struct Renderer {
    dialect: &'static dyn Dialect,
    /// Those that were used last; none where nothing is to be kept.
    templates: Option<Mutex<Templates>>,
    /// How many statements were not written anew.
    #[cfg(test)]
    hits: std::sync::atomic::AtomicUsize,
}

impl Renderer {
    /// A renderer that remembers so many shapes.
    pub(crate) fn new(dialect: &'static dyn Dialect, shapes: usize) -> Self {
        let templates = NonZeroUsize::new(shapes).map(|shapes| {
            let mut templates = LruCache::unbounded_with_hasher(RandomState::default());
            templates.resize(shapes);
            Mutex::new(templates)
        });
        Self {
            dialect,
            templates,
            #[cfg(test)]
            hits: std::sync::atomic::AtomicUsize::new(0),
        }
    }

    /// The database's dialect.
    pub(crate) fn dialect(&self) -> &'static dyn Dialect {
        self.dialect
    }

    /// A SELECT.
    ///
    /// # Errors
    /// As [`render_select`], which gives the same statement.
    pub(crate) fn select(&self, select: &Select) -> Result<Statement> {
        let Some(templates) = &self.templates else { return render_select(self.dialect, select) };
        let Some(shape) = Shape::of(self.dialect, select) else {
            return render_select(self.dialect, select);
        };
        let known = lock(templates).get(shape.key()).cloned();
        match known {
            Some(Some(template)) => {
                let statement = template.fill(shape.values());
                debug_assert!(
                    render_select(self.dialect, select).is_ok_and(|it| is_same(&it, &statement)),
                    "a text that was kept serves another query: {}",
                    statement.text,
                );
                #[cfg(test)]
                self.hits.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                Ok(statement)
            }
            Some(None) => render_select(self.dialect, select),
            None => {
                let statement = render_select(self.dialect, select)?;
                let template = Template::of(self.dialect, select, &shape, &statement);
                lock(templates).put(shape.into_key(), template.map(Arc::new));
                Ok(statement)
            }
        }
    }
}

impl fmt::Debug for Renderer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Renderer").field("dialect", &self.dialect).finish_non_exhaustive()
    }
}

/// What is under the lock is whole at any time.
fn lock(templates: &Mutex<Templates>) -> MutexGuard<'_, Templates> {
    templates.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether two statements are the same, to the last bind.
fn is_same(one: &Statement, other: &Statement) -> bool {
    one.text == other.text && one.binds == other.binds && one.persistent == other.persistent
}
