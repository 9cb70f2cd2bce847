//! What can be done, as values that print as the code that does it.

use std::fmt;

use crate::tables::{Kind, Relation, Side, View};
use crate::tree::Tree;

/// Chooses one of the objects that an operation fits, whatever their number: a sequence from
/// which steps are taken is still one.
pub(crate) type Pick = u8;

#[derive(Clone, PartialEq)]
pub(crate) enum Operation {
    Add(Kind, char),
    /// Adds a member to an owner.
    AddTo(Relation, Pick, char),
    Write(Kind, Pick, char),
    /// Puts a member into a view, from the view's side.
    Put(View, Pick, Pick),
    TakeOut(View, Pick, Pick),
    Replace(View, Pick, Vec<Pick>),
    /// Assigns the field, and flushes.
    Assign(View, Pick, Vec<Pick>),
    Delete(Kind, Pick),
    Expunge(Kind, Pick),
    Expire(Kind, Pick),
    ExpireAll,
    Refresh(Kind, Pick),
    Get(Kind, Pick),
    Load(View, Pick),
    Find(Kind, char, How),
    FindWith(View, bool),
    /// Merges a draft and its members.
    Merge(Kind, Tree),
    /// Merges a row as it is committed, with another text.
    MergeRow(Kind, Pick, Option<char>),
    /// Finds skills by their codes, and adds those that are missing.
    FindOrAdd(Vec<char>),
    /// Gives another text to all rows that have this one.
    Update(Kind, char, char),
    DeleteAll(Kind, char),
    Autoflush(bool),
    Flush,
    Commit,
    Rollback,
    /// Commits, and goes on in a new session.
    Forget,
    Savepoint,
    /// Ends the innermost savepoint.
    End(End),
    /// Uses a handle whose object is gone.
    UseGone(Pick),
}

/// What a query does with objects that it meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    /// Leaves them as they are.
    Plain,
    /// `populate_existing`: discards their changes and fills them again.
    Again,
    /// `for_update`: locks their rows, and fills those again that have no changes.
    Locked,
}

/// How a savepoint ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Commit,
    Rollback,
    /// Its guard is dropped, which undoes it.
    Drop,
}

/// The name of a model's objects.
pub(crate) fn plural(kind: Kind) -> &'static str {
    match kind {
        Kind::Team => "teams",
        Kind::Badge => "badges",
        Kind::Person => "people",
        Kind::Task => "tasks",
        Kind::Skill => "skills",
    }
}

/// How a view is called in code.
pub(crate) fn path((relation, side): View) -> &'static str {
    match (relation, side) {
        (Relation::Badge, Side::Owner) => "Team::badge",
        (Relation::Badge, Side::Member) => "Badge::team",
        (Relation::People, Side::Owner) => "Team::people",
        (Relation::People, Side::Member) => "Person::team",
        (Relation::Tasks, Side::Owner) => "Person::tasks",
        (Relation::Tasks, Side::Member) => "Task::person",
        (Relation::Children, Side::Owner) => "Skill::children",
        (Relation::Children, Side::Member) => "Skill::parent",
        (Relation::Skills, Side::Owner) => "Person::skills",
        (Relation::Skills, Side::Member) => "Skill::people",
    }
}

/// The models of a view's owner and of its members.
pub(crate) fn ends((relation, side): View) -> (Kind, Kind) {
    let (owner, member) = relation.ends();
    match side {
        Side::Owner => (owner, member),
        Side::Member => (member, owner),
    }
}

/// Whether a view has one member at most.
pub(crate) fn is_scalar((relation, side): View) -> bool {
    relation == Relation::Badge || (side == Side::Member && relation != Relation::Skills)
}

/// How a query says what it does with objects that it meets.
pub(crate) fn suffix(how: How) -> &'static str {
    match how {
        How::Plain => "",
        How::Again => ".populate_existing()",
        How::Locked => ".for_update()",
    }
}

fn pick(kind: Kind, pick: Pick) -> String {
    format!("{}[{pick}]", plural(kind))
}

fn picks(kind: Kind, members: &[Pick]) -> String {
    let members: Vec<String> = members.iter().map(|member| pick(kind, *member)).collect();
    format!("[{}]", members.join(", "))
}

impl fmt::Debug for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = |f: &mut fmt::Formatter<'_>, name: &str, view: View, a: Pick, b: String| {
            write!(f, "session.{name}({}, {}, {b})", pick(ends(view).0, a), path(view))
        };
        match self {
            Self::Add(kind, text) => write!(f, "session.add({kind:?}::draft() {text:?})"),
            Self::AddTo(relation, owner, text) => {
                let member = format!("{:?}::draft() {text:?}", relation.ends().1);
                verb(f, "push", (*relation, Side::Owner), *owner, member)
            }
            Self::Write(kind, object, text) => {
                write!(f, "session[{}] = {text:?}", pick(*kind, *object))
            }
            Self::Put(view, a, b) => verb(f, "put", *view, *a, pick(ends(*view).1, *b)),
            Self::TakeOut(view, a, b) => verb(f, "remove", *view, *a, pick(ends(*view).1, *b)),
            Self::Replace(view, a, b) => verb(f, "replace", *view, *a, picks(ends(*view).1, b)),
            Self::Assign(view, a, b) => {
                let (owner, member) = (pick(ends(*view).0, *a), picks(ends(*view).1, b));
                write!(f, "session[{owner}] {} = {member}; session.flush()", path(*view))
            }
            Self::Delete(kind, object) => write!(f, "session.delete({})", pick(*kind, *object)),
            Self::Expunge(kind, object) => write!(f, "session.expunge({})", pick(*kind, *object)),
            Self::Expire(kind, object) => write!(f, "session.expire({})", pick(*kind, *object)),
            Self::ExpireAll => write!(f, "session.expire_all()"),
            Self::Refresh(kind, object) => write!(f, "session.refresh({})", pick(*kind, *object)),
            Self::Get(kind, row) => write!(f, "session.get({})", pick(*kind, *row)),
            Self::Load(view, owner) => {
                write!(f, "{}({})", path(*view), pick(ends(*view).0, *owner))
            }
            Self::Find(kind, text, how) => {
                write!(f, "{kind:?}::select().filter({text:?}){}", suffix(*how))
            }
            Self::FindWith(view, joined) => {
                let how = if *joined { ".joined()" } else { "" };
                write!(f, "{:?}::select().with({}{how})", ends(*view).0, path(*view))
            }
            Self::Merge(kind, tree) => {
                write!(f, "session.merge(")?;
                tree.show(*kind, None, f)?;
                write!(f, ")")
            }
            Self::MergeRow(kind, row, text) => {
                write!(f, "session.merge({} as committed, {text:?})", pick(*kind, *row))
            }
            Self::FindOrAdd(codes) => write!(f, "session.find_or_add(Skill::code, {codes:?})"),
            Self::Update(kind, from, to) => {
                write!(f, "{kind:?}::update().set({to:?}).filter({from:?})")
            }
            Self::DeleteAll(kind, text) => write!(f, "{kind:?}::delete().filter({text:?})"),
            Self::Autoflush(on) => write!(f, "session.autoflush({on})"),
            Self::Flush => write!(f, "session.flush()"),
            Self::Commit => write!(f, "session.commit()"),
            Self::Rollback => write!(f, "session.rollback()"),
            Self::Forget => write!(f, "session.commit(); session = sessions.session()"),
            Self::Savepoint => write!(f, "savepoint = session.savepoint()"),
            Self::End(End::Commit) => write!(f, "savepoint.commit()"),
            Self::End(End::Rollback) => write!(f, "savepoint.rollback()"),
            Self::End(End::Drop) => write!(f, "drop(savepoint)"),
            Self::UseGone(handle) => write!(f, "session[gone[{handle}]]"),
        }
    }
}
