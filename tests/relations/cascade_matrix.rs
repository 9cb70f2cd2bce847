//! Every kind of relationship, edited from every side, under every cascade: what the rows are
//! afterwards, and that memory says the same. Against a model of the rules in a few lines.

use std::collections::BTreeSet;

use orm_core::session::ObjectState;
use orm_core::{
    BelongsTo, Handle, HasMany, HasOne, ManyToMany, Model, Result, Schema, Session, schema,
};
use orm_tests::{Database, backend_tests};

/// Which side a pair of objects is edited from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Owner,
    Member,
}

/// An edit. Owners are numbered from 0, members too; the first owner has both members at first.
#[derive(Clone, Debug)]
enum Edit {
    Put(usize, usize, Side),
    Take(usize, usize, Side),
    Replace(usize, Vec<usize>),
    DeleteOwner(usize),
    DeleteMember(usize),
}

use Edit::{DeleteMember, DeleteOwner, Put, Replace, Take};

/// How the objects of a relationship are tied to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// The member has the key; an owner has many.
    OneToMany,
    /// The member has the key; an owner has one.
    OneToOne,
    /// The owner has the key, and each member one owner.
    ManyToOne,
    /// Pairs.
    ManyToMany,
}

/// A relationship of two models of its own, and what is declared of it.
trait World {
    type Owner: Model<Id = i64>;
    type Member: Model<Id = i64>;
    const KIND: Kind;
    const DELETES: bool;
    const ORPHANS: bool;
    /// Whether a member can be without an owner.
    const NULLABLE: bool = true;
    /// Whether a member may have one owner only.
    const SINGLE: bool = false;
    /// Whether members know their owners.
    const BOTH_SIDES: bool = true;

    fn schema() -> Schema;
    fn owner(session: &mut Session, name: &str) -> Handle<Self::Owner>;
    fn member(session: &mut Session, name: &str) -> Handle<Self::Member>;
    fn put(
        session: &mut Session,
        owner: Handle<Self::Owner>,
        member: Handle<Self::Member>,
        from: Side,
    );
    fn take(
        session: &mut Session,
        owner: Handle<Self::Owner>,
        member: Handle<Self::Member>,
        from: Side,
    );
    fn replace(
        session: &mut Session,
        owner: Handle<Self::Owner>,
        members: Vec<Handle<Self::Member>>,
    );
    async fn owners(
        session: &mut Session,
        names: &str,
    ) -> Result<Vec<(String, Handle<Self::Owner>)>>;
    async fn members(
        session: &mut Session,
        names: &str,
    ) -> Result<Vec<(String, Handle<Self::Member>)>>;
    async fn members_of(
        session: &mut Session,
        owner: Handle<Self::Owner>,
    ) -> Result<Vec<Handle<Self::Member>>>;
    async fn owners_of(
        session: &mut Session,
        member: Handle<Self::Member>,
    ) -> Result<Vec<Handle<Self::Owner>>>;
}

// ---------------------------------------------------------------- what is to be expected

/// Which objects there are and who has whom, by the rules.
#[derive(Clone, Debug, PartialEq, Eq)]
struct State {
    owners: BTreeSet<usize>,
    members: BTreeSet<usize>,
    pairs: BTreeSet<(usize, usize)>,
}

impl State {
    fn put(&mut self, kind: Kind, owner: usize, member: usize) {
        if matches!(kind, Kind::OneToMany | Kind::OneToOne) {
            self.pairs.retain(|(_, other)| *other != member);
        }
        if matches!(kind, Kind::OneToOne | Kind::ManyToOne) {
            self.pairs.retain(|(other, _)| *other != owner);
        }
        self.pairs.insert((owner, member));
    }

    /// The state after the edits and a flush; none if the flush is an error.
    fn after<W: World>(&self, edits: &[Edit]) -> Option<Self> {
        let mut state = self.clone();
        let mut deleted_owners = BTreeSet::new();
        let mut deleted_members = BTreeSet::new();
        for edit in edits {
            match edit {
                Put(owner, member, _) => state.put(W::KIND, *owner, *member),
                Take(owner, member, _) => {
                    state.pairs.remove(&(*owner, *member));
                }
                Replace(owner, members) => {
                    state.pairs.retain(|(other, _)| other != owner);
                    members.iter().for_each(|member| state.put(W::KIND, *owner, *member));
                }
                DeleteOwner(owner) => {
                    deleted_owners.insert(*owner);
                }
                DeleteMember(member) => {
                    deleted_members.insert(*member);
                }
            }
        }
        // Orphans, then whatever goes with deleted owners.
        let left = self.pairs.difference(&state.pairs).map(|(_, member)| *member);
        let is_owned = |member: &usize| state.pairs.iter().any(|(_, other)| other == member);
        if W::ORPHANS {
            deleted_members.extend(left.filter(|member| !is_owned(member)));
        }
        let of_deleted = state.pairs.iter().filter(|(owner, _)| deleted_owners.contains(owner));
        let of_deleted: BTreeSet<usize> = of_deleted.map(|(_, member)| *member).collect();
        if W::DELETES {
            deleted_members.extend(&of_deleted);
        }
        state.owners.retain(|owner| !deleted_owners.contains(owner));
        state.members.retain(|member| !deleted_members.contains(member));
        state.pairs.retain(|(owner, member)| {
            !deleted_owners.contains(owner) && !deleted_members.contains(member)
        });
        let is_homeless = |member: &usize| !state.pairs.iter().any(|(_, other)| other == member);
        let fits = W::NULLABLE || !state.members.iter().any(is_homeless);
        fits.then_some(state)
    }
}

// ---------------------------------------------------------------- the cases

/// Every edit that makes sense of this kind of relationship, from every side.
fn edits<W: World>() -> Vec<Vec<Edit>> {
    use Side::{Member, Owner};
    let sides: &[Side] = if W::BOTH_SIDES { &[Owner, Member] } else { &[Owner] };
    let both = matches!(W::KIND, Kind::OneToMany | Kind::ManyToMany);
    let mut cases = vec![vec![DeleteOwner(0)], vec![DeleteOwner(1)]];
    if W::BOTH_SIDES {
        cases.push(vec![DeleteMember(0)]);
        cases.push(vec![DeleteMember(0), DeleteOwner(0)]);
    }
    for &side in sides {
        cases.push(vec![Take(0, 0, side)]);
        cases.push(vec![Take(0, 0, side), Put(0, 0, side)]);
        cases.push(vec![Take(0, 0, side), Put(1, 0, side)]);
        cases.push(vec![Put(1, 0, side), Take(0, 0, Owner)]);
        cases.push(vec![Take(0, 0, side), Put(1, 0, side), Put(0, 0, side), Take(1, 0, Owner)]);
        cases.push(vec![Take(0, 0, side), Put(1, 0, side), DeleteOwner(0)]);
        cases.push(vec![Take(0, 0, side), DeleteOwner(0)]);
        if !W::SINGLE {
            cases.push(vec![Put(1, 0, side)]);
            cases.push(vec![Put(1, 0, side), DeleteOwner(0)]);
            cases.push(vec![Put(1, 0, side), DeleteOwner(1)]);
        }
        if both {
            cases.push(vec![Take(0, 0, side), Take(0, 1, side), Put(1, 0, side), Put(1, 1, side)]);
            cases.push(vec![Take(0, 1, side), Put(0, 1, side), Take(0, 1, side)]);
        } else {
            cases.push(vec![Put(0, 1, side)]);
            cases.push(vec![Put(0, 1, side), Put(0, 0, side)]);
        }
    }
    if both {
        cases.push(vec![Replace(0, vec![])]);
        cases.push(vec![Replace(0, vec![1])]);
        cases.push(vec![Replace(0, vec![1, 0])]);
        cases.push(vec![Replace(0, vec![1]), Replace(1, vec![0])]);
        cases.push(vec![Replace(0, vec![]), Replace(0, vec![0, 1])]);
        cases.push(vec![Replace(0, vec![]), Put(0, 0, Owner)]);
        cases.push(vec![Replace(0, vec![1]), DeleteOwner(0)]);
    }
    cases
}

#[derive(Clone, Copy, Debug)]
struct Manner {
    /// Whether the collections and references are loaded before they are edited.
    loaded: bool,
    /// Whether the members are new in the session that edits them.
    pending: bool,
    /// Whether the flush is rolled back.
    undone: bool,
}

async fn check_all<W: World>(db: &Database) -> Result<()> {
    db.create(&W::schema()).await?;
    let mut number = 0;
    for edits in edits::<W>() {
        for (loaded, pending, undone) in [
            (true, false, false),
            (false, false, false),
            (true, false, true),
            (false, false, true),
            (true, true, false),
            (false, true, true),
        ] {
            number += 1;
            check::<W>(db, number, &edits, Manner { loaded, pending, undone }).await?;
        }
    }
    Ok(())
}

async fn check<W: World>(
    db: &Database,
    number: usize,
    edits: &[Edit],
    manner: Manner,
) -> Result<()> {
    let what = format!(
        "{:?}, deletes: {}, orphans: {}, nullable: {}: {edits:?}, {manner:?}",
        W::KIND,
        W::DELETES,
        W::ORPHANS,
        W::NULLABLE
    );
    let named = |kind: &str, at: usize| format!("{number}-{kind}{at}");
    let count = if matches!(W::KIND, Kind::OneToMany | Kind::ManyToMany) { 2 } else { 1 };
    let initial: BTreeSet<(usize, usize)> = (0..count).map(|member| (0, member)).collect();

    // One more member for those that have one: it is free.
    let mut session = db.session();
    let owners: Vec<_> = (0..2).map(|at| W::owner(&mut session, &named("o", at))).collect();
    if manner.pending {
        session.commit().await?;
    }
    let members: Vec<_> = (0..2).map(|at| W::member(&mut session, &named("m", at))).collect();
    for &(owner, member) in &initial {
        W::put(&mut session, owners[owner], members[member], Side::Owner);
    }
    if count == 1 && !W::NULLABLE {
        // It can't be without an owner: it has one that takes no part.
        let keeper = W::owner(&mut session, &named("k", 0));
        W::put(&mut session, keeper, members[1], Side::Owner);
    }
    let (mut session, owners, members) = match manner.pending {
        true => (session, owners, members),
        false => {
            session.commit().await?;
            let mut session = db.session();
            let owners = W::owners(&mut session, &format!("{number}-o%")).await?;
            let members = W::members(&mut session, &format!("{number}-m%")).await?;
            (
                session,
                owners.into_iter().map(|(_, owner)| owner).collect::<Vec<_>>(),
                members.into_iter().map(|(_, member)| member).collect::<Vec<_>>(),
            )
        }
    };
    if manner.loaded && !manner.pending {
        for &owner in &owners {
            W::members_of(&mut session, owner).await?;
        }
        for &member in &members {
            W::owners_of(&mut session, member).await?;
        }
    }

    let before = State {
        owners: BTreeSet::from([0, 1]),
        members: BTreeSet::from([0, 1]),
        pairs: initial.clone(),
    };
    let stored_before = match manner.pending {
        false => before.clone(),
        true => State { members: BTreeSet::new(), pairs: BTreeSet::new(), ..before.clone() },
    };
    for edit in edits {
        // An orphan that was never a row is gone at once, and what is gone can't be edited.
        let gone = |session: &Session, member: usize| {
            session.state(members[member]) == ObjectState::Detached
        };
        match edit {
            Put(_, member, _) | Take(_, member, _) | DeleteMember(member)
                if gone(&session, *member) =>
            {
                return Ok(());
            }
            Replace(_, replaced) if replaced.iter().any(|member| gone(&session, *member)) => {
                return Ok(());
            }
            Put(owner, member, side) => {
                W::put(&mut session, owners[*owner], members[*member], *side)
            }
            Take(owner, member, side) => {
                W::take(&mut session, owners[*owner], members[*member], *side)
            }
            Replace(owner, replaced) => {
                let replaced = replaced.iter().map(|member| members[*member]).collect();
                W::replace(&mut session, owners[*owner], replaced);
            }
            DeleteOwner(owner) => session.delete(owners[*owner]),
            DeleteMember(member) => session.delete(members[*member]),
        }
    }
    let free = count == 1 && !W::NULLABLE;
    let mut expected = before.clone();
    if free {
        // The keeper is a third owner.
        expected.pairs.insert((2, 1));
    }
    let expected = expected.after::<W>(edits).map(|mut state| {
        state.pairs.retain(|(owner, _)| *owner != 2);
        state
    });
    let log = db.log();
    let flushed = session.flush().await;
    let emitted = log.emitted();
    match (&expected, flushed) {
        (None, Err(_)) => {
            session.rollback().await?;
            agree::<W>(&mut session, number, &stored_before, &what).await?;
            return agree::<W>(&mut db.session(), number, &stored_before, &what).await;
        }
        (None, Ok(())) => panic!("{what}: an error was expected, and {emitted:?} ran"),
        (Some(_), Err(error)) => panic!("{what}: {error}"),
        (Some(_), Ok(())) => {}
    }
    let expected = expected.expect("it was no error");
    if manner.loaded && !manner.pending {
        assert!(!emitted.iter().any(|it| it.starts_with("SELECT")), "{what}: {emitted:?}");
    }
    if !manner.pending && W::KIND != Kind::ManyToMany {
        let mut written: Vec<&str> = emitted
            .iter()
            .filter_map(|it| it.split(' ').next())
            .filter(|it| *it != "SELECT")
            .collect();
        written.sort_unstable();
        assert_eq!(written, statements::<W>(&before, &expected), "{what}: {emitted:?}");
    }
    session.flush().await?;
    assert_eq!(log.emitted(), [""; 0], "{what}: a second flush");
    if manner.undone {
        session.rollback().await?;
        agree::<W>(&mut session, number, &stored_before, &what).await?;
        return agree::<W>(&mut db.session(), number, &stored_before, &what).await;
    }
    agree::<W>(&mut session, number, &expected, &what).await?;
    session.commit().await?;
    agree::<W>(&mut session, number, &expected, &what).await?;
    agree::<W>(&mut db.session(), number, &expected, &what).await
}

/// What a flush has to run at least and at most, where members and owners are rows.
fn statements<W: World>(before: &State, after: &State) -> Vec<&'static str> {
    let mut statements = Vec::new();
    let deleted_members = before.members.difference(&after.members).count();
    let deleted_owners = before.owners.difference(&after.owners).count();
    statements.extend((deleted_members > 0).then_some("DELETE"));
    statements.extend((deleted_owners > 0).then_some("DELETE"));
    let of = |state: &State, at: usize| -> Vec<(usize, usize)> {
        let by_key = |pair: &&(usize, usize)| match W::KIND {
            Kind::ManyToOne => pair.0 == at,
            _ => pair.1 == at,
        };
        state.pairs.iter().filter(by_key).copied().collect()
    };
    let keyed = if W::KIND == Kind::ManyToOne { &after.owners } else { &after.members };
    let changed = keyed.iter().any(|at| of(before, *at) != of(after, *at));
    statements.extend(changed.then_some("UPDATE"));
    statements.sort_unstable();
    statements
}

/// Asserts that a session shows this state, from both sides.
async fn agree<W: World>(
    session: &mut Session,
    number: usize,
    state: &State,
    what: &str,
) -> Result<()> {
    let at = |name: &str| name.rsplit(['o', 'm']).next().and_then(|at| at.parse::<usize>().ok());
    let owners = W::owners(session, &format!("{number}-o%")).await?;
    let members = W::members(session, &format!("{number}-m%")).await?;
    let owners: Vec<_> =
        owners.into_iter().filter_map(|(name, it)| Some((at(&name)?, it))).collect();
    let members: Vec<_> =
        members.into_iter().filter_map(|(name, it)| Some((at(&name)?, it))).collect();
    assert_eq!(owners.iter().map(|(at, _)| *at).collect::<BTreeSet<_>>(), state.owners, "{what}");
    assert_eq!(members.iter().map(|(at, _)| *at).collect::<BTreeSet<_>>(), state.members, "{what}");
    let mut by_owner = BTreeSet::new();
    for &(owner, handle) in &owners {
        for member in W::members_of(session, handle).await? {
            let found = members.iter().find(|(_, other)| *other == member);
            let (member, _) = found.unwrap_or_else(|| panic!("{what}: a member that is no row"));
            assert!(by_owner.insert((owner, *member)), "{what}: a member twice");
        }
    }
    assert_eq!(by_owner, state.pairs, "{what}: seen from the owners");
    if !W::BOTH_SIDES {
        return Ok(());
    }
    let mut by_member = BTreeSet::new();
    for &(member, handle) in &members {
        for owner in W::owners_of(session, handle).await? {
            if let Some((owner, _)) = owners.iter().find(|(_, other)| *other == owner) {
                assert!(by_member.insert((*owner, member)), "{what}: an owner twice");
            }
        }
    }
    assert_eq!(by_member, state.pairs, "{what}: seen from the members");
    Ok(())
}

// ---------------------------------------------------------------- the worlds

/// What all worlds read in the same way.
macro_rules! rows {
    () => {
        type Owner = Owner;
        type Member = Member;

        fn owner(session: &mut Session, name: &str) -> Handle<Owner> {
            session.add(Owner::draft().name(name))
        }
        fn member(session: &mut Session, name: &str) -> Handle<Member> {
            session.add(Member::draft().name(name))
        }
        async fn owners(
            session: &mut Session,
            names: &str,
        ) -> Result<Vec<(String, Handle<Owner>)>> {
            let found = Owner::select().filter(Owner::name.like(names)).order_by(Owner::id.asc());
            let found = found.all(session).await?;
            Ok(found.into_iter().map(|it| (session[it].name.clone(), it)).collect())
        }
        async fn members(
            session: &mut Session,
            names: &str,
        ) -> Result<Vec<(String, Handle<Member>)>> {
            let found =
                Member::select().filter(Member::name.like(names)).order_by(Member::id.asc());
            let found = found.all(session).await?;
            Ok(found.into_iter().map(|it| (session[it].name.clone(), it)).collect())
        }
    };
}

macro_rules! one_to_many {
    ($module:ident, $owners:tt, $members:tt, $cascade:tt, $key:ty, $deletes:expr, $orphans:expr, $nullable:expr) => {
        mod $module {
            use super::*;

            #[derive(Model)]
            #[orm(table = $owners)]
            pub struct Owner {
                pub name: String,
                #[orm(back_populates = owner, cascade = $cascade)]
                pub members: HasMany<Member>,
            }

            #[derive(Model)]
            #[orm(table = $members)]
            pub struct Member {
                pub name: String,
                #[orm(foreign_key = Owner)]
                pub owner_id: $key,
                #[orm(back_populates = members)]
                pub owner: BelongsTo<Owner>,
            }

            pub(super) struct It;

            impl World for It {
                rows!();
                const KIND: Kind = Kind::OneToMany;
                const DELETES: bool = $deletes;
                const ORPHANS: bool = $orphans;
                const NULLABLE: bool = $nullable;

                fn schema() -> Schema {
                    schema![Owner, Member]
                }
                fn put(
                    session: &mut Session,
                    owner: Handle<Owner>,
                    member: Handle<Member>,
                    from: Side,
                ) {
                    match from {
                        Side::Owner => session.push(owner, Owner::members, member),
                        Side::Member => session.set_one(member, Member::owner, owner),
                    }
                }
                fn take(
                    session: &mut Session,
                    owner: Handle<Owner>,
                    member: Handle<Member>,
                    from: Side,
                ) {
                    match from {
                        Side::Owner => session.remove(owner, Owner::members, member),
                        Side::Member => session.remove(member, Member::owner, owner),
                    }
                }
                fn replace(
                    session: &mut Session,
                    owner: Handle<Owner>,
                    members: Vec<Handle<Member>>,
                ) {
                    session.replace(owner, Owner::members, members);
                }
                async fn members_of(
                    session: &mut Session,
                    owner: Handle<Owner>,
                ) -> Result<Vec<Handle<Member>>> {
                    owner.members(session).await
                }
                async fn owners_of(
                    session: &mut Session,
                    member: Handle<Member>,
                ) -> Result<Vec<Handle<Owner>>> {
                    let owner: Option<Handle<Owner>> = member.owner(session).await?.into();
                    Ok(owner.into_iter().collect())
                }
            }
        }
    };
}

macro_rules! one_to_one {
    ($module:ident, $owners:tt, $members:tt, $cascade:tt, $key:ty, $deletes:expr, $orphans:expr, $nullable:expr) => {
        mod $module {
            use super::*;

            #[derive(Model)]
            #[orm(table = $owners)]
            pub struct Owner {
                pub name: String,
                #[orm(back_populates = owner, cascade = $cascade)]
                pub member: HasOne<Member>,
            }

            #[derive(Model)]
            #[orm(table = $members)]
            pub struct Member {
                pub name: String,
                #[orm(foreign_key = Owner)]
                pub owner_id: $key,
                #[orm(back_populates = member)]
                pub owner: BelongsTo<Owner>,
            }

            pub(super) struct It;

            impl World for It {
                rows!();
                const KIND: Kind = Kind::OneToOne;
                const DELETES: bool = $deletes;
                const ORPHANS: bool = $orphans;
                const NULLABLE: bool = $nullable;

                fn schema() -> Schema {
                    schema![Owner, Member]
                }
                fn put(
                    session: &mut Session,
                    owner: Handle<Owner>,
                    member: Handle<Member>,
                    from: Side,
                ) {
                    match from {
                        Side::Owner => session.set_one(owner, Owner::member, member),
                        Side::Member => session.set_one(member, Member::owner, owner),
                    }
                }
                fn take(
                    session: &mut Session,
                    owner: Handle<Owner>,
                    member: Handle<Member>,
                    from: Side,
                ) {
                    match from {
                        Side::Owner => session.remove(owner, Owner::member, member),
                        Side::Member => session.remove(member, Member::owner, owner),
                    }
                }
                fn replace(_: &mut Session, _: Handle<Owner>, _: Vec<Handle<Member>>) {}
                async fn members_of(
                    session: &mut Session,
                    owner: Handle<Owner>,
                ) -> Result<Vec<Handle<Member>>> {
                    Ok(owner.member(session).await?.into_iter().collect())
                }
                async fn owners_of(
                    session: &mut Session,
                    member: Handle<Member>,
                ) -> Result<Vec<Handle<Owner>>> {
                    let owner: Option<Handle<Owner>> = member.owner(session).await?.into();
                    Ok(owner.into_iter().collect())
                }
            }
        }
    };
}

macro_rules! many_to_one {
    ($module:ident, $owners:tt, $members:tt, ($($attribute:tt)*), $deletes:expr, $orphans:expr, $single:expr) => {
        mod $module {
            use super::*;

            #[derive(Model)]
            #[orm(table = $owners)]
            pub struct Owner {
                pub name: String,
                #[orm(foreign_key = Member)]
                pub member_id: Option<i64>,
                #[orm($($attribute)*)]
                pub member: BelongsTo<Member>,
            }

            #[derive(Model)]
            #[orm(table = $members)]
            pub struct Member {
                pub name: String,
            }

            pub(super) struct It;

            impl World for It {
                rows!();
                const KIND: Kind = Kind::ManyToOne;
                const DELETES: bool = $deletes;
                const ORPHANS: bool = $orphans;
                const SINGLE: bool = $single;
                const BOTH_SIDES: bool = false;

                fn schema() -> Schema {
                    schema![Owner, Member]
                }
                fn put(session: &mut Session, owner: Handle<Owner>, member: Handle<Member>, _: Side) {
                    session.set_one(owner, Owner::member, member);
                }
                fn take(session: &mut Session, owner: Handle<Owner>, member: Handle<Member>, _: Side) {
                    session.remove(owner, Owner::member, member);
                }
                fn replace(_: &mut Session, _: Handle<Owner>, _: Vec<Handle<Member>>) {}
                async fn members_of(session: &mut Session, owner: Handle<Owner>) -> Result<Vec<Handle<Member>>> {
                    Ok(owner.member(session).await?.into_iter().collect())
                }
                async fn owners_of(_: &mut Session, _: Handle<Member>) -> Result<Vec<Handle<Owner>>> {
                    Ok(Vec::new())
                }
            }
        }
    };
}

macro_rules! many_to_many {
    ($module:ident, $owners:tt, $members:tt, $pairs:tt, ($($attribute:tt)*), $deletes:expr, $orphans:expr) => {
        mod $module {
            use super::*;

            #[derive(Model)]
            #[orm(table = $owners)]
            pub struct Owner {
                pub name: String,
                #[orm(secondary = $pairs, back_populates = owners, $($attribute)*)]
                pub members: ManyToMany<Member>,
            }

            #[derive(Model)]
            #[orm(table = $members)]
            pub struct Member {
                pub name: String,
                #[orm(secondary = $pairs, back_populates = members)]
                pub owners: ManyToMany<Owner>,
            }

            pub(super) struct It;

            impl World for It {
                rows!();
                const KIND: Kind = Kind::ManyToMany;
                const DELETES: bool = $deletes;
                const ORPHANS: bool = $orphans;
                const SINGLE: bool = $orphans;

                fn schema() -> Schema {
                    schema![Owner, Member]
                }
                fn put(session: &mut Session, owner: Handle<Owner>, member: Handle<Member>, from: Side) {
                    match from {
                        Side::Owner => session.link(owner, Owner::members, member),
                        Side::Member => session.link(member, Member::owners, owner),
                    }
                }
                fn take(session: &mut Session, owner: Handle<Owner>, member: Handle<Member>, from: Side) {
                    match from {
                        Side::Owner => session.unlink(owner, Owner::members, member),
                        Side::Member => session.unlink(member, Member::owners, owner),
                    }
                }
                fn replace(session: &mut Session, owner: Handle<Owner>, members: Vec<Handle<Member>>) {
                    session.replace(owner, Owner::members, members);
                }
                async fn members_of(session: &mut Session, owner: Handle<Owner>) -> Result<Vec<Handle<Member>>> {
                    owner.members(session).await
                }
                async fn owners_of(session: &mut Session, member: Handle<Member>) -> Result<Vec<Handle<Owner>>> {
                    member.owners(session).await
                }
            }
        }
    };
}

one_to_many!(
    many_plain,
    "m1_owners",
    "m1_members",
    "save-update, merge",
    Option<i64>,
    false,
    false,
    true
);
one_to_many!(
    many_required,
    "m2_owners",
    "m2_members",
    "save-update, merge",
    i64,
    false,
    false,
    false
);
one_to_many!(many_all, "m3_owners", "m3_members", "all", Option<i64>, true, false, true);
one_to_many!(many_orphans, "m4_owners", "m4_members", "all, delete-orphan", i64, true, true, false);
one_to_many!(
    many_loose_orphans,
    "m5_owners",
    "m5_members",
    "all, delete-orphan",
    Option<i64>,
    true,
    true,
    true
);
one_to_one!(
    one_plain,
    "o1_owners",
    "o1_members",
    "save-update, merge",
    Option<i64>,
    false,
    false,
    true
);
one_to_one!(
    one_required,
    "o2_owners",
    "o2_members",
    "save-update, merge",
    i64,
    false,
    false,
    false
);
one_to_one!(one_all, "o3_owners", "o3_members", "all", Option<i64>, true, false, true);
one_to_one!(one_orphans, "o4_owners", "o4_members", "all, delete-orphan", i64, true, true, false);
many_to_one!(reference_plain, "r1_owners", "r1_members", (), false, false, false);
many_to_one!(
    reference_all,
    "r2_owners",
    "r2_members",
    (cascade = "all", single_parent),
    true,
    false,
    true
);
many_to_one!(
    reference_orphans,
    "r3_owners",
    "r3_members",
    (cascade = "all, delete-orphan", single_parent),
    true,
    true,
    true
);
many_to_many!(pairs_plain, "p1_owners", "p1_members", "p1_pairs", (), false, false);
many_to_many!(pairs_all, "p2_owners", "p2_members", "p2_pairs", (cascade = "all"), true, false);
many_to_many!(
    pairs_orphans,
    "p3_owners",
    "p3_members",
    "p3_pairs",
    (cascade = "all, delete-orphan", single_parent),
    true,
    true
);

backend_tests! {
    /// SEMANTICS 7.2, 7.3, 7.5, 7.7, 8.1 to 8.4
    async fn rule_7_one_to_many_without_delete(db) {
        check_all::<many_plain::It>(&db).await?;
        check_all::<many_required::It>(&db).await?;
    }

    /// SEMANTICS 7.2, 7.4, 7.5, 8.1 to 8.4
    async fn rule_7_one_to_many_with_delete(db) {
        check_all::<many_all::It>(&db).await?;
    }

    /// SEMANTICS 7.2, 7.4, 7.5, 8.1 to 8.4
    async fn rule_7_one_to_many_with_orphans(db) {
        check_all::<many_orphans::It>(&db).await?;
        check_all::<many_loose_orphans::It>(&db).await?;
    }

    /// SEMANTICS 7.3, 7.7, 8.5
    async fn rule_7_one_to_one_without_delete(db) {
        check_all::<one_plain::It>(&db).await?;
        check_all::<one_required::It>(&db).await?;
    }

    /// SEMANTICS 7.2, 7.4, 8.5
    async fn rule_7_one_to_one_with_delete(db) {
        check_all::<one_all::It>(&db).await?;
        check_all::<one_orphans::It>(&db).await?;
    }

    /// SEMANTICS 7.2, 7.4, 7.6
    async fn rule_7_many_to_one(db) {
        check_all::<reference_plain::It>(&db).await?;
        check_all::<reference_all::It>(&db).await?;
        check_all::<reference_orphans::It>(&db).await?;
    }

    /// SEMANTICS 7.2, 8.6
    async fn rule_7_many_to_many(db) {
        check_all::<pairs_plain::It>(&db).await?;
        check_all::<pairs_all::It>(&db).await?;
    }

    /// SEMANTICS 7.4, 7.6, 8.6
    async fn rule_7_many_to_many_with_orphans(db) {
        check_all::<pairs_orphans::It>(&db).await?;
    }
}
