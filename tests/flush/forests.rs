//! Random graphs of three models always flush, and the database equals memory.

use std::collections::BTreeMap;

use orm_core::{Handle, Result, Session, schema};
use orm_tests::{Database, backend_tests};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use tokio::runtime::Handle as Runtime;
use tokio::task::block_in_place;

use crate::models::{Member, Task, Team};

/// Where an object's references lead; numbers count the objects of the other model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Links {
    /// A team's parent, a member's team, a task's team.
    team: Option<usize>,
    /// A team's lead, a member's mentor, a task's member.
    member: Option<usize>,
    /// From which side each is linked.
    from_parent: (bool, bool),
}

/// A graph, and in which order it is added: positions among all objects of all models.
#[derive(Clone, Debug)]
struct Graph {
    teams: Vec<Links>,
    members: Vec<Links>,
    tasks: Vec<Links>,
    order: Vec<usize>,
}

const TEAMS: usize = 4;
const MEMBERS: usize = 5;
const TASKS: usize = 5;

fn links(is_team_required: bool) -> impl Strategy<Value = Links> {
    let team = if is_team_required {
        (0..TEAMS).prop_map(Some).boxed()
    } else {
        prop::option::of(0..TEAMS).boxed()
    };
    (team, prop::option::of(0..MEMBERS), any::<(bool, bool)>())
        .prop_map(|(team, member, from_parent)| Links { team, member, from_parent })
}

fn graph() -> impl Strategy<Value = Graph> {
    (
        prop::collection::vec(links(false), TEAMS),
        prop::collection::vec(links(true), MEMBERS),
        prop::collection::vec(links(false), TASKS),
        Just((0..TEAMS + MEMBERS + TASKS).collect::<Vec<_>>()).prop_shuffle(),
    )
        .prop_map(|(teams, members, tasks, order)| Graph { teams, members, tasks, order })
}

/// The objects of a graph.
struct Objects {
    teams: Vec<Handle<Team>>,
    members: Vec<Handle<Member>>,
    tasks: Vec<Handle<Task>>,
}

/// Adds every object, in the graph's order.
fn add(session: &mut Session, graph: &Graph) -> Objects {
    let mut teams = BTreeMap::new();
    let mut members = BTreeMap::new();
    let mut tasks = BTreeMap::new();
    for &at in &graph.order {
        if at < TEAMS {
            teams.insert(at, session.add(Team::draft().name(format!("team {at}"))));
        } else if at < TEAMS + MEMBERS {
            let name = format!("member {}", at - TEAMS);
            members.insert(at, session.add(Member::draft().name(name)));
        } else {
            let name = format!("task {}", at - TEAMS - MEMBERS);
            tasks.insert(at, session.add(Task::draft().name(name)));
        }
    }
    Objects {
        teams: teams.into_values().collect(),
        members: members.into_values().collect(),
        tasks: tasks.into_values().collect(),
    }
}

/// Links every object as the graph says, in its order, each from the side that it names.
fn link(session: &mut Session, objects: &Objects, graph: &Graph) {
    for &at in &graph.order {
        if at < TEAMS {
            let (links, team) = (graph.teams[at], objects.teams[at]);
            let parent = links.team.map(|team| objects.teams[team]);
            match parent.filter(|_| links.from_parent.0) {
                Some(parent) => session.push(parent, Team::parts, team),
                None => session.set_one(team, Team::parent, parent),
            }
            session.set_one(team, Team::lead, links.member.map(|at| objects.members[at]));
        } else if at < TEAMS + MEMBERS {
            let (links, member) = (graph.members[at - TEAMS], objects.members[at - TEAMS]);
            let team = links.team.map(|team| objects.teams[team]);
            match team.filter(|_| links.from_parent.0) {
                Some(team) => session.push(team, Team::members, member),
                None => session.set_one(member, Member::team, team),
            }
            session.set_one(member, Member::mentor, links.member.map(|at| objects.members[at]));
        } else {
            let at = at - TEAMS - MEMBERS;
            let (links, task) = (graph.tasks[at], objects.tasks[at]);
            session.set_one(task, Task::team, links.team.map(|team| objects.teams[team]));
            let member = links.member.map(|at| objects.members[at]);
            match member.filter(|_| links.from_parent.1) {
                Some(member) => session.push(member, Member::tasks, task),
                None => session.set_one(task, Task::member, member),
            }
        }
    }
}

/// Every object with the names of what it leads to, as a session sees it.
async fn seen(session: &mut Session) -> Result<Vec<(String, Option<String>, Option<String>)>> {
    let mut seen = Vec::new();
    let teams: BTreeMap<i64, String> = names(Team::select().all(session).await?, session);
    let members: BTreeMap<i64, String> = names(Member::select().all(session).await?, session);
    let team = |id: Option<i64>| id.map(|id| teams[&id].clone());
    let member = |id: Option<i64>| id.map(|id| members[&id].clone());
    for handle in Team::select().all(session).await? {
        let row = &session[handle];
        seen.push((row.name.clone(), team(row.parent_id), member(row.lead_id)));
    }
    for handle in Member::select().all(session).await? {
        let row = &session[handle];
        seen.push((row.name.clone(), team(Some(row.team_id)), member(row.mentor_id)));
    }
    for handle in Task::select().all(session).await? {
        let row = &session[handle];
        seen.push((row.name.clone(), team(row.team_id), member(row.member_id)));
    }
    seen.sort();
    Ok(seen)
}

fn names<M: Named>(handles: Vec<Handle<M>>, session: &Session) -> BTreeMap<i64, String> {
    handles.into_iter().map(|handle| M::name(session, handle)).collect()
}

trait Named: orm_core::Model {
    fn name(session: &Session, handle: Handle<Self>) -> (i64, String);
}

impl Named for Team {
    fn name(session: &Session, handle: Handle<Self>) -> (i64, String) {
        (session[handle].id(), session[handle].name.clone())
    }
}

impl Named for Member {
    fn name(session: &Session, handle: Handle<Self>) -> (i64, String) {
        (session[handle].id(), session[handle].name.clone())
    }
}

/// The same as [`seen`], from the graph alone.
fn meant(graph: &Graph) -> Vec<(String, Option<String>, Option<String>)> {
    let of = |name: &str, all: &[Links]| -> Vec<(String, Option<String>, Option<String>)> {
        let rows = all.iter().enumerate().map(|(at, links)| {
            let team = links.team.map(|at| format!("team {at}"));
            let member = links.member.map(|at| format!("member {at}"));
            (format!("{name} {at}"), team, member)
        });
        rows.collect()
    };
    let mut meant = of("team", &graph.teams);
    meant.extend(of("member", &graph.members));
    meant.extend(of("task", &graph.tasks));
    meant.sort();
    meant
}

/// The collections in memory have exactly the members whose references lead to their owner.
fn expect_collections(session: &Session, objects: &Objects, graph: &Graph) -> Result<()> {
    for (at, team) in objects.teams.iter().enumerate() {
        let parts: Vec<_> = session.members(*team, Team::parts)?.map(|(part, _)| part).collect();
        let members: Vec<_> = session.members(*team, Team::members)?.map(|(one, _)| one).collect();
        expect_same(parts, &objects.teams, |other| graph.teams[other].team == Some(at));
        expect_same(members, &objects.members, |other| graph.members[other].team == Some(at));
    }
    for (at, member) in objects.members.iter().enumerate() {
        let tasks: Vec<_> =
            session.members(*member, Member::tasks)?.map(|(task, _)| task).collect();
        expect_same(tasks, &objects.tasks, |other| graph.tasks[other].member == Some(at));
    }
    Ok(())
}

fn expect_same<M: orm_core::Model>(
    found: Vec<Handle<M>>,
    all: &[Handle<M>],
    is_meant: impl Fn(usize) -> bool,
) {
    assert_eq!(found.len(), (0..all.len()).filter(|at| is_meant(*at)).count());
    for (at, handle) in all.iter().enumerate() {
        assert_eq!(found.contains(handle), is_meant(at), "{handle:?}");
    }
}

/// Builds one graph, makes another of it, and deletes it all.
async fn live_through(db: &Database, first: &Graph, second: &Graph) -> Result<()> {
    let schema = schema![Team, Member, Task];
    db.engine.drop_all(&schema).await?;
    db.create(&schema).await?;
    let mut session = db.session();
    let objects = add(&mut session, first);
    for graph in [first, second] {
        link(&mut session, &objects, graph);
        session.commit().await?;
        expect_collections(&session, &objects, graph)?;
        assert_eq!(seen(&mut session).await?, meant(graph), "memory");
        assert_eq!(seen(&mut db.session()).await?, meant(graph), "the database");
        let log = db.log();
        session.flush().await?;
        assert_eq!(log.all(), [""; 0]);
    }
    for &at in &second.order {
        if at < TEAMS {
            session.delete(objects.teams[at]);
        } else if at < TEAMS + MEMBERS {
            session.delete(objects.members[at - TEAMS]);
        } else {
            session.delete(objects.tasks[at - TEAMS - MEMBERS]);
        }
    }
    session.flush().await?;
    assert_eq!(seen(&mut session).await?, []);
    session.rollback().await?;
    assert_eq!(seen(&mut session).await?, meant(second), "rolled back");
    expect_collections(&session, &objects, second)
}

backend_tests! {
    /// SEMANTICS 4.1, 4.4, 4.5, 4.9: added in any order, linked from any side, with circles of
    /// teams, mentors and leads.
    async fn rule_4_1_any_graph_flushes_and_the_database_equals_memory(db) {
        let config = Config { cases: 100, failure_persistence: None, ..Config::default() };
        // The outer future waits inside of the runtime: each case runs on it in turn.
        block_in_place(|| {
            TestRunner::new(config)
                .run(&(graph(), graph()), |(first, second)| {
                    Runtime::current()
                        .block_on(live_through(&db, &first, &second))
                        .map_err(|error| TestCaseError::fail(error.to_string()))
                })
                .unwrap_or_else(|failure| panic!("{failure}"));
        });
    }
}
