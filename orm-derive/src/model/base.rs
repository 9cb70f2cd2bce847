//! A struct of base columns.

use syn::{DeriveInput, Ident};

use super::{Column, Item, column, runtime};
use crate::attr::{BASE_COLUMN, BaseStructAttrs, ColumnAttrs};
use crate::errors::Errors;
use crate::input;

/// A base.
pub(crate) struct BaseModel {
    pub(crate) item: Item,
    pub(crate) columns: Vec<Column>,
    /// Fields that can't be columns, which is a mistake that is reported.
    pub(crate) others: Vec<Ident>,
}

impl BaseModel {
    /// The base that a struct describes; `None` if it isn't a struct that could be one.
    pub(crate) fn build(input: &DeriveInput, errors: &Errors) -> Option<Self> {
        let attrs = BaseStructAttrs::parse(&input.attrs, errors);
        let mut columns = Vec::new();
        let mut others = Vec::new();
        for (field, ident) in input::named_fields(input, "a base", errors)? {
            let column_attrs = ColumnAttrs::parse(&field.attrs, &BASE_COLUMN, errors);
            if let Some((kind, _)) = input::relationship(&field.ty) {
                let why = format!("a base has columns only: move the `{}` to a model", kind.name());
                errors.at(&field.ty, why);
                others.push(ident.clone());
                continue;
            }
            columns.push(column::column(field, ident, column_attrs, attrs.rename_all, false).0);
        }
        let (name, vis) = (input.ident.clone(), input.vis.clone());
        Some(Self { item: Item { name, vis, krate: runtime(attrs.krate) }, columns, others })
    }

    /// The columns that are the primary key.
    pub(crate) fn key(&self) -> Vec<&Column> {
        self.columns.iter().filter(|column| column.is_key()).collect()
    }
}
