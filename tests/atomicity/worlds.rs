//! The rows that scenarios start from.

use orm_core::{Handle, Result, Schema, Session, schema};
use orm_tests::Database;

use crate::models::*;
use crate::world::{Cell, Memory, Rows, Shown, World, world};

async fn create(db: &Database, schema: &Schema) -> Result<()> {
    db.create(schema).await
}

/// Creates tables whose columns with the default `'random'` get another text in each row instead.
async fn create_with_random_texts(db: &Database, schema: &Schema) -> Result<()> {
    let random = format!("({})", db.capabilities.random_text);
    db.create_edited(schema, |sql| sql.replace("'random'", &random)).await
}

world! {
    /// Ada has two posts, a profile and two pictures, Bob one post; the posts have comments and
    /// tags.
    struct Blog {
        users: User {
            id(base) -> User, updated_at(time), name, visits, nickname; posts, profile, pictures
        },
        [leaf] profiles: Profile { id(base) -> Profile, motto, user_id -> User; user },
        [leaf] pictures: Picture { id(base) -> Picture, file, user_id -> User; user },
        [leaf] posts: Post {
            id(base) -> Post, updated_at(time), title, rank, user_id -> User; user, comments, tags
        },
        [leaf] comments: Comment { id(base) -> Comment, text, post_id -> Post; post },
        tags: Tag { id(base) -> Tag, name; posts },
    }
    pairs { PostTag { post_id -> Post, tag_id -> Tag }, }
    create: create,
    fill: fill_blog,
    work_before: blog_before,
}

fn fill_blog(session: &mut Session) {
    let tags = session.add_all(["orm", "rust", "sql"].map(|name| Tag::draft().name(name)));
    let posts = ["Engines", "Notes"].map(|title| {
        let comments = ["first", "second"].map(|text| Comment::draft().text(text));
        Post::draft().title(title).comments(comments).tags([tags[0], tags[1]])
    });
    let pictures = ["a.png", "b.png"].map(|file| Picture::draft().file(file));
    let profile = Profile::draft().motto("compute");
    session.add(User::draft().name("ada").posts(posts).profile(profile).pictures(pictures));
    let post = Post::draft().title("Answers").rank(42).tags([tags[2]]);
    session.add(User::draft().name("bob").nickname("b").posts([post]));
}

fn blog_before(blog: &Blog, session: &mut Session) {
    session[blog.users[1]].visits = 100;
    let before = session.add(User::draft().name("before"));
    session.push(before, User::posts, Post::draft().title("Before").tags([blog.tags[2]]));
}

world! {
    /// A tree of three levels and another root; a company with a chief; an album with a cover.
    struct Circles {
        folders: Folder { id(base) -> Folder, name, parent_id -> Folder; parent, children },
        companies: Company {
            id(base) -> Company, updated_at(time), name, chief_id -> Employee; chief, employees
        },
        [leaf] employees: Employee { id(base) -> Employee, name, company_id -> Company; company },
        albums: Album { id(base) -> Album, title, cover_id -> Photo; cover, photos },
        [leaf] photos: Photo { id(base) -> Photo, file, album_id -> Album; album },
    }
    pairs {}
    create: create,
    fill: fill_circles,
    work_before: circles_before,
}

fn fill_circles(session: &mut Session) {
    let leaf = |name: &str| Folder::draft().name(name);
    let branch =
        |name: &str| leaf(name).children(["x", "y"].map(|at| leaf(&format!("{name}{at}"))));
    session.add(leaf("root").children(["a", "b"].map(branch)));
    session.add(leaf("other"));
    for name in ["Acme", "Bell"] {
        let company = session.add(Company::draft().name(name));
        let [chief, _] = ["chief", "clerk"]
            .map(|role| session.add(Employee::draft().name(role).company(company)));
        session.set_one(company, Company::chief, chief);
    }
    let album = session.add(Album::draft().title("Trip"));
    let [cover, _] =
        ["1.jpg", "2.jpg"].map(|file| session.add(Photo::draft().file(file).album(album)));
    session.set_one(album, Album::cover, cover);
}

fn circles_before(circles: &Circles, session: &mut Session) {
    session[circles.companies[1]].name = "Before".into();
    let folder = Folder::draft().name("before");
    session.push(circles.folders[1], Folder::children, folder);
}

world! {
    /// Rows whose keys people, other rows or the server make.
    struct Keys {
        countries: Country { code, name; harbours },
        [leaf] harbours: Harbour { name, country_code; country },
        seats: Seat { hall, number, comfort; tickets },
        [leaf] tickets: Ticket { id(base) -> Ticket, holder, hall, number; seat },
        people: Person { id(base) -> Person, name; passport },
        [leaf] passports: Passport { person_id -> Person, number; person },
        vouchers: Voucher { code(random), worth },
        shops: Shop { id(base) -> Shop, name, slug(random); shelves },
        [leaf] shelves: Shelf { id(base) -> Shelf, name, shop_slug(random); shop },
    }
    pairs {}
    create: create_with_random_texts,
    fill: fill_keys,
    work_before: keys_before,
}

fn fill_keys(session: &mut Session) {
    let harbours = ["Brest", "Calais"].map(|name| Harbour::draft().name(name));
    session.add(Country::draft().code("FR").name("France").harbours(harbours));
    session.add(Country::draft().code("CH").name("Switzerland"));
    let tickets = ["ada", "bob"].map(|holder| Ticket::draft().holder(holder));
    session.add(Seat::draft().hall(1).number("1a").tickets(tickets));
    session.add(Seat::draft().hall(1).number("1b").comfort("soft"));
    for (name, number) in [("ada", "P1"), ("bob", "P2")] {
        session.add(Person::draft().name(name).passport(Passport::draft().number(number)));
    }
    for (worth, code) in [(1, "one"), (2, "two")] {
        session.add(Voucher::draft().code(code).worth(worth));
    }
    let shelves = ["top", "bottom"].map(|name| Shelf::draft().name(name));
    session.add(Shop::draft().name("corner").shelves(shelves));
}

fn keys_before(keys: &Keys, session: &mut Session) {
    session[keys.countries[0]].name = "before".into();
    session.add(Seat::draft().hall(9).number("before"));
}

world! {
    /// Badges with numbers, and lockers with things and keys.
    struct Uniques {
        badges: Badge { id(base) -> Badge, updated_at(time), label, number },
        lockers: Locker { code, colour; things, key },
        [leaf] things: Thing { id(base) -> Thing, name, locker_code; locker },
        [leaf] keys: Key { id(base) -> Key, teeth, locker_code; locker },
    }
    pairs {}
    create: create,
    fill: fill_uniques,
    work_before: uniques_before,
}

fn fill_uniques(session: &mut Session) {
    for number in 1..=3 {
        session.add(Badge::draft().label(format!("badge {number}")).number(number));
    }
    for code in ["A1", "A2"] {
        let things = ["bag", "book"].map(|name| Thing::draft().name(name));
        let locker = session.add(Locker::draft().code(code).colour("red").things(things));
        session.add(Key::draft().teeth(code).locker(locker));
    }
}

fn uniques_before(uniques: &Uniques, session: &mut Session) {
    session[uniques.lockers[1]].colour = "before".into();
    session.add(Badge::draft().label("before").number(100));
}

world! {
    /// Documents with a version, settings with defaults, counters.
    struct Columns {
        documents: Document { id(base) -> Document, updated_at(time), title, revision; pages },
        [leaf] pages: Page { id(base) -> Page, text, document_id -> Document; document },
        settings: Setting {
            id(base) -> Setting, updated_at(time), name, by_application, by_server,
            nullable_by_server, nullable
        },
        counters: Counter { id(base) -> Counter, updated_at(time), name, left, right },
    }
    pairs {}
    create: create,
    fill: fill_columns,
    work_before: columns_before,
}

fn fill_columns(session: &mut Session) {
    for title in ["a", "b", "c"] {
        let pages = ["1", "2"].map(|text| Page::draft().text(text));
        session.add(Document::draft().title(title).pages(pages));
    }
    session.add(Setting::draft().name("plain"));
    session.add(Setting::draft().name("given").by_server(21).nullable(1));
    session.add_all([1, 2, 3].map(|at| Counter::draft().name(format!("c{at}")).left(at).right(at)));
}

fn columns_before(columns: &Columns, session: &mut Session) {
    session[columns.documents[0]].title = "before".into();
    session.set(columns.counters[2], Counter::left, Counter::left + 1000);
}

world! {
    /// A ledger of more entries than fit in a statement.
    struct Bulk {
        ledgers: Ledger { id(base) -> Ledger, name; entries },
        [leaf] entries: Entry { id(base) -> Entry, amount, ledger_id -> Ledger },
    }
    pairs {}
    create: create,
    fill: fill_bulk,
    work_before: bulk_before,
}

/// More rows than any database gets in one statement.
pub(crate) const MANY: i64 = 1_100;

fn fill_bulk(session: &mut Session) {
    let entries = (0..MANY).map(|amount| Entry::draft().amount(amount));
    session.add(Ledger::draft().name("first").entries(entries));
    session.add(Ledger::draft().name("second"));
}

fn bulk_before(bulk: &Bulk, session: &mut Session) {
    session[bulk.ledgers[1]].name = "before".into();
    session.push(bulk.ledgers[1], Ledger::entries, Entry::draft().amount(-1));
}
