//! The session's verbs, whatever the model.

pub(crate) mod bulk;
pub(crate) mod merge;

use orm_core::Session;
use orm_core::error::Result;

use crate::models::*;
use crate::observe::Object;
use crate::operation::How;
use crate::tables::{Kind, Relation, Side, View};

use Relation::{Badge as OfBadge, Children, People, Skills, Tasks};
use Side::{Member, Owner};

fn code(text: char) -> Option<String> {
    (text != '-').then(|| text.to_string())
}

pub(crate) fn add(session: &mut Session, kind: Kind, text: char) -> Object {
    match kind {
        Kind::Team => Object::Team(session.add(Team::draft().name(text.to_string()))),
        Kind::Badge => Object::Badge(session.add(Badge::draft().text(text.to_string()))),
        Kind::Person => Object::Person(session.add(Person::draft().name(text.to_string()))),
        Kind::Task => Object::Task(session.add(Task::draft().title(text.to_string()))),
        Kind::Skill => Object::Skill(session.add(Skill::draft().code(code(text)))),
    }
}

/// # Errors
/// If the object may not be edited.
pub(crate) fn write(session: &mut Session, object: Object, text: char) -> Result<()> {
    match object {
        Object::Team(team) => session.try_get_mut(team)?.name = text.to_string(),
        Object::Badge(badge) => session.try_get_mut(badge)?.text = text.to_string(),
        Object::Person(person) => session.try_get_mut(person)?.name = text.to_string(),
        Object::Task(task) => session.try_get_mut(task)?.title = text.to_string(),
        Object::Skill(skill) => session.try_get_mut(skill)?.code = code(text),
    }
    Ok(())
}

const MISFIT: &str = "an operation chooses objects that fit its relationship";

pub(crate) fn put(session: &mut Session, owner: Object, view: View, member: Object) {
    use Object as O;
    match (view, owner, member) {
        ((OfBadge, Owner), O::Team(team), O::Badge(badge)) => team.badge(session).set(badge),
        ((OfBadge, Member), O::Badge(badge), O::Team(team)) => badge.team(session).set(team),
        ((People, Owner), O::Team(t), O::Person(p)) => session.push(t, Team::people, p),
        ((People, Member), O::Person(p), O::Team(t)) => session.set_one(p, Person::team, t),
        ((Tasks, Owner), O::Person(p), O::Task(t)) => session.push(p, Person::tasks, t),
        ((Tasks, Member), O::Task(t), O::Person(p)) => session.set_one(t, Task::person, p),
        ((Children, Owner), O::Skill(s), O::Skill(c)) => session.push(s, Skill::children, c),
        ((Children, Member), O::Skill(c), O::Skill(s)) => session.set_one(c, Skill::parent, s),
        ((Skills, Owner), O::Person(p), O::Skill(s)) => session.link(p, Person::skills, s),
        ((Skills, Member), O::Skill(s), O::Person(p)) => session.link(s, Skill::people, p),
        _ => unreachable!("{MISFIT}"),
    }
}

/// Adds a member: by its draft, where the collection shows it and so tells its handle.
pub(crate) fn put_new(
    session: &mut Session,
    owner: Object,
    relation: Relation,
    text: char,
) -> Object {
    let view = (relation, Owner);
    if let (Relation::Tasks, Object::Person(person)) = (relation, owner)
        && owner.shown(session, view).is_some()
    {
        person.tasks(session).push(Task::draft().title(text.to_string()));
        let shown = owner.shown(session, view).unwrap_or_default();
        return *shown.last().expect("a loaded collection shows what was pushed");
    }
    let member = add(session, relation.ends().1, text);
    put(session, owner, view, member);
    member
}

pub(crate) fn take_out(session: &mut Session, owner: Object, view: View, member: Object) {
    use Object as O;
    match (view, owner, member) {
        ((OfBadge, Owner), O::Team(t), O::Badge(b)) => session.remove(t, Team::badge, b),
        ((OfBadge, Member), O::Badge(b), O::Team(t)) => session.remove(b, Badge::team, t),
        ((People, Owner), O::Team(t), O::Person(p)) => session.remove(t, Team::people, p),
        ((People, Member), O::Person(p), O::Team(t)) => session.remove(p, Person::team, t),
        ((Tasks, Owner), O::Person(p), O::Task(t)) => session.remove(p, Person::tasks, t),
        ((Tasks, Member), O::Task(t), O::Person(p)) => session.remove(t, Task::person, p),
        ((Children, Owner), O::Skill(s), O::Skill(c)) => session.remove(s, Skill::children, c),
        ((Children, Member), O::Skill(c), O::Skill(s)) => session.remove(c, Skill::parent, s),
        ((Skills, Owner), O::Person(p), O::Skill(s)) => session.unlink(p, Person::skills, s),
        ((Skills, Member), O::Skill(s), O::Person(p)) => session.unlink(s, Skill::people, p),
        _ => unreachable!("{MISFIT}"),
    }
}

/// The handles of one model.
macro_rules! handles {
    ($members:expr, $kind:ident) => {
        $members.iter().filter_map(|member| match member {
            Object::$kind(handle) => Some(*handle),
            _ => None,
        })
    };
}

pub(crate) fn replace(session: &mut Session, owner: Object, view: View, members: &[Object]) {
    use Object as O;
    match (view, owner) {
        ((OfBadge, Owner), O::Team(team)) => {
            session.set_one(team, Team::badge, handles!(members, Badge).next());
        }
        ((OfBadge, Member), O::Badge(badge)) => {
            session.set_one(badge, Badge::team, handles!(members, Team).next());
        }
        ((People, Owner), O::Team(team)) => {
            session.replace(team, Team::people, handles!(members, Person));
        }
        ((People, Member), O::Person(person)) => {
            session.set_one(person, Person::team, handles!(members, Team).next());
        }
        ((Tasks, Owner), O::Person(person)) => {
            session.replace(person, Person::tasks, handles!(members, Task));
        }
        ((Tasks, Member), O::Task(task)) => {
            session.set_one(task, Task::person, handles!(members, Person).next());
        }
        ((Children, Owner), O::Skill(skill)) => {
            session.replace(skill, Skill::children, handles!(members, Skill));
        }
        ((Children, Member), O::Skill(skill)) => {
            session.set_one(skill, Skill::parent, handles!(members, Skill).next());
        }
        ((Skills, Owner), O::Person(person)) => {
            session.replace(person, Person::skills, handles!(members, Skill));
        }
        ((Skills, Member), O::Skill(skill)) => {
            session.replace(skill, Skill::people, handles!(members, Person));
        }
        _ => unreachable!("{MISFIT}"),
    }
}

/// Assigns the relationship's field, which counts as a replacement at the next flush.
///
/// # Errors
/// If the object may not be edited.
pub(crate) fn assign(
    session: &mut Session,
    owner: Object,
    view: View,
    members: &[Object],
) -> Result<()> {
    use Object as O;
    match (view, owner) {
        ((OfBadge, Owner), O::Team(team)) => {
            session.try_get_mut(team)?.badge = handles!(members, Badge).next().into();
        }
        ((OfBadge, Member), O::Badge(badge)) => {
            session.try_get_mut(badge)?.team = handles!(members, Team).next().into();
        }
        ((People, Owner), O::Team(team)) => {
            session.try_get_mut(team)?.people = handles!(members, Person).into();
        }
        ((People, Member), O::Person(person)) => {
            session.try_get_mut(person)?.team = handles!(members, Team).next().into();
        }
        ((Tasks, Owner), O::Person(person)) => {
            session.try_get_mut(person)?.tasks = handles!(members, Task).into();
        }
        ((Tasks, Member), O::Task(task)) => {
            session.try_get_mut(task)?.person = handles!(members, Person).next().into();
        }
        ((Children, Owner), O::Skill(skill)) => {
            session.try_get_mut(skill)?.children = handles!(members, Skill).into();
        }
        ((Children, Member), O::Skill(skill)) => {
            session.try_get_mut(skill)?.parent = handles!(members, Skill).next().into();
        }
        ((Skills, Owner), O::Person(person)) => {
            session.try_get_mut(person)?.skills = handles!(members, Skill).into();
        }
        ((Skills, Member), O::Skill(skill)) => {
            session.try_get_mut(skill)?.people = handles!(members, Person).into();
        }
        _ => unreachable!("{MISFIT}"),
    }
    Ok(())
}

/// # Errors
/// Those of a lazy load.
pub(crate) async fn load(session: &mut Session, owner: Object, view: View) -> Result<Vec<Object>> {
    use Object as O;
    fn all<T>(of: Vec<T>, object: fn(T) -> Object) -> Vec<Object> {
        of.into_iter().map(object).collect()
    }
    fn one<T>(of: Option<T>, object: fn(T) -> Object) -> Vec<Object> {
        of.into_iter().map(object).collect()
    }
    Ok(match (view, owner) {
        ((OfBadge, Owner), O::Team(team)) => one(team.badge(session).await?, O::Badge),
        ((OfBadge, Member), O::Badge(badge)) => one(badge.team(session).await?, O::Team),
        ((People, Owner), O::Team(team)) => all(team.people(session).await?, O::Person),
        ((People, Member), O::Person(person)) => one(person.team(session).await?, O::Team),
        ((Tasks, Owner), O::Person(person)) => all(person.tasks(session).await?, O::Task),
        ((Tasks, Member), O::Task(task)) => vec![O::Person(task.person(session).await?)],
        ((Children, Owner), O::Skill(skill)) => all(skill.children(session).await?, O::Skill),
        ((Children, Member), O::Skill(skill)) => one(skill.parent(session).await?, O::Skill),
        ((Skills, Owner), O::Person(person)) => all(person.skills(session).await?, O::Skill),
        ((Skills, Member), O::Skill(skill)) => all(skill.people(session).await?, O::Person),
        _ => unreachable!("{MISFIT}"),
    })
}

/// # Errors
/// Those of `get`.
pub(crate) async fn get(session: &mut Session, kind: Kind, key: i64) -> Result<Option<Object>> {
    Ok(match kind {
        Kind::Team => session.get::<Team>(key).await?.map(Object::Team),
        Kind::Badge => session.get::<Badge>(key).await?.map(Object::Badge),
        Kind::Person => session.get::<Person>(key).await?.map(Object::Person),
        Kind::Task => session.get::<Task>(key).await?.map(Object::Task),
        Kind::Skill => session.get::<Skill>(key).await?.map(Object::Skill),
    })
}

/// The objects with this text.
///
/// # Errors
/// Those of a query.
pub(crate) async fn find(
    session: &mut Session,
    kind: Kind,
    text: char,
    how: How,
) -> Result<Vec<Object>> {
    macro_rules! find {
        ($model:ident, $column:ident, $value:expr) => {{
            let select = $model::select().filter($model::$column.eq($value));
            let select = match how {
                How::Plain => select,
                How::Again => select.populate_existing(),
                How::Locked => select.for_update(),
            };
            select.all(session).await?.into_iter().map(Object::$model).collect()
        }};
    }
    let is = text.to_string();
    Ok(match kind {
        Kind::Team => find!(Team, name, is),
        Kind::Badge => find!(Badge, text, is),
        Kind::Person => find!(Person, name, is),
        Kind::Task => find!(Task, title, is),
        Kind::Skill => find!(Skill, code, code(text)),
    })
}

/// Every object of a view's model, the view loaded along.
///
/// # Errors
/// Those of a query.
pub(crate) async fn find_with(
    session: &mut Session,
    view: View,
    joined: bool,
) -> Result<Vec<Object>> {
    /// A query with one relationship loaded along.
    macro_rules! with {
        ($model:ident, $relation:ident) => {{
            let select = match joined {
                true => $model::select().with($model::$relation.joined()),
                false => $model::select().with($model::$relation.selectin()),
            };
            select.all(session).await?.into_iter().map(Object::$model).collect()
        }};
    }
    Ok(match view {
        (OfBadge, Owner) => with!(Team, badge),
        (OfBadge, Member) => with!(Badge, team),
        (People, Owner) => with!(Team, people),
        (People, Member) => with!(Person, team),
        (Tasks, Owner) => with!(Person, tasks),
        (Tasks, Member) => with!(Task, person),
        (Children, Owner) => with!(Skill, children),
        (Children, Member) => with!(Skill, parent),
        (Skills, Owner) => with!(Person, skills),
        (Skills, Member) => with!(Skill, people),
    })
}
