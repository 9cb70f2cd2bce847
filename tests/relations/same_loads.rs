//! Random graphs loaded by random mixtures of strategies: the same objects, the same members, in
//! the same order, whatever the mixture.

use std::collections::BTreeMap;

use orm_core::error::Result;
use orm_core::query::{IntoLoad, Load, Select};
use orm_core::{
    BelongsTo, Graph, Handle, HasMany, HasOne, ManyToMany, Model, Schema, Session, schema,
};
use orm_tests::{Database, backend_tests};

/// All four kinds of relationships, to others and to itself; two of them to the same table.
#[derive(Model)]
struct Writer {
    name: String,
    #[orm(foreign_key = Writer)]
    mentor_id: Option<i64>,
    #[orm(back_populates = pupils)]
    mentor: BelongsTo<Writer>,
    #[orm(back_populates = mentor)]
    pupils: HasMany<Writer>,
    #[orm(back_populates = writer)]
    desk: HasOne<Desk>,
    #[orm(back_populates = writer)]
    essays: HasMany<Essay>,
    #[orm(back_populates = editor)]
    edited: HasMany<Essay>,
    #[orm(secondary = "writer_circles", back_populates = writers)]
    circles: ManyToMany<Circle>,
}

/// Nothing keeps a writer from having several.
#[derive(Model)]
struct Desk {
    place: i32,
    #[orm(foreign_key = Writer)]
    writer_id: Option<i64>,
    #[orm(back_populates = desk)]
    writer: BelongsTo<Writer>,
}

#[derive(Model)]
#[orm(foreign_key(year => Circle::year, no => Circle::no))]
struct Essay {
    title: String,
    #[orm(foreign_key = Writer)]
    writer_id: i64,
    #[orm(foreign_key = Writer)]
    editor_id: Option<i64>,
    #[orm(back_populates = essays)]
    writer: BelongsTo<Writer>,
    #[orm(back_populates = edited)]
    editor: BelongsTo<Writer>,
    year: Option<i32>,
    no: Option<i32>,
    #[orm(via = (year, no), back_populates = essays)]
    circle: BelongsTo<Circle>,
}

/// Known by two columns.
#[derive(Model)]
#[orm(base = none)]
struct Circle {
    #[orm(primary_key)]
    year: i32,
    #[orm(primary_key)]
    no: i32,
    #[orm(secondary = "writer_circles", back_populates = circles)]
    writers: ManyToMany<Writer>,
    #[orm(back_populates = circle)]
    essays: HasMany<Essay>,
}

fn tables() -> Schema {
    schema![Writer, Desk, Essay, Circle]
}

/// A small generator of our own: the same numbers everywhere, by a seed that can be told.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((x ^ (x >> 31)) % sides as u64) as usize
    }
}

// ---------------------------------------------------------------- the graph

async fn store(session: &mut Session, dice: &mut Dice) -> Result<()> {
    let writers: Vec<_> = (0..2 + dice.roll(6))
        .map(|_| session.add(Writer::draft().name(["x", "y", "z"][dice.roll(3)])))
        .collect();
    let circles: Vec<_> =
        (0..3).map(|at| session.add(Circle::draft().year(2000 + at % 2).no(at))).collect();
    let any = |dice: &mut Dice| writers[dice.roll(writers.len())];
    for &writer in &writers {
        if dice.roll(3) > 0 {
            let mentor = any(dice);
            session.set_one(writer, Writer::mentor, mentor);
        }
        for &circle in &circles {
            if dice.roll(2) == 0 {
                session.push(writer, Writer::circles, circle);
            }
        }
        session.flush().await?;
        for at in 0..dice.roll(3) {
            let id = session[writer].id();
            session.add(Desk::draft().place(at as i32).writer_id(id));
        }
        for _ in 0..dice.roll(4) {
            let essay = Essay::draft().title(["a", "b"][dice.roll(2)]).writer(writer);
            let essay = session.add(essay);
            if dice.roll(2) == 0 {
                session.set_one(essay, Essay::editor, any(dice));
            }
            if dice.roll(2) == 0 {
                session.set_one(essay, Essay::circle, circles[dice.roll(3)]);
            }
        }
    }
    session.commit().await
}

// ---------------------------------------------------------------- the loads

/// What is loaded: the same for all mixtures of a seed. An object can be reached by several ways,
/// so each relationship has one order and is narrowed in one way.
#[derive(Clone, Copy)]
struct Shape {
    order: usize,
    narrowed: usize,
}

/// How: a strategy for each relationship and level.
struct Mixture(Dice);

impl Mixture {
    fn strategy<M: Model, T: Model>(&mut self, load: Load<M, T>) -> Load<M, T> {
        match self.0.roll(3) {
            0 => load.joined(),
            1 => load.selectin(),
            _ => load.subquery(),
        }
    }
}

/// What relationships can be loaded with.
trait With<M: Model>: Sized {
    fn load(self, load: impl IntoLoad<Owner = M>) -> Self;
}

impl<M: Model> With<M> for Select<M> {
    fn load(self, load: impl IntoLoad<Owner = M>) -> Self {
        self.with(load)
    }
}

impl<M: Model, T: Model> With<T> for Load<M, T> {
    fn load(self, load: impl IntoLoad<Owner = T>) -> Self {
        self.with(load)
    }
}

/// Loads so many levels below writers. `shaping` decides which relationships, equally for each
/// mixture.
fn below_writers<W: With<Writer>>(
    mut to: W,
    levels: usize,
    shape: Shape,
    shaping: &mut Dice,
    by: &mut Mixture,
) -> W {
    if levels == 0 {
        return to;
    }
    if shaping.roll(2) == 0 {
        let load = by.strategy(Writer::mentor.into_load());
        to = to.load(below_writers(load, levels - 1, shape, shaping, by));
    }
    if shaping.roll(2) == 0 {
        let load = match shape.order {
            0 => Writer::pupils.into_load(),
            _ => Writer::pupils.order_by((Writer::name.desc(), Writer::id.desc())),
        };
        let load = by.strategy(load);
        to = to.load(below_writers(load, levels - 1, shape, shaping, by));
    }
    if shaping.roll(2) == 0 {
        let load = by.strategy(Writer::desk.into_load());
        to = to.load(match shaping.roll(2) {
            0 => load,
            _ => load.with(below_writers(
                by.strategy(Desk::writer.into_load()),
                levels - 1,
                shape,
                shaping,
                by,
            )),
        });
    }
    if shaping.roll(2) == 0 {
        let load = by.strategy(match shape.narrowed {
            0 => Writer::essays.into_load(),
            1 => Writer::essays.filter(Essay::title.eq("a")),
            2 => Writer::essays.order_by(Essay::title.desc()).limit(2),
            _ => Writer::essays.filter(Essay::year.is_not_null()).limit(1),
        });
        to = to.load(below_essays(load, levels - 1, shape, shaping, by));
    }
    if shaping.roll(3) == 0 {
        let load = by.strategy(Writer::edited.order_by(Essay::title.asc()));
        to = to.load(below_essays(load, levels - 1, shape, shaping, by));
    }
    if shaping.roll(2) == 0 {
        let load = by.strategy(match shape.narrowed {
            3 => Writer::circles.order_by(Circle::no.desc()).limit(1),
            _ => Writer::circles.into_load(),
        });
        to = to.load(below_circles(load, levels - 1, shape, shaping, by));
    }
    to
}

fn below_essays<W: With<Essay>>(
    mut to: W,
    levels: usize,
    shape: Shape,
    shaping: &mut Dice,
    by: &mut Mixture,
) -> W {
    if levels == 0 {
        return to;
    }
    if shaping.roll(3) == 0 {
        let load = by.strategy(Essay::editor.into_load());
        to = to.load(below_writers(load, levels - 1, shape, shaping, by));
    }
    if shaping.roll(3) == 0 {
        let load = by.strategy(Essay::writer.into_load());
        to = to.load(below_writers(load, levels - 1, shape, shaping, by));
    }
    if shaping.roll(2) == 0 {
        let load = by.strategy(Essay::circle.into_load());
        to = to.load(below_circles(load, levels - 1, shape, shaping, by));
    }
    to
}

fn below_circles<W: With<Circle>>(
    mut to: W,
    levels: usize,
    shape: Shape,
    shaping: &mut Dice,
    by: &mut Mixture,
) -> W {
    if levels == 0 {
        return to;
    }
    if shaping.roll(2) == 0 {
        let load = by.strategy(Circle::writers.into_load());
        to = to.load(below_writers(load, levels - 1, shape, shaping, by));
    }
    if shaping.roll(3) == 0 {
        let load = by.strategy(match shape.order {
            0 => Circle::essays.into_load(),
            _ => Circle::essays.order_by((Essay::title.desc(), Essay::id.asc())),
        });
        to = to.load(below_essays(load, levels - 1, shape, shaping, by));
    }
    to
}

// ---------------------------------------------------------------- what was loaded

/// Every object that is reached, by its name, with what is shown of its relationships.
type Picture = BTreeMap<String, String>;

macro_rules! pictures {
    ($($of:ty, $writer:ident, $desk:ident, $essay:ident, $circle:ident;)+) => {$(
        fn $writer(it: &$of, writer: Handle<Writer>, into: &mut Picture) -> String {
            let entity = &it[writer];
            let name = format!("writer {} {}", entity.id(), entity.name);
            if !into.contains_key(&name) {
                into.insert(name.clone(), String::new());
                let shown = format!(
                    "mentor {:?} pupils {:?} desk {:?} essays {:?} {:?} edited {:?} circles {:?} {:?}",
                    entity.mentor.loaded().map(|of| of.map(|of| $writer(it, of, into))),
                    entity.pupils.loaded().map(|all| all.iter().map(|of| $writer(it, *of, into)).collect::<Vec<_>>()),
                    entity.desk.loaded().map(|of| of.map(|of| $desk(it, of, into))),
                    entity.essays.loaded().map(|all| all.iter().map(|of| $essay(it, *of, into)).collect::<Vec<_>>()),
                    entity.essays.narrowed().map(|all| all.iter().map(|of| $essay(it, *of, into)).collect::<Vec<_>>()),
                    entity.edited.loaded().map(|all| all.iter().map(|of| $essay(it, *of, into)).collect::<Vec<_>>()),
                    entity.circles.loaded().map(|all| all.iter().map(|of| $circle(it, *of, into)).collect::<Vec<_>>()),
                    entity.circles.narrowed().map(|all| all.iter().map(|of| $circle(it, *of, into)).collect::<Vec<_>>()),
                );
                into.insert(name.clone(), shown);
            }
            name
        }

        fn $desk(it: &$of, desk: Handle<Desk>, into: &mut Picture) -> String {
            let name = format!("desk {} {}", it[desk].id(), it[desk].place);
            if !into.contains_key(&name) {
                into.insert(name.clone(), String::new());
                let writer = it[desk].writer.loaded();
                let shown = format!("{:?}", writer.map(|of| of.map(|of| $writer(it, of, into))));
                into.insert(name.clone(), shown);
            }
            name
        }

        fn $essay(it: &$of, essay: Handle<Essay>, into: &mut Picture) -> String {
            let entity = &it[essay];
            let name = format!("essay {} {}", entity.id(), entity.title);
            if !into.contains_key(&name) {
                into.insert(name.clone(), String::new());
                let shown = format!(
                    "{:?} {:?} {:?}",
                    entity.writer.loaded().map(|of| of.map(|of| $writer(it, of, into))),
                    entity.editor.loaded().map(|of| of.map(|of| $writer(it, of, into))),
                    entity.circle.loaded().map(|of| of.map(|of| $circle(it, of, into))),
                );
                into.insert(name.clone(), shown);
            }
            name
        }

        fn $circle(it: &$of, circle: Handle<Circle>, into: &mut Picture) -> String {
            let entity = &it[circle];
            let name = format!("circle {} {}", entity.year, entity.no);
            if !into.contains_key(&name) {
                into.insert(name.clone(), String::new());
                let shown = format!(
                    "{:?} {:?}",
                    entity.writers.loaded().map(|all| all.iter().map(|of| $writer(it, *of, into)).collect::<Vec<_>>()),
                    entity.essays.loaded().map(|all| all.iter().map(|of| $essay(it, *of, into)).collect::<Vec<_>>()),
                );
                into.insert(name.clone(), shown);
            }
            name
        }
    )+};
}

pictures! {
    Session, writer_in_session, desk_in_session, essay_in_session, circle_in_session;
    Graph<Writer>, writer_in_graph, desk_in_graph, essay_in_graph, circle_in_graph;
}

/// The roots in their order, and all that is reached from them.
fn picture<T>(
    of: &T,
    roots: impl IntoIterator<Item = Handle<Writer>>,
    reach: fn(&T, Handle<Writer>, &mut Picture) -> String,
) -> (Vec<String>, Picture) {
    let mut picture = Picture::new();
    let roots = roots.into_iter().map(|root| reach(of, root, &mut picture)).collect();
    (roots, picture)
}

/// One graph, one shape, several mixtures.
async fn compare(db: &Database, seed: u64) -> Result<()> {
    let mut dice = Dice(seed);
    db.engine.drop_all(&tables()).await?;
    db.create(&tables()).await?;
    store(&mut db.session(), &mut dice).await?;
    let shape = Shape { order: dice.roll(2), narrowed: dice.roll(4) };
    let (limit, offset, shaping) = (dice.roll(5) as u64, dice.roll(2) as u64, dice.roll(1 << 30));
    let mut expected = None;
    for mixture in 0..5_u64 {
        let query = || {
            let mut by = Mixture(Dice(seed.wrapping_mul(31).wrapping_add(mixture)));
            let query = Writer::select().order_by(Writer::name.asc()).order_by(Writer::id.desc());
            let query = match limit {
                0 => query,
                limit => query.limit(limit).offset(offset),
            };
            below_writers(query, 3, shape, &mut Dice(shaping as u64), &mut by)
        };
        let mut session = db.session();
        let roots = query().all(&mut session).await?;
        let seen = picture(&session, roots, writer_in_session);
        let graph = query().on(&db.engine).graph().await?;
        let in_graph = picture(&graph, graph.roots(), writer_in_graph);
        let told = format!("ORM_TEST_SEED={seed}, mixture {mixture}");
        assert_eq!(in_graph, seen, "{told}: a graph and a session");
        let (roots, objects): &(Vec<String>, Picture) =
            expected.get_or_insert_with(|| seen.clone());
        assert_eq!(&seen.0, roots, "{told}");
        let differ = |(name, shown): &(&String, &String)| seen.1.get(*name) != Some(*shown);
        let differ: Vec<_> = objects.iter().filter(differ).collect();
        assert!(differ.is_empty(), "{told}: {differ:#?}, but\n{:#?}", seen.1);
        assert_eq!(seen.1.len(), objects.len(), "{told}");
        // Loaded once more by another mixture, nothing changes.
        let mut by = Mixture(Dice(seed ^ 77));
        let query = below_writers(Writer::select(), 1, shape, &mut Dice(shaping as u64), &mut by);
        let roots = query.clone().all(&mut session).await?;
        let before = picture(&session, roots, writer_in_session);
        let roots = query.all(&mut session).await?;
        let after = picture(&session, roots, writer_in_session);
        assert_eq!(before, after, "{told}: again");
    }
    Ok(())
}

backend_tests! {
    /// SEMANTICS 11.2–11.5: as many graphs as `ORM_TEST_GRAPHS` says, from `ORM_TEST_SEED` on.
    async fn rule_11_3_every_mixture_of_strategies_loads_the_same(db) {
        let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
        let first: u64 = number("ORM_TEST_SEED").unwrap_or(0);
        let graphs: u64 = number("ORM_TEST_GRAPHS").unwrap_or(12);
        eprintln!("seeds {first}..{}", first + graphs);
        for seed in first..first + graphs {
            compare(&db, seed).await?;
        }
    }
}
