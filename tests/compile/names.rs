//! Models whose names are keywords or those of our internals, in use: that they compile is for
//! `tests/renamed`, here they are written and read.

use orm_core::{BaseColumns, BelongsTo, HasMany, Model, View, schema};
use orm_tests::backend_tests;

#[derive(Model)]
#[orm(rename_all = "camelCase", unique(type, r#match))]
struct Kind {
    r#type: String,
    r#match: String,
    #[orm(foreign_key = Kind)]
    r#in: Option<i64>,
    #[orm(via = in, back_populates = use)]
    r#loop: BelongsTo<Kind>,
    #[orm(back_populates = loop, order_by = Kind::r#type.asc())]
    r#use: HasMany<Kind>,
    at_column: i64,
    #[orm(default = 7)]
    model: i64,
    #[orm(server_default = "'left'")]
    unset: String,
}

#[derive(Debug, PartialEq, View)]
#[orm(of = Kind)]
struct Shown {
    #[orm(from = type)]
    row: String,
    #[orm(from = use)]
    shape: Vec<Shown>,
}

#[derive(BaseColumns)]
struct Tenanted {
    #[orm(primary_key, autoincrement)]
    number: i64,
    #[orm(column = "tenant", default = 1)]
    tenant_id: i64,
}

#[derive(Model)]
struct Tenant {
    name: String,
}

#[derive(Model)]
#[orm(base = Tenanted, unique(tenant_id, title), index(tenant_id))]
#[orm(foreign_key(tenant_id => Tenant::id, on_delete = "cascade"))]
struct Post {
    title: String,
    #[orm(via = tenant_id)]
    tenant: BelongsTo<Tenant>,
}

backend_tests! {
    async fn keywords_and_names_of_ours_are_names_like_others(db) {
        db.create(&schema![Kind]).await?;
        let mut session = db.session();
        let child = |name: &str| Kind::draft().r#type(name).r#match("x").at_column(2);
        let root = session.add(
            Kind::draft().r#type("a").r#match("x").at_column(1).r#use([child("c"), child("b")]),
        );
        session.commit().await?;
        assert_eq!(session[root].model, 7);
        assert_eq!(session[root].unset, "left", "a column left to the server is read back");

        let log = db.log();
        let shown = Kind::select().filter(Kind::r#in.eq(None::<i64>)).view::<Shown>();
        let leaf = |name: &str| Shown { row: name.into(), shape: Vec::new() };
        assert_eq!(
            shown.on(&db.engine).all().await?,
            [Shown { row: "a".into(), shape: vec![leaf("b"), leaf("c")] }]
        );
        let texts = log.texts().join("\n").replace('`', "\"");
        assert!(texts.contains("\"type\"") && !texts.contains("r#"), "{texts}");
    }

    async fn columns_of_a_base_may_be_keys_and_in_groups(db) {
        db.create(&schema![Tenant, Post]).await?;
        let mut session = db.session();
        let tenant = session.add(Tenant::draft().name("x"));
        session.commit().await?;
        let post = session.add(Post::draft().title("y").tenant(tenant));
        session.commit().await?;
        assert_eq!(session[post].base().tenant_id, session[tenant].id());
        let twice = session.add(Post::draft().title("y").tenant(tenant));
        let error = session.commit().await.unwrap_err();
        assert!(error.violates(<Post as TenantedColumns>::tenant_id), "{error}");
        assert!(error.violates(Post::title), "{error}");
        session.rollback().await?;
        assert!(session.try_get(twice).is_err());
    }
}
