//! Rows and pairs as plain maps: what the tables of [`models`](crate::models) hold.

use std::collections::{BTreeMap, BTreeSet};

/// Names an object, and its row once it has one, for as long as a sequence runs.
pub(crate) type Id = usize;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Kind {
    Team,
    Badge,
    Person,
    Task,
    Skill,
}

/// A relationship. Its owner is the side without the foreign key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Relation {
    /// A team's badge.
    Badge,
    /// A team's people.
    People,
    /// A person's tasks.
    Tasks,
    /// A skill's children.
    Children,
    /// A person's skills, in pairs.
    Skills,
}

/// From which side a relationship is seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Side {
    Owner,
    Member,
}

/// A relationship as one of its sides shows it.
pub(crate) type View = (Relation, Side);

use Kind::*;
use Side::*;

impl Kind {
    pub(crate) const ALL: [Self; 5] = [Team, Badge, Person, Task, Skill];

    /// A text that its rows can have: only a skill's is nullable.
    pub(crate) fn text(self, text: char) -> char {
        if self != Skill && text == '-' { 'x' } else { text }
    }

    /// The relationship that the foreign key of its rows belongs to.
    pub(crate) fn link(self) -> Option<Relation> {
        match self {
            Team => None,
            Badge => Some(Relation::Badge),
            Person => Some(Relation::People),
            Task => Some(Relation::Tasks),
            Skill => Some(Relation::Children),
        }
    }
}

impl Relation {
    pub(crate) const ALL: [Self; 5] =
        [Self::Badge, Self::People, Self::Tasks, Self::Children, Self::Skills];

    /// The models that it leads from and to.
    pub(crate) fn ends(self) -> (Kind, Kind) {
        match self {
            Self::Badge => (Team, Badge),
            Self::People => (Team, Person),
            Self::Tasks => (Person, Task),
            Self::Children => (Skill, Skill),
            Self::Skills => (Person, Skill),
        }
    }

    /// `cascade = "all"`: members follow their owner when it is deleted, expired or expunged.
    pub(crate) fn cascades(self) -> bool {
        matches!(self, Self::Tasks | Self::Children)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub kind: Kind,
    /// Its only text; `-` is NULL.
    pub text: char,
    /// Where its foreign key leads.
    pub parent: Option<Id>,
    /// People count their updates.
    pub version: i64,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tables {
    pub rows: BTreeMap<Id, Row>,
    /// People and their skills.
    pub pairs: BTreeSet<(Id, Id)>,
}

impl Tables {
    pub(crate) fn parent(&self, id: Id) -> Option<Id> {
        self.rows.get(&id)?.parent
    }

    pub(crate) fn children(&self, relation: Relation, parent: Id) -> Vec<Id> {
        let is_child = |row: &Row| row.parent == Some(parent) && row.kind == relation.ends().1;
        self.rows.iter().filter(|(_, row)| is_child(row)).map(|(id, _)| *id).collect()
    }

    /// The members of a view.
    pub(crate) fn members(&self, id: Id, (relation, side): View) -> BTreeSet<Id> {
        match (relation, side) {
            (Relation::Skills, Owner) => {
                self.pairs.iter().filter(|pair| pair.0 == id).map(|pair| pair.1).collect()
            }
            (Relation::Skills, Member) => {
                self.pairs.iter().filter(|pair| pair.1 == id).map(|pair| pair.0).collect()
            }
            (_, Owner) => self.children(relation, id).into_iter().collect(),
            (_, Member) => self.parent(id).into_iter().collect(),
        }
    }

    pub(crate) fn remove(&mut self, id: Id) {
        self.rows.remove(&id);
        self.pairs.retain(|pair| !concerns(*pair, id));
    }
}

pub(crate) fn concerns(pair: (Id, Id), id: Id) -> bool {
    pair.0 == id || pair.1 == id
}

/// The two sides of a pair, one of which is seen as the owner of a view.
pub(crate) fn pair_of(side: Side, owner: Id, member: Id) -> (Id, Id) {
    match side {
        Owner => (owner, member),
        Member => (member, owner),
    }
}

/// The view of a view's members that shows their owners.
pub(crate) fn inverse((relation, side): View) -> View {
    (relation, other(side))
}

/// The side opposite.
pub(crate) fn other(side: Side) -> Side {
    match side {
        Owner => Member,
        Member => Owner,
    }
}
