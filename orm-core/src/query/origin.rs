//! What a query reads rows from, as a type: a model, one more use of it, the rows of a subquery.

use std::fmt;
use std::marker::PhantomData;

use super::SourceOf;
use crate::model::{Column, Model};
use crate::sql::{Source, Tag};

/// What a query reads rows from: a model, an alias of one ([`As`]), or the struct of a subquery's
/// rows ([`Row`](super::Row)).
///
/// Each has columns, [`Column<Self, T>`](Column), with all that columns can do.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is nothing that a query reads from",
    label = "expected a model, an alias of one, or a struct of a subquery's rows"
)]
pub trait Origin: 'static {
    #[doc(hidden)]
    fn __source() -> SourceOf;
}

impl<M: Model> Origin for M {
    fn __source() -> SourceOf {
        SourceOf { table: M::__table(), source: Source::Scope }
    }
}

/// A further use of `O` in a query: `As<User, Boss>` is `User` under the name of your type `Boss`.
///
/// A model is in a query once under its own name. Where its table is needed again, joined to itself
/// or reached by two relationships, any type of yours names the further use: a relationship leads
/// there by [`to`](crate::model::Relation::to), and what is written about the model means the alias
/// by `of`:
///
/// ```
/// # use orm_core::{BelongsTo, Engine, HasMany, Model, SessionFactory, schema};
/// # #[derive(Model)]
/// # struct User {
/// #     username: String,
/// #     #[orm(foreign_key = Self)] boss_id: Option<i64>,
/// #     #[orm(back_populates = reports)] boss: BelongsTo<Self>,
/// #     #[orm(back_populates = boss)] reports: HasMany<Self>,
/// # }
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// # let engine = Engine::connect("sqlite::memory:").await?;
/// # engine.create_all(&schema![User]).await?;
/// # let mut session = SessionFactory::new(engine.clone()).session();
/// # let ada = session.add(User::draft().username("ada"));
/// # session.add(User::draft().username("bob").boss(ada));
/// struct Boss;
///
/// let led: Vec<(String, String)> = User::select()
///     .join(User::boss.to::<Boss>())
///     .filter(User::username.of::<Boss>().like("a%"))
///     .columns((User::username, User::username.of::<Boss>()))
///     .all(&mut session)
///     .await?;
/// # assert_eq!(led, [("bob".to_owned(), "ada".to_owned())]);
/// # Ok::<(), orm_core::Error>(()) }).unwrap();
/// ```
///
/// In SQL the alias bears the type's name in lower case. SQLAlchemy's `aliased()`.
pub struct As<O, Tag>(PhantomData<fn() -> (O, Tag)>);

impl<O: Origin, T: 'static> Origin for As<O, T> {
    fn __source() -> SourceOf {
        SourceOf { table: O::__source().table, source: Source::Tag(Tag::of::<T>()) }
    }
}

impl<O, Tag> fmt::Debug for As<O, Tag> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("As")
    }
}

impl<O: Origin, T> Column<O, T> {
    /// The same column of an alias, which bears the name of a type of yours.
    pub fn of<Tag: 'static>(self) -> Column<As<O, Tag>, T> {
        Column::__new(self.__index())
    }
}

/// Moves what was written about a model to an alias of it.
macro_rules! aliased {
    ($($type:ident [$($param:ident),*] $part:literal);+) => {$(
        impl<M: Model $(, $param)*> super::$type<M $(, $param)*> {
            #[doc = concat!("The same ", $part, " of an alias, which bears the name of a type of yours.")]
            pub fn of<Tag: 'static>(self) -> super::$type<As<M, Tag> $(, $param)*> {
                let SourceOf { table, source } = As::<M, Tag>::__source();
                self.moved(|expr| expr.rescope(table, source))
            }
        }
    )+};
}

aliased!(Expression [T, L] "expression"; Condition [] "condition"; Order [] "order");
