//! From a struct with attributes to a [`Model`].

use syn::{DeriveInput, Field, Ident, Type};

use super::path::{self, Scope};
use super::{
    Base, Column, ColumnGroup, ForeignKey, Item, Kind, Model, Relationship, column, runtime,
};
use crate::attr::{
    BaseAttr, COLUMN, ColumnAttrs, CompositeKey, Group, RelationshipAttrs, TableAttrs,
};
use crate::errors::Errors;
use crate::input::{self, plain};

impl Model {
    /// The model that a struct describes; `None` if it isn't a struct that could be one.
    pub(crate) fn build(input: &DeriveInput, errors: &Errors) -> Option<Self> {
        let attrs = TableAttrs::parse(&input.attrs, errors);
        let fields = input::named_fields(input, "a model", errors)?;
        let base = match attrs.base {
            None => Base::Default,
            Some(BaseAttr::None) => Base::None,
            Some(BaseAttr::Type(base)) => Base::Custom(base),
        };
        let composite: Vec<ForeignKey> =
            attrs.foreign_keys.into_iter().map(ForeignKey::composite).collect();

        let mut columns: Vec<Column> = Vec::new();
        let mut foreign_keys = Vec::new();
        let mut skipped = Vec::new();
        let mut relationships = Vec::new();
        for (field, ident) in fields {
            if let Some((kind, target)) = input::relationship(&field.ty) {
                match Unresolved::parse(field, ident, kind, target, errors) {
                    Some(relationship) => relationships.push(relationship),
                    None => skipped.push(ident.clone()),
                }
                continue;
            }
            let column_attrs = ColumnAttrs::parse(&field.attrs, &COLUMN, errors);
            if let Some(skip) = column_attrs.given.find("skip") {
                if let Some(other) = column_attrs.given.other_than("skip") {
                    let why = format!("a skipped field is no column: remove `{other}` or `{skip}`");
                    errors.at(other, why);
                }
                skipped.push(ident.clone());
                continue;
            }
            let in_composite_key = composite.iter().any(|key| key.fields.contains(ident));
            let (column, foreign_key) =
                column::column(field, ident, column_attrs, attrs.rename_all, in_composite_key);
            columns.push(column);
            foreign_keys.extend(foreign_key);
        }
        foreign_keys.extend(composite);

        let scope = Scope {
            base: &base,
            columns: &columns,
            foreign_keys: &foreign_keys,
            skipped: &skipped,
            errors,
        };
        let relationships =
            relationships.into_iter().map(|relationship| relationship.resolve(&scope)).collect();
        Some(Self {
            table: match attrs.table {
                Some(table) => table.value(),
                None => format!("{}s", plain(&input.ident).to_lowercase()),
            },
            item: Item {
                name: input.ident.clone(),
                vis: input.vis.clone(),
                krate: runtime(attrs.krate),
            },
            schema: attrs.schema,
            comment: attrs.comment,
            base,
            columns,
            relationships,
            skipped,
            foreign_keys,
            uniques: attrs.uniques.into_iter().map(ColumnGroup::from).collect(),
            indexes: attrs.indexes.into_iter().map(ColumnGroup::from).collect(),
            checks: attrs.checks,
            hooks: attrs.given.find("hooks").cloned(),
        })
    }

    /// The column of a field.
    pub(crate) fn column(&self, field: &Ident) -> Option<&Column> {
        self.columns.iter().find(|column| column.field == *field)
    }

    /// The own columns that are the primary key; none where the base has it.
    pub(crate) fn own_key(&self) -> Vec<&Column> {
        match self.base {
            Base::Default => Vec::new(),
            _ => self.columns.iter().filter(|column| column.is_key()).collect(),
        }
    }
}

/// A relationship whose path waits until every column is known.
struct Unresolved<'a> {
    field: &'a Field,
    ident: &'a Ident,
    kind: Kind,
    target: Type,
    attrs: RelationshipAttrs,
}

impl<'a> Unresolved<'a> {
    fn parse(
        field: &'a Field,
        ident: &'a Ident,
        kind: Kind,
        target: Option<&Type>,
        errors: &Errors,
    ) -> Option<Self> {
        let attrs = RelationshipAttrs::parse(&field.attrs, errors);
        let Some(target) = target.cloned() else {
            let name = kind.name();
            errors.at(&field.ty, format!("`{name}` needs the model it leads to: `{name}<Model>`"));
            return None;
        };
        Some(Self { field, ident, kind, target, attrs })
    }

    fn resolve(mut self, scope: &Scope<'_>) -> Relationship {
        let path = path::resolve(self.ident, self.kind, &self.target, &mut self.attrs, scope);
        Relationship {
            field: self.ident.clone(),
            vis: self.field.vis.clone(),
            ty: self.field.ty.clone(),
            kind: self.kind,
            target: self.target,
            path,
            back_populates: self.attrs.back_populates,
            strategy: self.attrs.lazy,
            cascades: self.attrs.cascade,
            never_deletes: self.attrs.never_deletes,
            order_by: self.attrs.order_by,
            given: self.attrs.given,
        }
    }
}

impl ForeignKey {
    fn composite(key: CompositeKey) -> Self {
        // The parser has seen to it that there is at least one, all of one model.
        let model = key.references[0].model.clone();
        let references = key.references.into_iter().map(|column| column.field).collect();
        Self { fields: key.fields, model, references, actions: key.actions }
    }
}

impl From<Group> for ColumnGroup {
    fn from(group: Group) -> Self {
        Self { fields: group.fields, name: group.name }
    }
}
