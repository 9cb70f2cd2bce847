//! Drafts of any model, and `merge` of them.

use orm_core::error::Result;
use orm_core::session::{Member as Given, New};
use orm_core::{Engine, Session};

use super::{MISFIT, code};
use crate::models::*;
use crate::observe::Object;
use crate::tables::{Kind, Relation, Side};
use crate::tree::{Draft, Member};

use Relation::{Badge as OfBadge, Children, People, Skills, Tasks};
use Side::{Member as OfMember, Owner};

/// A draft given its members, by relationship.
macro_rules! given {
    ($draft:expr, $node:expr, $($view:pat => $how:ident $relation:ident($member:ident)),+) => {{
        let mut draft = $draft;
        for (view, members) in &$node.members {
            draft = match view {
                $($view => given!(@$how draft, $relation, members, $member),)+
                _ => unreachable!("{MISFIT}"),
            };
        }
        draft
    }};
    (@all $draft:ident, $relation:ident, $members:ident, $member:ident) => {
        $draft.$relation($members.iter().map($member))
    };
    (@one $draft:ident, $relation:ident, $members:ident, $member:ident) => {
        match $members.first() {
            Some(member) => $draft.$relation($member(member)),
            None => $draft,
        }
    };
}

macro_rules! team {
    ($draft:expr, $node:expr) => {
        given!($draft, $node,
            (OfBadge, Owner) => one badge(badge),
            (People, Owner) => all people(person))
    };
}

macro_rules! badge {
    ($draft:expr, $node:expr) => {
        given!($draft, $node, (OfBadge, OfMember) => one team(team))
    };
}

macro_rules! person {
    ($draft:expr, $node:expr) => {
        given!($draft, $node,
            (People, OfMember) => one team(team),
            (Tasks, Owner) => all tasks(task),
            (Skills, Owner) => all skills(skill))
    };
}

macro_rules! task {
    ($draft:expr, $node:expr) => {{
        let draft = $draft;
        let draft = match $node.key {
            Some(key) => draft.id(key),
            None => draft,
        };
        given!(draft, $node, (Tasks, OfMember) => one person(person))
    }};
}

macro_rules! skill {
    ($node:expr) => {{
        let draft = Skill::draft();
        let draft = match $node.key {
            Some(key) => draft.id(key),
            None => draft,
        };
        let draft = match $node.text {
            Some(text) => draft.code(code(text)),
            None => draft,
        };
        given!(draft, $node,
            (Children, Owner) => all children(skill),
            (Children, OfMember) => one parent(skill),
            (Skills, OfMember) => all people(person))
    }};
}

/// What makes a member of each model: an object of the session, or a finished draft.
macro_rules! members {
    ($($name:ident $model:ident: |$node:ident, $text:ident| $draft:expr;)+) => {$(
        fn $name(member: &Member) -> Given<$model> {
            match member {
                Member::Known(_, Object::$model(handle)) => (*handle).into(),
                Member::Known(..) => unreachable!("{MISFIT}"),
                Member::New($node) => {
                    let $text = $node.text.unwrap_or('x').to_string();
                    let new: New<$model> = $draft.into();
                    new.into()
                }
            }
        }
    )+};
}

members! {
    team Team: |node, text| team!(Team::draft().name(text), node);
    badge Badge: |node, text| badge!(Badge::draft().text(text), node);
    person Person: |node, text| person!(Person::draft().name(text), node);
    task Task: |node, text| task!(Task::draft().title(text), node);
    skill Skill: |node, _text| skill!(node);
}

/// # Errors
/// Those of `merge`.
pub(crate) async fn merge(session: &mut Session, draft: &Draft) -> Result<Object> {
    /// A draft of a model whose key is a column of the base.
    macro_rules! based {
        ($model:ident, $members:ident, $text:ident) => {{
            let new = $model::draft;
            let text = draft.text.map(String::from);
            Object::$model(match (draft.key, text) {
                (Some(key), Some(text)) => {
                    session.merge((key, $members!(new().$text(text), draft))).await?
                }
                (Some(key), None) => session.merge((key, $members!(new(), draft))).await?,
                (None, Some(text)) => session.merge($members!(new().$text(text), draft)).await?,
                (None, None) => session.merge($members!(new(), draft)).await?,
            })
        }};
    }
    Ok(match draft.kind {
        Kind::Team => based!(Team, team, name),
        Kind::Badge => based!(Badge, badge, text),
        Kind::Person => based!(Person, person, name),
        Kind::Task => Object::Task(match draft.text.map(String::from) {
            Some(title) => session.merge(task!(Task::draft().title(title), draft)).await?,
            None => session.merge(task!(Task::draft(), draft)).await?,
        }),
        Kind::Skill => Object::Skill(session.merge(skill!(draft)).await?),
    })
}

/// A row as it is committed, read without a session and given another text.
///
/// # Errors
/// Those of the query, and those of `merge` inside.
pub(crate) async fn merge_row(
    session: &mut Session,
    engine: &Engine,
    kind: Kind,
    key: i64,
    text: Option<char>,
) -> Result<Result<Object>> {
    macro_rules! merge {
        ($model:ident, $column:ident, $value:expr) => {{
            let rows = $model::select().filter($model::id.eq(key));
            let mut row = rows.on(engine).one().await?;
            if let Some(text) = text {
                row.$column = $value(text);
            }
            session.merge(row).await.map(Object::$model)
        }};
    }
    Ok(match kind {
        Kind::Team => merge!(Team, name, String::from),
        Kind::Badge => merge!(Badge, text, String::from),
        Kind::Person => merge!(Person, name, String::from),
        Kind::Task => merge!(Task, title, String::from),
        Kind::Skill => merge!(Skill, code, code),
    })
}
