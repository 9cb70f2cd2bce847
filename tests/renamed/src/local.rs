//! Models inside functions, and models that macros write.

use ::orm::{BelongsTo, HasMany, Model, View};
use ::std::string::String;
use ::std::vec::Vec;

/// Two models that only this function knows.
pub(crate) fn in_a_function(session: &mut ::orm::Session) {
    #[derive(Debug, Model)]
    #[orm(crate = ::orm)]
    struct Node {
        name: String,
        #[orm(foreign_key = Node)]
        parent_id: ::std::option::Option<i64>,
        #[orm(back_populates = children)]
        parent: BelongsTo<Self>,
        #[orm(back_populates = parent)]
        children: HasMany<Self>,
    }

    #[derive(Debug, View)]
    #[orm(crate = ::orm, of = Node)]
    struct Tree {
        name: String,
        children: Vec<Self>,
    }

    let child = Node::draft().name("b");
    let root = session.add(Node::draft().name("a").children([child]));
    session[root].parent_id = ::std::option::Option::None;
    let _ = Node::select().view::<Tree>();
    let _ = |tree: Tree| (tree.name, tree.children);
    super::elsewhere::keep(session, "x");
}

/// A model whose parts come from the caller of a macro, and whose other parts from the macro.
macro_rules! model {
    ($name:ident { $($field:ident: $type:ty),* } -> $target:ty) => {
        /// A model written by a macro.
        #[derive(Debug, Model)]
        #[orm(crate = ::orm)]
        struct $name {
            $($field: $type,)*
            #[orm(foreign_key = Target)]
            target_id: i64,
            target: BelongsTo<$target>,
        }

        /// A view written by a macro.
        #[derive(Debug, View)]
        #[orm(crate = ::orm, of = $name)]
        struct Shown {
            $($field: $type,)*
            target_id: i64,
        }
    };
}

/// What the model leads to.
#[derive(Debug, Model)]
#[orm(crate = ::orm)]
struct Target {
    name: String,
}

model!(Written { name: String, model: i64, unset: ::std::option::Option<String> } -> Target);

/// Uses what the macro wrote.
pub(crate) fn by_a_macro(session: &mut ::orm::Session) {
    in_a_function(session);
    let target = Target::draft().name("x");
    session.add(Written::draft().name("a").model(1).target(target));
    let _ = Written::select().view::<Shown>();
    let _ = |shown: Shown| (shown.name, shown.model, shown.unset, shown.target_id);
}

const _: fn(&mut ::orm::Session) = by_a_macro;
