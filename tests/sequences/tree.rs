//! What `merge` is given: as a sequence has it, and as a draft of it is made.

use std::fmt;

use crate::observe::{Object, views_of};
use crate::operation::{Pick, is_scalar, path, plural};
use crate::tables::{Id, Kind, View, inverse};

/// A draft and the members that it is given, whatever its model: which of the model's relationships
/// they are given to is chosen by a number too.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Tree {
    pub key: Key,
    pub text: Option<char>,
    pub members: Vec<(Pick, Vec<Branch>)>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Branch {
    /// An object of the session.
    Known(Pick),
    New(Tree),
}

/// The key that a draft is given. Inside another draft only models whose key is a column of their
/// own can be given one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Key {
    None,
    /// That of a row, or of an object that was added with one.
    Known(Pick),
    /// That of a row which is gone.
    Gone(Pick),
    Fresh,
}

impl Tree {
    /// Its members, by the views of a model to which they are given: each view once, not the one
    /// that leads back to where the draft is a member itself.
    pub(crate) fn members_of(&self, kind: Kind, via: Option<View>) -> Vec<(View, &[Branch])> {
        let mut views = views_of(kind);
        views.retain(|view| via.is_none_or(|via| *view != inverse(via)));
        let mut given: Vec<(View, &[Branch])> = Vec::new();
        for (pick, members) in &self.members {
            let Some(&view) = views.get(usize::from(*pick) % views.len().max(1)) else { break };
            let members = if is_scalar(view) { &members[..members.len().min(1)] } else { members };
            let is_given = given.iter().any(|(other, _)| *other == view);
            if !(is_given || members.is_empty() && is_scalar(view)) {
                given.push((view, members));
            }
        }
        given
    }

    /// Writes the draft as code.
    pub(crate) fn show(
        &self,
        kind: Kind,
        via: Option<View>,
        f: &mut fmt::Formatter<'_>,
    ) -> fmt::Result {
        write!(f, "{kind:?}::draft()")?;
        if self.key != Key::None {
            write!(f, " key {:?}", self.key)?;
        }
        if let Some(text) = self.text {
            write!(f, " {text:?}")?;
        }
        for (view, members) in self.members_of(kind, via) {
            let to = crate::operation::ends(view).1;
            write!(f, " {}: [", path(view))?;
            for member in members {
                match member {
                    Branch::Known(pick) => write!(f, "{}[{pick}], ", plural(to))?,
                    Branch::New(tree) => {
                        tree.show(to, Some(view), f)?;
                        write!(f, ", ")?;
                    }
                }
            }
            write!(f, "]")?;
        }
        Ok(())
    }
}

/// A draft as it is made of a tree, with the objects that it is given.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    pub kind: Kind,
    pub key: Option<i64>,
    pub text: Option<char>,
    pub members: Vec<(View, Vec<Member>)>,
}

#[derive(Clone)]
pub(crate) enum Member {
    Known(Id, Object),
    New(Draft),
}

impl fmt::Debug for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(id, _) => write!(f, "#{id}"),
            Self::New(draft) => write!(f, "{draft:?}"),
        }
    }
}

impl Draft {
    /// Whether it can be added: only a skill's text is nullable.
    pub(crate) fn is_complete(&self) -> bool {
        self.text.is_some() || self.kind == Kind::Skill
    }
}
