//! What a column that nobody set holds: in memory, in the row, and after the flush.

use orm_core::{Model, schema};
use orm_tests::backend_tests;

#[derive(Debug, Clone, Copy, PartialEq, Eq, orm_core::Enum)]
enum State {
    New,
    Open,
}

#[derive(Model)]
struct Ticket {
    title: String,
    #[orm(default)]
    body: String,
    #[orm(default = 1 + 2)]
    weight: i32,
    #[orm(default = "app", server_default = "'server'")]
    both: String,
    #[orm(server_default = "'it''s'")]
    remark: String,
    #[orm(server_default = "40 + 2")]
    answer: i64,
    #[orm(server_default = "'Open'")]
    state: State,
    #[orm(server_default = "7")]
    maybe: Option<i64>,
    #[orm(default = 5)]
    optional: Option<i64>,
    #[orm(server_default = "0", on_update = "edits + 1")]
    edits: i64,
    #[orm(skip)]
    scratch: Vec<u8>,
}

backend_tests! {
    /// SEMANTICS 5.3: unset columns take the application's default, else the server's, else NULL.
    async fn rule_5_3_defaults_fill_in(db) {
        db.create(&schema![Ticket]).await?;
        let mut session = db.session();
        let ticket = session.add(Ticket::draft().title("t"));
        // What the application fills in is known at once; the rest reads as placeholders.
        assert_eq!((&*session[ticket].body, session[ticket].weight), ("", 3));
        assert_eq!((&*session[ticket].both, session[ticket].optional), ("app", Some(5)));
        assert_eq!((session[ticket].answer, &*session[ticket].remark), (0, ""));
        assert_eq!((session[ticket].state, session[ticket].maybe), (State::Open, None));
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), ["INSERT tickets"]);
        assert_eq!((session[ticket].answer, &*session[ticket].remark), (42, "it's"));
        assert_eq!((session[ticket].state, session[ticket].maybe), (State::Open, Some(7)));
        let row = Ticket::select().on(&db.engine).one().await?;
        assert_eq!((&*row.both, row.weight, row.answer), ("app", 3, 42));
        assert_eq!((row.state, row.maybe, row.optional), (State::Open, Some(7), Some(5)));
    }

    /// SEMANTICS 5.3: unset and set to `None` differ.
    async fn rule_5_3_none_is_a_value(db) {
        db.create(&schema![Ticket]).await?;
        let mut session = db.session();
        let ticket = session.add(Ticket::draft().title("t").maybe(None).optional(None));
        session.commit().await?;
        assert_eq!((session[ticket].maybe, session[ticket].optional), (None, None));
        let row = Ticket::select().on(&db.engine).one().await?;
        assert_eq!((row.maybe, row.optional), (None, None));
    }

    /// SEMANTICS 5.3: a given value beats every default, a placeholder's value too by `set`.
    async fn rule_5_3_given_values_win(db) {
        db.create(&schema![Ticket]).await?;
        let mut session = db.session();
        let given = session.add(Ticket::draft().title("t").answer(0).state(State::New).both("x"));
        let assigned = session.add(Ticket::draft().title("t"));
        session[assigned].answer = 5;
        session.set(assigned, Ticket::remark, "");
        session.commit().await?;
        assert_eq!((session[given].answer, session[given].state), (0, State::New));
        assert_eq!((session[assigned].answer, &*session[assigned].remark), (5, ""));
        let rows: Vec<(i64, String, State, String)> = Ticket::select()
            .order_by(Ticket::id.asc())
            .columns((Ticket::answer, Ticket::remark, Ticket::state, Ticket::both))
            .all(&mut session)
            .await?;
        assert_eq!(rows[0], (0, "it's".to_owned(), State::New, "x".to_owned()));
        assert_eq!(rows[1], (5, String::new(), State::Open, "app".to_owned()));
    }

    /// SEMANTICS 6.2: `on_update` joins every UPDATE unless set by hand, and is read back.
    async fn rule_6_2_on_update_joins(db) {
        db.create(&schema![Ticket]).await?;
        let mut session = db.session();
        let ticket = session.add(Ticket::draft().title("t"));
        session.commit().await?;
        assert_eq!(session[ticket].edits, 0);
        for edits in 1..=2 {
            session[ticket].weight += 1;
            session.commit().await?;
            assert_eq!(session[ticket].edits, edits);
        }
        session[ticket].edits = 100;
        session.commit().await?;
        assert_eq!(session[ticket].edits, 100);
        assert_eq!(Ticket::select().on(&db.engine).one().await?.edits, 100);
    }

    /// DESIGN 3: a skipped field is no column: it lives in memory only.
    async fn skipped_fields_are_no_columns(db) {
        db.create(&schema![Ticket]).await?;
        let mut session = db.session();
        let ticket = session.add(Ticket::draft().title("t"));
        session.commit().await?;
        let log = db.log();
        session[ticket].scratch.push(1);
        session.commit().await?;
        assert_eq!(log.emitted(), [""; 0]);
        assert_eq!(session[ticket].scratch, [1]);
        session.refresh(ticket).await?;
        assert_eq!(session[ticket].scratch, [1]);
        let read = Ticket::select().on(&db.engine).one().await?;
        assert!(read.scratch.is_empty());
    }
}
