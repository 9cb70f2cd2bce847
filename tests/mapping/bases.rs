//! Custom bases: columns that many models share.

use chrono::{DateTime, Utc};
use orm_core::query::Condition;
use orm_core::{BaseColumns, BelongsTo, Error, HasMany, Model, Result, Session, schema};
use orm_tests::backend_tests;
use uuid::Uuid;

/// A key made by the application, a tenant, and a mark instead of a deletion.
#[derive(Debug, BaseColumns)]
struct Audited {
    #[orm(primary_key, default = uuid::Uuid::now_v7())]
    id: Uuid,
    #[orm(default = 7, index)]
    tenant: i32,
    deleted_at: Option<DateTime<Utc>>,
    #[orm(server_default = "CURRENT_TIMESTAMP")]
    made_at: DateTime<Utc>,
    #[orm(server_default = "CURRENT_TIMESTAMP", on_update = "CURRENT_TIMESTAMP")]
    changed_at: DateTime<Utc>,
}

/// Only a stamp: the struct brings its own key.
#[derive(BaseColumns)]
struct Stamped {
    #[orm(server_default = "'import'", column = "source_name")]
    source: String,
}

#[derive(Model)]
#[orm(base = Audited, unique(tenant, name))]
struct Shop {
    name: String,
    #[orm(back_populates = shop)]
    items: HasMany<Item>,
}

#[derive(Model)]
#[orm(base = Audited)]
struct Item {
    title: String,
    #[orm(foreign_key = Shop)]
    shop_id: Uuid,
    #[orm(back_populates = items)]
    shop: BelongsTo<Shop>,
}

#[derive(Model)]
#[orm(base = Stamped)]
struct Place {
    #[orm(primary_key)]
    code: String,
}

/// What generic code can say about every model of the base.
fn alive<M: AuditedColumns>(tenant: i32) -> Condition<M> {
    M::deleted_at.is_null() & M::tenant.eq(tenant)
}

async fn shops(session: &mut Session) -> Result<Vec<String>> {
    Shop::select()
        .filter(alive::<Shop>(7))
        .order_by(Shop::name.asc())
        .columns(Shop::name)
        .all(session)
        .await
}

backend_tests! {
    /// DESIGN 2: base columns live beside the struct, with defaults of the application and the
    /// server.
    async fn a_base_of_ones_own(db) {
        db.create(&schema![Shop, Item]).await?;
        let mut session = db.session();
        let shop = session.add(
            Shop::draft().name("Corner").items([Item::draft().title("tea"), Item::draft().title("jam")]),
        );
        let key = session.key(shop).expect("a key made by the application");
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), ["INSERT shops", "INSERT items"]);
        let base = session[shop].base();
        assert_eq!((base.id, base.tenant, base.deleted_at), (key, 7, None));
        assert!(base.made_at > DateTime::UNIX_EPOCH);
        let mut other = db.session();
        let read = other.require::<Shop>(key).await?;
        assert_eq!(other[read].base().made_at, base.made_at);
        let items = Item::select().filter(Item::shop_id.eq(key)).count(&mut other).await?;
        assert_eq!(items, 2);
    }

    /// DESIGN 2: base columns are written by `set`, and named through the base's trait.
    async fn base_columns_are_set_and_filtered(db) {
        db.create(&schema![Shop, Item]).await?;
        let mut session = db.session();
        let names = ["a", "b", "c"];
        let [a, b, c] = names.map(|name| session.add(Shop::draft().name(name)));
        session.set(c, Shop::tenant, 8);
        session.commit().await?;
        assert_eq!(session[c].base().tenant, 8);
        assert_eq!(shops(&mut session).await?, ["a", "b"]);
        let changed = session[b].base().changed_at;
        session.set(b, Shop::deleted_at, Utc::now());
        session.commit().await?;
        assert!(session[b].base().deleted_at.is_some());
        assert!(session[b].base().changed_at >= changed);
        assert_eq!(shops(&mut session).await?, ["a"]);
        session.set(b, Shop::deleted_at, None);
        session.commit().await?;
        assert_eq!(shops(&mut session).await?, ["a", "b"]);
        assert_eq!(Shop::select().on(&db.engine).count().await?, 3);
        assert!(session.state(a) == session.state(b));
    }

    /// DESIGN 2: a group that names a column of the base.
    async fn a_group_with_a_base_column(db) {
        db.create(&schema![Shop, Item]).await?;
        let mut session = db.session();
        session.add(Shop::draft().name("same"));
        let other = session.add(Shop::draft().name("same"));
        session.set(other, Shop::tenant, 8);
        session.commit().await?;
        session.add(Shop::draft().name("same"));
        let error = session.commit().await.expect_err("a violation");
        assert!(matches!(error, Error::UniqueViolation(_)), "{error}");
        assert!(error.violates(Shop::tenant) && error.violates(Shop::name));
    }

    /// DESIGN 2: a base without a key, and a struct with one.
    async fn a_base_without_a_key(db) {
        db.create(&schema![Place]).await?;
        let mut session = db.session();
        let place = session.add(Place::draft().code("x"));
        session.commit().await?;
        assert_eq!((&*session[place].base().source, &*session[place].code), ("import", "x"));
        let found = Place::select().filter(Place::source.eq("import")).one(&mut db.session()).await;
        assert!(found.is_ok());
        assert_eq!(db.session().get::<Place>("y".to_owned()).await?, None);
    }
}
