//! Paths that name models and their columns.

use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{Error, Ident, Path, Result};

use crate::input::spelled;

/// A column of a model: `Post::user_id`.
#[derive(Clone)]
pub(crate) struct ColumnRef {
    pub(crate) model: Path,
    pub(crate) field: Ident,
}

/// What a foreign key references: a model, by its primary key, or one of its columns.
pub(crate) enum Referenced {
    Model(Path),
    Column(ColumnRef),
}

impl Referenced {
    /// A path whose last segment starts in lower case, and isn't the only one, is a column's.
    pub(super) fn parse(input: ParseStream) -> Result<Self> {
        let mut path = input.call(Path::parse_mod_style)?;
        let is_column = path.segments.len() > 1
            && path.segments.last().is_some_and(|last| {
                last.ident.unraw().to_string().starts_with(|c: char| c.is_lowercase() || c == '_')
            });
        if !is_column {
            return Ok(Self::Model(path));
        }
        match path.segments.pop() {
            Some(last) => {
                path.segments.pop_punct();
                Ok(Self::Column(ColumnRef { model: path, field: last.ident }))
            }
            None => Err(input.error("expected a model")),
        }
    }
}

impl ColumnRef {
    pub(super) fn parse(input: ParseStream) -> Result<Self> {
        match Referenced::parse(input)? {
            Referenced::Column(column) => Ok(column),
            Referenced::Model(path) => Err(Error::new_spanned(
                &path,
                format!("expected a column, as in `{}::column`", spelled(&path)),
            )),
        }
    }

    /// The model that all of these are columns of.
    pub(super) fn common_model(columns: &[Self]) -> Result<&Path> {
        let first = &columns[0].model;
        match columns.iter().find(|column| spelled(&column.model) != spelled(first)) {
            None => Ok(first),
            Some(other) => Err(Error::new_spanned(
                &other.model,
                format!("expected a column of `{}`, as the first is", spelled(first)),
            )),
        }
    }
}
