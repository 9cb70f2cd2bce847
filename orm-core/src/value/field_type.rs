//! What the type of a column's field has to do: a column type, or one whose value may be missing.

use std::any::Any;

use super::{Blank, Cells, ColumnType, Facts, Operand, Value, ValueError};

/// The type of a field that is a column: any [`ColumnType`], or [`Deferred`](crate::Deferred) of
/// one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be the type of a column",
    label = "not a column type",
    note = "derive `orm_core::Enum` for an enum or `orm_core::ColumnType` for a newtype, wrap it in `orm_core::Json<…>` to store it as JSON, or mark the field `#[orm(skip)]`"
)]
pub trait FieldType: Sized + Send + Sync + 'static {
    /// What the column holds: the type of conditions, orders and projections.
    type Content: ColumnType;
    /// The facts that the column starts with.
    const FACTS: Facts;
    /// The state of a draft's column before it is set, as [`ColumnType::Unset`].
    type Unset<Name>;

    /// A field that holds this.
    fn holding(content: Self::Content) -> Self;
    /// What the field holds; `None` if it is not loaded.
    fn content(&self) -> Option<&Self::Content>;
    /// What the field holds, to be changed; `None` if it is not loaded.
    fn content_mut(&mut self) -> Option<&mut Self::Content>;
    /// Reads the cell at `at` of a row, or the lack of one.
    ///
    /// # Errors
    /// If the type can't hold the cell.
    fn decode(cells: &dyn Cells, at: usize) -> Result<Self, ValueError>;
    /// What the field holds when a draft left it out; `None` where it must be set.
    fn when_unset() -> Option<Blank<Self>>;
    /// The field as a value; [`Value::NotLoaded`] if it is not loaded.
    fn encode(&self) -> Value {
        self.content().map_or(Value::NotLoaded, ColumnType::encode)
    }
    /// The field without its type.
    #[doc(hidden)]
    fn __field(&self) -> &dyn ColumnField {
        self
    }
    /// The field without its type.
    #[doc(hidden)]
    fn __field_mut(&mut self) -> &mut dyn ColumnField {
        self
    }
}

/// A value that can be given for a field of type `F`: an [`Operand`] of what the field holds.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be given for a column of type `{F}`",
    label = "expected a `{F}`"
)]
pub trait FieldOperand<F> {
    /// The field that holds it.
    fn into_field(self) -> F;
}

impl<F: FieldType, V: Operand<F::Content>> FieldOperand<F> for V {
    fn into_field(self) -> F {
        F::holding(self.into_operand())
    }
}

impl<T: ColumnType> FieldType for T {
    type Content = T;
    const FACTS: Facts = <T as ColumnType>::FACTS;
    type Unset<Name> = <T as ColumnType>::Unset<Name>;

    fn holding(content: T) -> Self {
        content
    }
    fn content(&self) -> Option<&T> {
        Some(self)
    }
    fn content_mut(&mut self) -> Option<&mut T> {
        Some(self)
    }
    fn decode(cells: &dyn Cells, at: usize) -> Result<Self, ValueError> {
        <T as ColumnType>::decode(cells, at)
    }
    fn when_unset() -> Option<Blank<Self>> {
        <T as ColumnType>::when_unset()
    }
}

/// A column's field whose type isn't known statically.
#[doc(hidden)]
pub trait ColumnField: Send + Sync {
    /// The field as a value; [`Value::NotLoaded`] if it is not loaded.
    fn encode(&self) -> Value;
    /// Overwrites the field with the cell at `at` of a row, or the lack of one.
    ///
    /// # Errors
    /// If the field can't hold the cell.
    fn overwrite(&mut self, cells: &dyn Cells, at: usize) -> Result<(), ValueError>;
    /// Cuts the field to what every database can hold.
    fn normalize(&mut self);
    /// What the field holds; `None` if it is not loaded.
    fn content(&self) -> Option<&dyn Any>;
}

impl<F: FieldType> ColumnField for F {
    fn encode(&self) -> Value {
        FieldType::encode(self)
    }
    fn overwrite(&mut self, cells: &dyn Cells, at: usize) -> Result<(), ValueError> {
        *self = F::decode(cells, at)?;
        Ok(())
    }
    fn normalize(&mut self) {
        if let Some(content) = self.content_mut() {
            ColumnType::normalize(content);
        }
    }
    fn content(&self) -> Option<&dyn Any> {
        FieldType::content(self).map(|content| content as &dyn Any)
    }
}
