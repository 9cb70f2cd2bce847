//! Newtypes as reusable descriptions of columns.

use orm_core::{Error, Model, schema};
use orm_tests::backend_tests;

#[derive(Debug, Clone, PartialEq, orm_core::ColumnType)]
#[orm(unique, length = 8, check = "{column} <> ''")]
struct Username(String);

#[derive(Debug, Clone, Copy, PartialEq, orm_core::ColumnType)]
#[orm(default = Cents(100))]
struct Cents(i64);

#[derive(Debug, Clone, PartialEq, orm_core::ColumnType)]
#[orm(server_default = "'nobody'")]
struct Owner(String);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, orm_core::ColumnType)]
struct AccountId(i64);

type Alias = Option<Username>;

#[derive(Model)]
#[orm(base = none)]
struct Account {
    #[orm(primary_key)]
    id: AccountId,
    name: Username,
    #[orm(length = 3)]
    nick: Alias,
    balance: Cents,
    #[orm(default = Cents(-1))]
    limit_cents: Cents,
    owner: Owner,
    history: Option<Vec<Cents>>,
    #[orm(foreign_key = Self)]
    parent_id: Option<AccountId>,
}

backend_tests! {
    /// DESIGN 3: type, length, uniqueness, check and defaults come with the type.
    async fn newtypes_carry_their_facts(db) {
        db.create(&schema![Account]).await?;
        let mut session = db.session();
        let ada = session.add(Account::draft().id(AccountId(1)).name("ada").history(vec![Cents(5)]));
        session.commit().await?;
        assert_eq!((session[ada].balance, session[ada].limit_cents), (Cents(100), Cents(-1)));
        assert_eq!(session[ada].owner, Owner("nobody".to_owned()));
        let row = Account::select().on(&db.engine).one().await?;
        assert_eq!((&row.name, &row.nick), (&Username("ada".to_owned()), &None));
        assert_eq!(row.history, Some(vec![Cents(5)]));

        let mut id = 1;
        let mut account = |name: &str| {
            id += 1;
            Account::draft().id(AccountId(id)).name(name)
        };
        for (draft, column) in [
            (account("ada"), "name"),
            (account(""), "name"),
        ] {
            session.add(draft);
            let error = session.commit().await.expect_err("a violation");
            let columns = &error.violation().expect("a violation").columns;
            assert_eq!(columns, &[column], "{error}");
            session.rollback().await?;
        }
        for (draft, column) in [
            (account("too long a name"), "accounts.name"),
            (account("bob").nick(Username("long".into())), "accounts.nick"),
        ] {
            session.add(draft);
            let error = session.commit().await.expect_err("too long a text");
            assert!(matches!(&error, Error::Type { .. }), "{error}");
            assert!(error.to_string().contains(column), "{error}");
            session.rollback().await?;
        }
        session.add(account("bob").nick(Username("bob".into())).balance(Cents(0)));
        session.add(account("cyd").parent_id(AccountId(1)));
        session.commit().await?;
    }

    /// DESIGN 2: a newtype is compared with itself and with what it is made of.
    async fn newtypes_in_queries(db) {
        db.create(&schema![Account]).await?;
        let mut session = db.session();
        let ada = session.add(Account::draft().id(AccountId(1)).name("ada"));
        session.add(Account::draft().id(AccountId(2)).name("bob").balance(Cents(5)));
        session.commit().await?;
        let one = |condition| Account::select().filter(condition);
        assert_eq!(one(Account::name.eq("ada")).one(&mut session).await?, ada);
        assert_eq!(one(Account::name.starts_with("a")).one(&mut session).await?, ada);
        assert_eq!(one(Account::nick.contains("a")).count(&mut session).await?, 0);
        assert_eq!(one(Account::balance.gt(Cents(5))).one(&mut session).await?, ada);
        assert_eq!(one(Account::id.in_([AccountId(1)])).one(&mut session).await?, ada);
        assert_eq!(session.require::<Account>(AccountId(1)).await?, ada);
        let most = Account::select().columns(Account::balance.max()).one(&mut session).await?;
        assert_eq!(most, Some(Cents(100)));
    }

    /// SEMANTICS 9.6: two rows of one statement that collide.
    async fn rule_9_6_a_collision_within_one_statement(db) {
        db.create(&schema![Account]).await?;
        let mut session = db.session();
        for id in [1, 2] {
            session.add(Account::draft().id(AccountId(id)).name("same"));
        }
        let error = session.commit().await.expect_err("a violation");
        assert!(matches!(error, Error::UniqueViolation(_)) && error.violates(Account::name));
    }
}
