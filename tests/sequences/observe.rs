//! What a session shows of an object, whatever its model.

use orm_core::error::Result;
use orm_core::session::ObjectState;
use orm_core::{Handle, Session};

use crate::models::*;
use crate::tables::{Kind, Relation, Side, View};

/// A handle of any of the models.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Object {
    Team(Handle<Team>),
    Badge(Handle<Badge>),
    Person(Handle<Person>),
    Task(Handle<Task>),
    Skill(Handle<Skill>),
}

/// The same for each model.
macro_rules! each {
    ($object:expr, $handle:ident => $then:expr) => {
        match $object {
            Object::Team($handle) => $then,
            Object::Badge($handle) => $then,
            Object::Person($handle) => $then,
            Object::Task($handle) => $then,
            Object::Skill($handle) => $then,
        }
    };
}
pub(crate) use each;

/// The columns of an object in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Columns {
    pub text: char,
    pub parent: Option<i64>,
    pub version: i64,
}

/// A text column as the reference has it.
pub(crate) fn letter(text: Option<&str>) -> char {
    text.map_or('-', |text| text.chars().next().unwrap_or('?'))
}

impl Object {
    pub(crate) fn kind(self) -> Kind {
        match self {
            Self::Team(_) => Kind::Team,
            Self::Badge(_) => Kind::Badge,
            Self::Person(_) => Kind::Person,
            Self::Task(_) => Kind::Task,
            Self::Skill(_) => Kind::Skill,
        }
    }

    pub(crate) fn state(self, session: &Session) -> ObjectState {
        each!(self, handle => session.state(handle))
    }

    /// The primary key, if there is one yet.
    pub(crate) fn key(self, session: &Session) -> Option<i64> {
        each!(self, handle => session.key(handle))
    }

    /// # Errors
    /// If the object may not be read.
    pub(crate) fn columns(self, session: &Session) -> Result<Columns> {
        let columns =
            |text: &str, parent, version| Columns { text: letter(Some(text)), parent, version };
        Ok(match self {
            Self::Team(team) => columns(&session.try_get(team)?.name, None, 1),
            Self::Badge(badge) => {
                let badge = session.try_get(badge)?;
                columns(&badge.text, badge.team_id, 1)
            }
            Self::Person(person) => {
                let person = session.try_get(person)?;
                columns(&person.name, person.team_id, person.version)
            }
            Self::Task(task) => {
                let task = session.try_get(task)?;
                columns(&task.title, Some(task.person_id), 1)
            }
            Self::Skill(skill) => {
                let skill = session.try_get(skill)?;
                let text = letter(skill.code.as_deref());
                Columns { text, parent: skill.parent_id, version: 1 }
            }
        })
    }

    pub(crate) fn is_readable(self, session: &Session) -> bool {
        each!(self, handle => session.try_get(handle).is_ok())
    }

    /// The members of a view, if it may be read and is loaded.
    pub(crate) fn shown(self, session: &Session, view: View) -> Option<Vec<Self>> {
        use Relation::*;
        use Side::*;
        fn all<T: Copy>(of: Option<&[T]>, object: fn(T) -> Object) -> Option<Vec<Object>> {
            Some(of?.iter().copied().map(object).collect())
        }
        fn one<T>(of: Option<Option<T>>, object: fn(T) -> Object) -> Option<Vec<Object>> {
            Some(of?.into_iter().map(object).collect())
        }
        match (view, self) {
            ((Badge, Owner), Self::Team(team)) => {
                one(session.try_get(team).ok()?.badge.loaded(), Self::Badge)
            }
            ((Badge, Member), Self::Badge(badge)) => {
                one(session.try_get(badge).ok()?.team.loaded(), Self::Team)
            }
            ((People, Owner), Self::Team(team)) => {
                all(session.try_get(team).ok()?.people.loaded(), Self::Person)
            }
            ((People, Member), Self::Person(person)) => {
                one(session.try_get(person).ok()?.team.loaded(), Self::Team)
            }
            ((Tasks, Owner), Self::Person(person)) => {
                all(session.try_get(person).ok()?.tasks.loaded(), Self::Task)
            }
            ((Tasks, Member), Self::Task(task)) => {
                one(session.try_get(task).ok()?.person.loaded(), Self::Person)
            }
            ((Children, Owner), Self::Skill(skill)) => {
                all(session.try_get(skill).ok()?.children.loaded(), Self::Skill)
            }
            ((Children, Member), Self::Skill(skill)) => {
                one(session.try_get(skill).ok()?.parent.loaded(), Self::Skill)
            }
            ((Skills, Owner), Self::Person(person)) => {
                all(session.try_get(person).ok()?.skills.loaded(), Self::Skill)
            }
            ((Skills, Member), Self::Skill(skill)) => {
                all(session.try_get(skill).ok()?.people.loaded(), Self::Person)
            }
            _ => None,
        }
    }
}

/// The views that objects of a model have.
pub(crate) fn views_of(kind: Kind) -> Vec<View> {
    let mut views = Vec::new();
    for relation in Relation::ALL {
        let (owner, member) = relation.ends();
        views.extend((owner == kind).then_some((relation, Side::Owner)));
        views.extend((member == kind).then_some((relation, Side::Member)));
    }
    views
}
