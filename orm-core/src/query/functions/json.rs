//! JSON documents: paths into them, and what stands there.

use std::fmt;
use std::marker::PhantomData;

use super::call;
use crate::model::Column;
use crate::query::operators::escaped;
use crate::query::{Condition, Expression, Origin, bind};
use crate::sql::{Expr, Function};
use crate::value::{ColumnType, Json, Operand, SqlType, Value};

/// A column type that is a JSON document: `serde_json::Value`, [`Json`], and `Option`s of them.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no JSON document",
    label = "expected a `serde_json::Value` or a `Json<…>`"
)]
pub trait JsonColumn: ColumnType {}

impl JsonColumn for serde_json::Value {}
impl<T> JsonColumn for Json<T> where Json<T>: ColumnType {}
impl<T: JsonColumn + ColumnType<Present = T>> JsonColumn for Option<T> {}

/// A place in the documents of a column, found by keys and indexes.
///
/// Where a document has no such place, or what stands there is of another type than is asked for,
/// the answer is `None`, never a conversion.
///
/// ```
/// # use orm_core::{Engine, Model, SessionFactory, schema};
/// # #[derive(Model)] struct User { contacts: Option<serde_json::Value> }
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// # let engine = Engine::connect("sqlite::memory:").await?;
/// # engine.create_all(&schema![User]).await?;
/// # let mut session = SessionFactory::new(engine.clone()).session();
/// let contacts = serde_json::json!({"emails": [{"address": "ada@example.org", "checked": true}]});
/// session.add(User::draft().contacts(contacts));
/// # session.commit().await?;
/// let email = User::contacts.key("emails").index(0);
/// let address: Option<String> = User::select()
///     .filter(email.clone().key("checked").bool().eq(true))
///     .columns(email.key("address").text())
///     .on(&engine)
///     .one()
///     .await?;
/// assert_eq!(address.as_deref(), Some("ada@example.org"));
/// # Ok::<(), orm_core::Error>(()) }).unwrap();
/// ```
///
/// Keys travel as binds, whatever they contain; one with a NUL is refused with
/// [`Error::Type`](crate::Error::Type).
#[must_use = "a place in a document says nothing until it is read, as by `text`"]
pub struct JsonPath<M> {
    document: Expr,
    of: PhantomData<fn(M)>,
}

impl<M> JsonPath<M> {
    fn new(document: Expr) -> Self {
        Self { document, of: PhantomData }
    }

    /// The value of a key of an object.
    pub fn key(self, key: impl Into<String>) -> Self {
        let key = key.into();
        // As a path spells it: a text of JSON behind a point. SQLite's ends at a NUL.
        let path = if key.contains('\0') {
            Value::Refused("a key with the character NUL can't be looked for".into())
        } else {
            Value::Text(format!("$.{}", serde_json::Value::from(&*key)))
        };
        let mut arguments = vec![self.document, bind(&key), Expr::bind(path, SqlType::Text)];
        let mut function = Function::JsonKey;
        if key.starts_with('-') {
            function = Function::JsonDashedKey;
            arguments.push(bind(&escaped(&key)));
        }
        Self::new(Expr::Function(function, arguments))
    }

    /// The element of an array, counted from zero.
    pub fn index(self, index: u32) -> Self {
        let arguments =
            vec![self.document, Expr::Integer(index.into()), bind(&format!("$[{index}]"))];
        Self::new(Expr::Function(Function::JsonIndex, arguments))
    }

    /// What one key after the other leads to.
    pub fn path<K: Into<String>>(self, keys: impl IntoIterator<Item = K>) -> Self {
        keys.into_iter().fold(self, JsonPath::key)
    }

    /// The text, if it is one.
    pub fn text(self) -> Expression<M, Option<String>> {
        call(Function::JsonText, [self.document])
    }

    /// The integer, if it is one of 64 bits, written without a point.
    pub fn int(self) -> Expression<M, Option<i64>> {
        call(Function::JsonInteger, [self.document])
    }

    /// The number, if it is one.
    pub fn float(self) -> Expression<M, Option<f64>> {
        call(Function::JsonFloat, [self.document])
    }

    /// The boolean, if it is one.
    pub fn bool(self) -> Expression<M, Option<bool>> {
        call(Function::JsonBoolean, [self.document])
    }

    /// Whatever it is: an object, an array, a scalar, a JSON null; `None` where there is nothing.
    pub fn json(self) -> Expression<M, Option<serde_json::Value>> {
        Expression::new(self.document)
    }

    /// There is something, be it a JSON null.
    pub fn exists(self) -> Condition<M> {
        Condition::new(Expr::Function(Function::JsonExists, vec![self.document]))
    }

    /// It contains the document: each of its keys with what it contains, each of its elements, the
    /// same scalar. What it has besides doesn't matter. Whether an array contains what one of its
    /// elements contains is up to the database.
    ///
    /// # Errors
    /// SQLite can't tell: the query fails with [`Error::Misuse`](crate::Error::Misuse).
    pub fn contains_json(self, document: impl Operand<serde_json::Value>) -> Condition<M> {
        let document = bind(&document.into_operand());
        Condition::new(Expr::Function(Function::JsonContains, vec![self.document, document]))
    }
}

impl<M> Clone for JsonPath<M> {
    fn clone(&self) -> Self {
        Self::new(self.document.clone())
    }
}

impl<M> fmt::Debug for JsonPath<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("JsonPath").field(&self.document).finish()
    }
}

macro_rules! functions_of_documents {
    ($type:ident<M $(: $bound:path)?>) => {
        impl<M $(: $bound)?, T: ColumnType> $type<M, T> {
            /// The value of a key of the document: `User::contacts.key("email").text()`.
            pub fn key(self, key: impl Into<String>) -> JsonPath<M>
            where
                T: JsonColumn,
            {
                JsonPath::new(self.into_expr()).key(key)
            }

            /// An element of the document, counted from zero.
            pub fn index(self, index: u32) -> JsonPath<M>
            where
                T: JsonColumn,
            {
                JsonPath::new(self.into_expr()).index(index)
            }

            /// What one key after the other leads to: `User::contacts.path(["home", "phone"])`.
            /// No keys lead to the document itself.
            pub fn path<K: Into<String>>(self, keys: impl IntoIterator<Item = K>) -> JsonPath<M>
            where
                T: JsonColumn,
            {
                JsonPath::new(self.into_expr()).path(keys)
            }

            /// The document contains another, as [`JsonPath::contains_json`] says.
            ///
            /// # Errors
            /// SQLite can't tell: the query fails with [`Error::Misuse`](crate::Error::Misuse).
            pub fn contains_json(self, document: impl Operand<serde_json::Value>) -> Condition<M>
            where
                T: JsonColumn,
            {
                JsonPath::new(self.into_expr()).contains_json(document)
            }
        }
    };
}

functions_of_documents!(Column<M: Origin>);
functions_of_documents!(Expression<M>);
