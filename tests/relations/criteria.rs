//! Criteria for everyone: what they hide, where, and who lifts them.

use orm_core::error::Result;
use orm_core::query::{IntoLoad, View, ViewRow, ViewShape};
use orm_core::{
    BelongsTo, Error, Handle, HasMany, HasOne, ManyToMany, Model, SessionFactory, schema,
};
use orm_tests::{Database, backend_tests};

#[derive(Model)]
struct Owner {
    name: String,
    #[orm(default = false)]
    gone: bool,
    #[orm(back_populates = owner, cascade = "all, delete-orphan")]
    pets: HasMany<Pet>,
    #[orm(back_populates = owner)]
    badge: HasOne<Badge>,
}

#[derive(Model)]
struct Pet {
    name: String,
    #[orm(default = false)]
    gone: bool,
    #[orm(foreign_key = Owner)]
    owner_id: Option<i64>,
    #[orm(back_populates = pets)]
    owner: BelongsTo<Owner>,
    #[orm(secondary = PetToy, back_populates = pets)]
    toys: ManyToMany<Toy>,
}

#[derive(Model)]
struct Badge {
    #[orm(default = false)]
    gone: bool,
    #[orm(foreign_key = Owner, unique)]
    owner_id: Option<i64>,
    #[orm(back_populates = badge)]
    owner: BelongsTo<Owner>,
}

#[derive(Model)]
struct Toy {
    name: String,
    #[orm(default = false)]
    gone: bool,
    #[orm(secondary = PetToy, back_populates = toys)]
    pets: ManyToMany<Pet>,
}

#[derive(Model)]
#[orm(table = "pet_toys", base = none)]
struct PetToy {
    #[orm(primary_key, foreign_key = Pet)]
    pet_id: i64,
    #[orm(primary_key, foreign_key = Toy)]
    toy_id: i64,
    #[orm(server_default = "0")]
    lost: i64,
}

/// Ada has the pets a, b and x, of which x is gone; Gone, who is gone, has c and a badge. Ada's
/// badge is gone; Bob has nothing. All toys t are those of a and b, u is gone.
async fn kennel(db: &Database) -> Result<SessionFactory> {
    db.create(&schema![Owner, Pet, Badge, Toy, PetToy]).await?;
    let mut session = db.session();
    let toys = [("t", false), ("u", true)].map(|(name, gone)| Toy::draft().name(name).gone(gone));
    let toys = session.add_all(toys);
    let pet = |name: &str| Pet::draft().name(name);
    session.add(
        Owner::draft()
            .name("Ada")
            .pets([pet("a").toys(toys.clone()), pet("b").toys(toys.clone())])
            .badge(Badge::draft().gone(true)),
    );
    session.flush().await?;
    let ada = session.require::<Owner>(1).await?;
    session.push(ada, Owner::pets, pet("x").gone(true).toys(toys));
    session.add(Owner::draft().name("Gone").gone(true).pets([pet("c")]).badge(Badge::draft()));
    session.add(Owner::draft().name("Bob"));
    session.commit().await?;
    Ok(db
        .sessions
        .clone()
        .with_criteria::<Owner>(Owner::gone.eq(false))
        .with_criteria::<Pet>(Pet::gone.eq(false))
        .with_criteria::<Badge>(Badge::gone.eq(false))
        .with_criteria::<Toy>(Toy::gone.eq(false)))
}

macro_rules! view {
    ($view:ident of $model:ident { $($field:ident: $type:ty),* $(,)? }) => {
        #[derive(Debug, PartialEq)]
        struct $view { $($field: $type),* }

        impl View for $view {
            type Of = $model;
            fn __shape(shape: &mut ViewShape) {
                $(shape.field::<$type, _>($model::$field);)*
            }
            fn __build(row: &mut ViewRow<'_>) -> Result<Self> {
                Ok(Self { $($field: row.field($model::$field)?),* })
            }
        }
    };
}

view!(OwnerOut of Owner { name: String, pets: Vec<PetOut> });
view!(PetOut of Pet { name: String, toys: Vec<ToyOut> });
view!(ToyOut of Toy { name: String });
view!(Owned of Pet { name: String, owner: Option<NameOut> });
view!(NameOut of Owner { name: String });
view!(Badged of Owner { name: String, badge: Option<BadgeOut> });
view!(BadgeOut of Badge { id: i64 });

fn is_hidden<T>(outcome: Result<T>) -> bool {
    matches!(outcome, Err(Error::NotLoaded { .. }))
}

backend_tests! {
    /// Issue 5: queries, counts, tuples, and what they ask about others.
    async fn rule_11_2_criteria_hold_in_queries(db) {
        let sessions = kennel(&db).await?;
        let mut session = sessions.session();
        assert_eq!(Owner::select().all(&mut session).await?.len(), 2);
        assert_eq!(Owner::select().count(&mut session).await?, 2);
        assert_eq!(Owner::select().limit(5).count(&mut session).await?, 2);
        assert!(!Owner::select().filter(Owner::name.eq("Gone")).exists(&mut session).await?);
        let with_pets = Owner::select().filter(Owner::pets.any(Pet::name.eq("x")));
        assert_eq!(with_pets.clone().count(&mut session).await?, 0, "it is gone");
        assert_eq!(with_pets.without_criteria::<Pet>().count(&mut session).await?, 1);
        let toys = Owner::select().filter(Owner::pets.any(Pet::toys.any(Toy::name.eq("u"))));
        assert_eq!(toys.count(&mut session).await?, 0, "questions within questions");
        let owned = Pet::select().filter(Pet::owner.exists()).order_by(Pet::name.asc());
        assert_eq!(owned.clone().count(&mut session).await?, 2);
        assert_eq!(owned.unrestricted().count(&mut session).await?, 4);
        let names: Vec<(String, String)> = Owner::select()
            .join(Owner::pets)
            .order_by(Pet::name.asc())
            .columns((Owner::name, Pet::name))
            .all(&mut session)
            .await?;
        assert_eq!(names, [("Ada".into(), "a".into()), ("Ada".into(), "b".into())]);
        let names: Vec<(String, Option<String>)> = Owner::select()
            .left_join(Owner::pets)
            .filter(Owner::name.ne("Ada"))
            .columns((Owner::name, Pet::name))
            .all(&mut session)
            .await?;
        assert_eq!(names, [("Bob".into(), None)], "in ON: who has none stays");
        assert_eq!(Pet::select().unrestricted().count(&mut session).await?, 4);
    }

    /// SEMANTICS 11.2: eager loads of every strategy and lazy ones hide the same.
    async fn rule_11_2_criteria_hold_in_loads(db) {
        let sessions = kennel(&db).await?;
        type Of = orm_core::query::Load<Owner, Pet>;
        let strategies: [fn(Of) -> Of; 4] = [Of::joined, Of::selectin, Of::subquery, Of::lazy];
        for (at, strategy) in strategies.into_iter().enumerate() {
            let mut session = sessions.session();
            let load = strategy(Owner::pets.with(Pet::toys));
            let owners = Owner::select().order_by(Owner::id.asc()).with(load);
            let owners = owners.all(&mut session).await?;
            let pets = owners[0].pets(&mut session).await?;
            assert_eq!(pets.len(), 2, "{at}");
            assert_eq!(session[owners[0]].pets.loaded(), Some(&pets[..]), "it is the whole");
            for pet in pets {
                let toys = pet.toys(&mut session).await?;
                assert_eq!(toys.len(), 1, "{at}");
                assert_eq!(session[toys[0]].name, "t");
            }
            assert!(owners[1].pets(&mut session).await?.is_empty());
        }
        // Per parent, the limit counts what is seen.
        let mut session = sessions.session();
        let load = Owner::pets.order_by(Pet::name.desc()).limit(1);
        let ada = Owner::select().filter(Owner::name.eq("Ada")).with(load).one(&mut session).await?;
        let seen = session[ada].pets.narrowed().expect("narrowed")[0];
        assert_eq!(session[seen].name, "b");
    }

    /// SEMANTICS 11.2: a reference to a hidden row is not loaded, never None; a known object must
    /// be admitted too.
    async fn rule_11_2_a_hidden_reference_is_not_loaded(db) {
        let sessions = kennel(&db).await?;
        for known in [false, true] {
            type Of = orm_core::query::Load<Pet, Owner>;
            let strategies: [fn(Of) -> Of; 4] = [Of::joined, Of::selectin, Of::subquery, Of::lazy];
            for strategy in strategies {
                let mut session = sessions.session();
                if known {
                    Owner::select().unrestricted().all(&mut session).await?;
                }
                let load = strategy(Pet::owner.with(Owner::pets));
                let pets = Pet::select().order_by(Pet::name.asc()).with(load);
                let pets = pets.all(&mut session).await?;
                assert_eq!(pets.len(), 3);
                let ada = pets[0].owner(&mut session).await?.expect("she is there");
                assert_eq!(session[ada].name, "Ada");
                assert_eq!(session[pets[2]].owner.loaded(), None);
                assert!(is_hidden(pets[2].owner(&mut session).await));
                assert!(is_hidden(session.follow(pets[2], Pet::owner)));
                let found = pets[2].owner(&mut session).query().unrestricted().first().await?;
                assert!(found.is_some_and(|owner| session[owner].name == "Gone"));
            }
        }
    }

    /// SEMANTICS 11.2: the same from the side without the key; and who has none has none.
    async fn rule_11_2_a_hidden_one_to_one_is_not_loaded(db) {
        let sessions = kennel(&db).await?;
        type Of = orm_core::query::Load<Owner, Badge>;
        let strategies: [fn(Of) -> Of; 4] = [Of::joined, Of::selectin, Of::subquery, Of::lazy];
        for strategy in strategies {
            let mut session = sessions.session();
            let owners = Owner::select().order_by(Owner::id.asc()).with(strategy(Owner::badge.into_load()));
            let owners = owners.all(&mut session).await?;
            assert!(is_hidden(owners[0].badge(&mut session).await));
            assert_eq!(owners[1].badge(&mut session).await?, None);
            assert_eq!(session[owners[1]].badge.loaded(), Some(None));
        }
    }

    /// SEMANTICS 2.3: a hit must be admitted; what was loaded under the criteria emits nothing.
    async fn rule_2_3_get_keeps_to_criteria(db) {
        let sessions = kennel(&db).await?;
        let mut session = sessions.session();
        let log = db.log();
        assert_eq!(session.get::<Owner>(2).await?, None);
        let ada = session.require::<Owner>(1).await?;
        log.texts();
        assert_eq!(session.get::<Owner>(1).await?, Some(ada));
        assert!(log.texts().is_empty());
        // Found by a query that lifts them, it is in the session, and get asks.
        let gone = Owner::select().unrestricted().filter(Owner::name.eq("Gone")).one(&mut session);
        let gone = gone.await?;
        assert_eq!(session.get::<Owner>(2).await?, None);
        assert_eq!(session.get_many::<Owner>([1, 2, 3]).await?[1], None);
        assert_eq!(session[gone].name, "Gone", "it stays where it is");
        session.refresh(gone).await?;
        // Edited, it is flushed and asked for.
        session[gone].gone = false;
        assert_eq!(session.get::<Owner>(2).await?, Some(gone));
        session[ada].gone = true;
        assert_eq!(session.get::<Owner>(1).await?, None);
        session.rollback().await?;
        assert_eq!(session.get::<Owner>(1).await?, Some(ada));
        // New ones are asked for too.
        let new = session.add(Owner::draft().name("New").gone(true));
        session.commit().await?;
        let id = session[new].id();
        assert_eq!(session.get::<Owner>(id).await?, None);
        session.expire(new);
        assert_eq!(session.get::<Owner>(id).await?, None);
        session.refresh(new).await?;
        assert_eq!(session[new].name, "New");
    }

    /// Issue 5: bulk statements write what is seen.
    async fn rule_12_1_bulk_keeps_to_criteria(db) {
        let sessions = kennel(&db).await?;
        let mut session = sessions.session();
        let renamed = Pet::update().set(Pet::name, "n").filter(Pet::name.ne("z"));
        assert_eq!(renamed.clone().execute(&mut session).await?, 3);
        assert_eq!(renamed.clone().unrestricted().execute(&mut session).await?, 4);
        let asked = Pet::update().set(Pet::name, "m").filter(Pet::owner.exists());
        assert_eq!(asked.execute(&mut session).await?, 2);
        assert_eq!(PetToy::delete().all_rows().execute(&mut session).await?, 6);
        assert_eq!(Pet::delete().all_rows().execute(&mut session).await?, 3);
        assert_eq!(Pet::delete().all_rows().without_criteria::<Pet>().execute(&mut session).await?, 1);
        session.rollback().await?;
    }

    /// Issue 5: reads without a session keep to them on the factory, not on the engine.
    async fn rule_11_2_criteria_hold_on_a_factory(db) {
        let sessions = kennel(&db).await?;
        assert_eq!(Owner::select().on(&sessions).all().await?.len(), 2);
        assert_eq!(Owner::select().on(&db.engine).all().await?.len(), 3);
        assert_eq!(Owner::select().on(&sessions).count().await?, 2);
        assert_eq!(Owner::select().columns(Owner::name).on(&sessions).all().await?.len(), 2);
        assert_eq!(Owner::select().unrestricted().on(&sessions).page(1, 2).await?.total, 3);
        assert_eq!(Owner::select().on(&sessions).page(1, 2).await?.total, 2);
        let graph = Owner::select().with(Owner::pets.joined()).on(&sessions).graph().await?;
        let ada = graph.roots().next().expect("two");
        assert_eq!(graph.members(ada, Owner::pets)?.len(), 2);
        assert_eq!(Pet::update().set(Pet::name, "n").all_rows().on(&sessions).execute().await?, 3);
    }

    /// Issue 5: pages, slices, batches and streams, of objects, tuples and views.
    async fn rule_11_2_criteria_hold_part_by_part(db) {
        let sessions = kennel(&db).await?;
        let mut session = sessions.session();
        let pets = Pet::select().order_by(Pet::name.asc());
        assert_eq!(pets.clone().page(&mut session, 1, 10).await?.total, 3);
        let first = pets.clone().slice(&mut session, 2).await?;
        let next = first.next.expect("there is one more");
        assert_eq!(pets.clone().after(&mut session, &next, 2).await?.items.len(), 1);
        let names = pets.clone().columns(Pet::name);
        assert_eq!(names.clone().page(&mut session, 1, 10).await?.items, ["a", "b", "c"]);
        assert_eq!(names.clone().slice(&mut session, 5).await?.items.len(), 3);
        let views = pets.clone().view::<PetOut>();
        assert_eq!(views.clone().all(&mut session).await?.len(), 3);
        assert_eq!(views.clone().slice(&mut session, 5).await?.items.len(), 3);
        let mut batches = pets.clone().batches(2);
        let mut met = 0;
        while let Some(batch) = batches.next(&mut session).await? {
            met += batch.len();
        }
        assert_eq!(met, 3);
        let mut lifted = pets.clone().unrestricted().batches(3);
        assert_eq!(lifted.next(&mut session).await?.map(|batch| batch.len()), Some(3));
        assert_eq!(lifted.next(&mut session).await?.map(|batch| batch.len()), Some(1));

        let mut streamed = 0;
        let mut entities = pets.clone().on(&sessions).stream();
        while let Some(pet) = entities.next().await {
            assert!(!pet?.gone);
            streamed += 1;
        }
        let mut graphs = Owner::select().with(Owner::pets).on(&sessions).graphs(1);
        while let Some(graph) = graphs.next().await {
            let graph = graph?;
            for owner in graph.roots() {
                streamed += graph.members(owner, Owner::pets)?.len();
            }
        }
        let mut streams = views.on(&sessions).stream();
        while let Some(view) = streams.next().await {
            view?;
            streamed += 1;
        }
        assert_eq!(streamed, 3 + 2 + 3);
        assert_eq!(names.on(&sessions).slice(5).await?.items.len(), 3);
    }

    /// DESIGN 6: views, nested ones too.
    async fn rule_11_2_criteria_hold_in_views(db) {
        let sessions = kennel(&db).await?;
        let query = Owner::select().order_by(Owner::id.asc()).view::<OwnerOut>();
        let owners = query.clone().on(&sessions).all().await?;
        let toys = || vec![ToyOut { name: "t".into() }];
        let pets = ["a", "b"].map(|name| PetOut { name: name.into(), toys: toys() });
        let ada = OwnerOut { name: "Ada".into(), pets: pets.into() };
        assert_eq!(owners, [ada, OwnerOut { name: "Bob".into(), pets: Vec::new() }]);
        let all = query.unrestricted().on(&sessions).all().await?;
        assert_eq!((all.len(), all[0].pets.len()), (3, 3));
        // A reference to a hidden row is not None.
        let pets = Pet::select().order_by(Pet::id.asc()).view::<Owned>();
        assert!(is_hidden(pets.clone().on(&sessions).all().await));
        let named = pets.without_criteria::<Owner>().on(&sessions).all().await?;
        assert_eq!(named[2].owner, Some(NameOut { name: "Gone".into() }));
        let badged = Owner::select().view::<Badged>();
        assert!(is_hidden(badged.clone().on(&sessions).all().await), "Ada's is gone");
        let bob = badged.filter(Owner::name.eq("Bob")).on(&sessions).one().await?;
        assert_eq!(bob.badge, None, "he never had one");
    }

    /// Issue 5: the unit of work sees every row.
    async fn rule_7_a_flush_sees_what_is_hidden(db) {
        let sessions = kennel(&db).await?;
        for load in [true, false] {
            let mut session = sessions.session();
            let ada = session.require::<Owner>(1).await?;
            if load {
                assert_eq!(ada.pets(&mut session).await?.len(), 2);
                let pets = session[ada].pets.loaded().expect("loaded").to_vec();
                for pet in pets {
                    pet.toys(&mut session).await?;
                }
            }
            session.delete(ada);
            session.flush().await?;
            let left = Pet::select().unrestricted().all(&mut session).await?;
            assert_eq!(left.len(), 1, "the one that is gone is deleted with the others");
            session.rollback().await?;
        }
    }

    /// Issue 5: what is hidden is left alone where a collection is replaced, loaded or not.
    async fn rule_7_replacing_leaves_hidden_members_alone(db) {
        let sessions = kennel(&db).await?;
        for load in [true, false] {
            let mut session = sessions.session();
            let ada = session.require::<Owner>(1).await?;
            if load {
                ada.pets(&mut session).await?;
            }
            let kept = session.require::<Pet>(1).await?;
            session.replace(ada, Owner::pets, [kept]);
            session.flush().await?;
            let left = Pet::select().unrestricted().filter(Pet::owner_id.eq(1));
            let left = left.order_by(Pet::id.asc()).all(&mut session).await?;
            let names: Vec<&str> = left.iter().map(|pet| &*session[*pet].name).collect();
            assert_eq!(names, ["a", "x"], "loaded: {load}");
            session.rollback().await?;
        }
    }

    /// Issue 5: an association's own criteria hide pairs.
    async fn rule_11_2_criteria_of_an_association(db) {
        kennel(&db).await?;
        let sessions = db.sessions.clone().with_criteria::<PetToy>(PetToy::lost.eq(0));
        let mut session = sessions.session();
        let lost = PetToy::update().set(PetToy::lost, 1).filter(PetToy::pet_id.eq(1));
        assert_eq!(lost.execute(&mut session).await?, 2);
        for load in [Pet::toys.joined(), Pet::toys.selectin(), Pet::toys.subquery()] {
            let mut session = other_session(&mut session, &sessions).await?;
            let pets = Pet::select().order_by(Pet::id.asc()).with(load).all(&mut session).await?;
            let toys = |pet: Handle<Pet>| session[pet].toys.loaded().map(<[_]>::len);
            assert_eq!((toys(pets[0]), toys(pets[1])), (Some(0), Some(2)));
            let playing = Pet::select().filter(Pet::toys.any(Toy::name.eq("t")));
            assert_eq!(playing.count(&mut session).await?, 2);
        }
    }

    /// Issue 5: unloaded by a query that lifts them, loaded whole; found by what sees all.
    async fn rule_11_5_lifted_for_one_query(db) {
        let sessions = kennel(&db).await?;
        let mut session = sessions.session();
        let ada = session.require::<Owner>(1).await?;
        assert_eq!(ada.pets(&mut session).await?.len(), 2);
        assert_eq!(ada.pets(&mut session).query().count().await?, 2);
        assert_eq!(ada.pets(&mut session).query().unrestricted().count().await?, 3);
        let all = Owner::select().filter(Owner::id.eq(1)).without_criteria::<Pet>();
        all.with(Owner::pets).one(&mut session).await?;
        assert_eq!(session[ada].pets.loaded().map(<[_]>::len), Some(3), "what was left out is added");
        let sessions = db.sessions.clone().with_criteria::<Pet>(Pet::owner.has(Owner::gone.eq(false)));
        let sessions = sessions.with_criteria::<Pet>(Pet::gone.eq(false));
        assert_eq!(Pet::select().count(&mut sessions.session()).await?, 2, "both hold");
    }
}

/// Ends a session's work, for another to see.
async fn other_session(
    session: &mut orm_core::Session,
    sessions: &SessionFactory,
) -> Result<orm_core::Session> {
    session.commit().await?;
    Ok(sessions.session())
}
