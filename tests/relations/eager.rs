//! joined and selectin: what they emit, and that they give the same.

use orm_core::error::Result;
use orm_core::{Handle, Session};
use orm_tests::{Database, backend_tests};

use crate::models::*;

/// Users with posts, comments and tags: user `n` has `n` posts.
async fn blog(db: &Database) -> Result<()> {
    db.create(&blog_tables()).await?;
    let mut session = db.session();
    let tags = session.add_all(["x", "y"].map(|name| Tag::draft().name(name)));
    for user in 0..4_usize {
        let posts = (0..user).map(|post| {
            Post::draft()
                .title(format!("{user}.{post}"))
                .comments((0..post).map(|text| Comment::draft().text(text.to_string())))
                .tags(tags.iter().copied().take(post))
        });
        session.add(User::draft().name(format!("user {user}")).posts(posts.collect::<Vec<_>>()));
    }
    session.commit().await
}

/// Everything below the users, as text.
fn outline(session: &Session, users: &[Handle<User>]) -> Result<Vec<String>> {
    let mut lines = Vec::new();
    for &user in users {
        lines.push(session[user].name.clone());
        for (post, entity) in session.members(user, User::posts)? {
            lines.push(entity.title.clone());
            for (_, comment) in session.members(post, Post::comments)? {
                lines.push(comment.text.clone());
            }
            for (_, tag) in session.members(post, Post::tags)? {
                lines.push(tag.name.clone());
            }
        }
    }
    Ok(lines)
}

backend_tests! {
    /// SEMANTICS 11.2
    async fn rule_11_2_joined_is_one_statement(db) {
        blog(&db).await?;
        let mut session = db.session();
        let log = db.log();
        let users = User::select()
            .order_by(User::id.asc())
            .with(User::posts.joined().with(Post::comments.joined()).with(Post::tags.joined()))
            .all(&mut session)
            .await?;
        assert_eq!(log.emitted(), ["SELECT users"]);
        assert_eq!(users.len(), 4, "each user comes once");
        let mut other = db.session();
        let same = User::select()
            .order_by(User::id.asc())
            .with(User::posts.with(Post::comments).with(Post::tags))
            .all(&mut other)
            .await?;
        assert_eq!(
            log.emitted(),
            ["SELECT users", "SELECT posts", "SELECT comments", "SELECT tags"],
        );
        assert_eq!(outline(&session, &users)?, outline(&other, &same)?);
        assert_eq!(session[users[0]].posts.loaded(), Some(&[][..]), "empty, not unloaded");
    }

    /// SEMANTICS 11.2: the limit counts users, not joined rows.
    async fn rule_11_2_a_limit_counts_primary_rows(db) {
        blog(&db).await?;
        let mut session = db.session();
        let log = db.log();
        let users = User::select()
            .order_by(User::name.desc())
            .limit(2)
            .offset(1)
            .with(User::posts.joined())
            .all(&mut session)
            .await?;
        assert_eq!(log.texts().len(), 1);
        let names: Vec<&str> = users.iter().map(|user| &*session[*user].name).collect();
        assert_eq!(names, ["user 2", "user 1"]);
        assert_eq!(session.members(users[0], User::posts)?.len(), 2);
        let first = User::select()
            .order_by(User::id.desc())
            .with(User::posts.joined())
            .first(&mut db.session())
            .await?;
        assert!(first.is_some());
    }

    /// SEMANTICS 11.2: filters of the query see its own tables only.
    async fn rule_11_2_filters_never_hit_the_joined_alias(db) {
        blog(&db).await?;
        let mut session = db.session();
        let users = User::select()
            .join(User::posts)
            .filter(Post::title.eq("3.0"))
            .with(User::posts.joined())
            .all(&mut session)
            .await?;
        assert_eq!(users.len(), 1);
        assert_eq!(session.members(users[0], User::posts)?.len(), 3, "the whole collection");
    }

    /// SEMANTICS 11.2: LEFT JOIN where the key is nullable, so that no row is lost.
    async fn rule_11_2_a_reference_that_leads_nowhere_keeps_its_row(db) {
        db.create(&book_tables()).await?;
        let mut session = db.session();
        session.add(Book::draft().title("A").author(Author::draft().name("Ada")));
        session.add(Book::draft().title("B"));
        session.commit().await?;
        let mut session = db.session();
        let books = Book::select()
            .order_by(Book::id.asc())
            .with(Book::author.joined())
            .all(&mut session)
            .await?;
        assert_eq!(books.len(), 2);
        assert!(matches!(session[books[0]].author.loaded(), Some(Some(_))));
        assert_eq!(session[books[1]].author.loaded(), Some(None));
    }

    /// SEMANTICS 11.2: a relationship's order comes after the query's own.
    async fn rule_11_2_the_relationships_order_comes_last(db) {
        db.create(&rack_tables()).await?;
        let mut session = db.session();
        for name in ["one", "two"] {
            session.add(Shop::draft().name(name).racks([2, 3, 1].map(|at| Rack::draft().place(at))));
        }
        session.commit().await?;
        for joined in [false, true] {
            let mut session = db.session();
            let load = if joined { Shop::racks.joined() } else { Shop::racks.selectin() };
            let shops = Shop::select()
                .order_by(Shop::name.desc())
                .with(load)
                .all(&mut session)
                .await?;
            let names: Vec<&str> = shops.iter().map(|shop| &*session[*shop].name).collect();
            assert_eq!(names, ["two", "one"]);
            let places = session.members(shops[0], Shop::racks)?.map(|(_, rack)| rack.place);
            assert_eq!(places.collect::<Vec<_>>(), [3, 2, 1], "joined: {joined}");
        }
        // The order of an option takes the place of the relationship's.
        let mut session = db.session();
        let shops = Shop::select()
            .with(Shop::racks.joined().order_by(Rack::place.asc()))
            .all(&mut session)
            .await?;
        let places = session.members(shops[0], Shop::racks)?.map(|(_, rack)| rack.place);
        assert_eq!(places.collect::<Vec<_>>(), [1, 2, 3]);
    }

    /// SEMANTICS 11.2: objects that the query's order leaves equal keep their members apart.
    async fn rule_11_2_equal_order_does_not_mix_objects(db) {
        db.create(&rack_tables()).await?;
        let mut session = db.session();
        for places in [[5, 1], [4, 2]] {
            session.add(Shop::draft().name("same").racks(places.map(|at| Rack::draft().place(at))));
        }
        session.commit().await?;
        let mut session = db.session();
        let shops = Shop::select()
            .order_by(Shop::name.asc())
            .with(Shop::racks.joined().order_by(Rack::place.asc()))
            .all(&mut session)
            .await?;
        let ids: Vec<i64> = shops.iter().map(|shop| session[*shop].id()).collect();
        assert_eq!(ids, [1, 2]);
    }

    /// SEMANTICS 11.3: nothing where there are no parents.
    async fn rule_11_3_no_parents_no_statement(db) {
        blog(&db).await?;
        let mut session = db.session();
        let log = db.log();
        let none = User::select()
            .filter(User::name.eq("nobody"))
            .with(User::posts.with(Post::comments))
            .all(&mut session)
            .await?;
        assert!(none.is_empty());
        assert_eq!(log.emitted(), ["SELECT users"]);
        User::select().filter(User::id.eq(1)).with(User::posts.with(Post::comments)).one(&mut session).await?;
        assert_eq!(log.emitted(), ["SELECT users", "SELECT posts"], "and no posts, no comments");
    }

    /// SEMANTICS 11.3: keys go in chunks.
    async fn rule_11_3_many_keys_go_in_chunks(db) {
        db.create(&book_tables()).await?;
        let mut session = db.session();
        session.add_all((0..1_001).map(|at| {
            Author::draft().name(format!("{at}")).books([Book::draft().title(format!("{at}"))])
        }));
        session.commit().await?;
        let mut session = db.session();
        let log = db.log();
        let authors = Author::select().with(Author::books).all(&mut session).await?;
        assert_eq!(log.emitted(), ["SELECT authors", "SELECT books", "SELECT books"]);
        for author in authors {
            let name = session[author].name.clone();
            let books: Vec<_> = session.members(author, Author::books)?.collect();
            assert_eq!(books.len(), 1);
            assert_eq!(books[0].1.title, name);
        }
    }

    /// SEMANTICS 11.3: composite keys.
    async fn rule_11_3_composite_keys(db) {
        db.create(&invoice_tables()).await?;
        let mut session = db.session();
        for (year, number) in [(2023, "2"), (2024, "1"), (2024, "2")] {
            let items = [Item::draft().what(format!("{year}/{number}"))];
            session.add(Invoice::draft().year(year).number(number).items(items));
        }
        session.add(Item::draft().what("loose"));
        session.commit().await?;
        let mut session = db.session();
        let log = db.log();
        let invoices = Invoice::select().with(Invoice::items).all(&mut session).await?;
        assert_eq!(log.emitted(), ["SELECT invoices", "SELECT items"]);
        for invoice in invoices {
            let what = format!("{}/{}", session[invoice].year, session[invoice].number);
            let items: Vec<_> = session.members(invoice, Invoice::items)?.collect();
            assert_eq!(items.len(), 1);
            assert_eq!(items[0].1.what, what);
        }
        let mut session = db.session();
        let items = Item::select().order_by(Item::id.asc()).with(Item::invoice).all(&mut session).await?;
        let invoice = session.follow(items[1], Item::invoice)?.expect("it has one");
        assert_eq!((invoice.year, &*invoice.number), (2024, "1"));
        assert!(session.follow(items[3], Item::invoice)?.is_none());
    }

    /// SEMANTICS 11.3: many-to-one takes distinct keys and skips known objects.
    async fn rule_11_3_references_skip_known_objects(db) {
        blog(&db).await?;
        let mut session = db.session();
        User::select().all(&mut session).await?;
        let log = db.log();
        let posts = Post::select().with(Post::user).all(&mut session).await?;
        assert_eq!(log.emitted(), ["SELECT posts"], "every user is known");
        assert_eq!(posts.len(), 6);
        assert!(posts.iter().all(|post| session[*post].user.loaded().is_some()));
        let mut session = db.session();
        Post::select().with(Post::user).all(&mut session).await?;
        let texts = log.texts();
        assert_eq!(texts.len(), 2);
    }

    /// SEMANTICS 11.5, 2.2: a load fills what is not loaded and overwrites nothing.
    async fn rule_11_5_loads_never_overwrite(db) {
        blog(&db).await?;
        for joined in [false, true] {
            let mut session = db.session();
            session.autoflush(false);
            let user = session.require::<User>(4).await?;
            let post = session.require::<Post>(4).await?;
            session[user].name = "edited".into();
            session[post].title = "edited".into();
            let new = session.add(Post::draft().title("new").user(user));
            let gone = session.require::<Post>(5).await?;
            session.remove(user, User::posts, gone);
            let load = if joined { User::posts.joined() } else { User::posts.selectin() };
            User::select().with(load).all(&mut session).await?;
            assert_eq!(session[user].name, "edited");
            assert_eq!(session[post].title, "edited");
            let members = session[user].posts.loaded().expect("filled in").to_vec();
            assert!(members.contains(&new) && !members.contains(&gone), "joined: {joined}");
            assert_eq!(members.len(), 3);
            // Loaded now: the next load leaves it alone, and what is below it is filled in.
            let log = db.log();
            User::select()
                .with(User::posts.with(Post::comments))
                .all(&mut session)
                .await?;
            assert_eq!(session[user].posts.loaded(), Some(&members[..]));
            assert_eq!(log.emitted(), ["SELECT users", "SELECT comments"]);
        }
    }

    /// SEMANTICS 11.5: the options of one query are not those of the next.
    async fn rule_11_5_options_do_not_stick(db) {
        blog(&db).await?;
        let mut session = db.session();
        let user = User::select()
            .filter(User::id.eq(2))
            .with(User::posts.raise())
            .one(&mut session)
            .await?;
        assert_eq!(user.posts(&mut session).await?.len(), 1);
    }

    /// SEMANTICS 11.5: an eager relationship of the model is loaded, and a query can say no.
    async fn rule_11_5_the_models_strategy_is_a_default(db) {
        db.create(&rack_tables()).await?;
        let mut session = db.session();
        session.add(Shop::draft().name("Corner").racks([1, 2].map(|at| Rack::draft().place(at))));
        session.commit().await?;
        let mut session = db.session();
        let log = db.log();
        let shop = Shop::select().one(&mut session).await?;
        // The racks would join their shop: the cycle ends there.
        assert_eq!(log.emitted(), ["SELECT shops", "SELECT racks"]);
        assert_eq!(session.members(shop, Shop::racks)?.len(), 2);
        let mut session = db.session();
        let rack = session.require::<Rack>(1).await?;
        assert_eq!(log.emitted(), ["SELECT racks"], "its shop is joined");
        assert!(matches!(session[rack].shop.loaded(), Some(Some(_))));
        let mut session = db.session();
        let shop = Shop::select().with(Shop::racks.lazy()).one(&mut session).await?;
        assert_eq!(log.emitted(), ["SELECT shops"]);
        assert_eq!(session[shop].racks.loaded(), None);
    }

    /// SEMANTICS 11.2, 11.3: a one-to-one from the side without the key.
    async fn rule_11_2_one_to_one_from_the_other_side(db) {
        db.create(&country_tables()).await?;
        let mut session = db.session();
        session.add(Country::draft().name("France").capital(Capital::draft().name("Paris")));
        session.add(Country::draft().name("Nowhere"));
        session.commit().await?;
        for joined in [false, true] {
            let mut session = db.session();
            let load = Country::capital.with(Capital::country);
            let load = if joined { load.joined() } else { load.selectin() };
            let countries =
                Country::select().order_by(Country::id.asc()).with(load).all(&mut session).await?;
            let paris = session[countries[0]].capital.loaded().flatten().expect("it has one");
            assert_eq!(session[paris].country.loaded(), Some(Some(countries[0])));
            assert_eq!(session[countries[1]].capital.loaded(), Some(None), "joined: {joined}");
        }
    }

    /// SEMANTICS 11.2: foreign keys to a unique column, by both strategies.
    async fn rule_11_2_a_key_to_a_unique_column(db) {
        db.create(&account_tables()).await?;
        let mut session = db.session();
        let accounts = ["a", "b"].map(|name| Account::draft().name(name));
        session.add(Currency::draft().code("EUR").accounts(accounts));
        session.add(Account::draft().name("none"));
        session.commit().await?;
        for joined in [false, true] {
            let mut session = db.session();
            let load = Account::currency.with(Currency::accounts);
            let load = if joined { load.joined() } else { load.selectin() };
            let accounts =
                Account::select().order_by(Account::id.asc()).with(load).all(&mut session).await?;
            let euro = session[accounts[0]].currency.loaded().flatten().expect("it has one");
            assert_eq!(session[euro].accounts.loaded(), Some(&accounts[..2]));
            assert_eq!(session[accounts[2]].currency.loaded(), Some(None), "joined: {joined}");
        }
    }
}
