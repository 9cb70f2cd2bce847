//! Who changed what, and nothing is ever gone: the application of [`audit`](orm_examples::audit),
//! with the SQL beside it.
//!
//! ```text
//! cargo run -p orm-examples --bin hooks
//! ```

use orm_core::{Engine, Error, Result, Session};
use orm_examples::Story;
use orm_examples::audit::{AuditEntry, CurrentUser, Customer, Invoice, schema, sessions};

#[tokio::main]
async fn main() -> Result<()> {
    let engine = Engine::connect("sqlite::memory:").await?;
    engine.create_all(&schema()).await?;
    let mut story = Story::of(&engine);
    let mut session = sessions(engine).session();
    session.info_mut().insert(CurrentUser(7));

    write(&mut session, &mut story).await?;
    delete(&mut session, &mut story).await?;
    read_the_trail(&mut session, &mut story).await
}

async fn write(session: &mut Session, story: &mut Story) -> Result<()> {
    story.chapter("Hooks of a model");
    let ada = session.add(
        Customer::draft()
            .name("Ada")
            .email("nowhere")
            .password("engine")
            .invoices([100, 250].map(|total| Invoice::draft().total(total))),
    );
    match session.commit().await {
        Err(Error::Refused(refusal)) => story.tell(format!(
            "A hook of the model refuses what it doesn't like ({refusal}), before any SQL. What \
             was edited is there to be mended:"
        )),
        outcome => outcome?,
    }
    story.sql();
    session[ada].email = "Ada@Example.org".into();
    session.commit().await?;
    story.tell(format!(
        "Now it is inserted, as {}. A hook of the session sees what was written, with its keys, and \
         adds an entry per object, in the same transaction:",
        session[ada].email,
    ));
    story.sql();
    session[ada].name = "Augusta Ada".into();
    session[ada].password = "analytical".into();
    story.tell(format!("What is about to be written can be looked at: {}", session.changes(ada)?));
    session.commit().await?;
    story.sql();
    Ok(())
}

async fn delete(session: &mut Session, story: &mut Story) -> Result<()> {
    story.chapter("Soft deletion");
    let ada = Customer::select().with(Customer::invoices).one(session).await?;
    session.delete(ada);
    session.commit().await?;
    story.tell(
        "A hook that runs before the flush takes a deletion back and sets a date instead; what it \
         edits is part of the flush:",
    );
    story.sql();
    assert_eq!(Customer::select().count(session).await?, 1);
    story.sql();
    Ok(())
}

async fn read_the_trail(session: &mut Session, story: &mut Story) -> Result<()> {
    story.chapter("The audit trail");
    let entries = AuditEntry::select().order_by(AuditEntry::id.asc()).all(session).await?;
    story.tell("Who did what. The password is named and never shown:");
    println!();
    for entry in entries {
        let AuditEntry { who, operation, object, change } = &*session[entry];
        let operation = format!("{operation:?}").to_lowercase();
        let who = who.map_or("nobody".to_owned(), |user| format!("user {user}"));
        println!("    {who}: {operation} {object} {change}");
    }
    Ok(())
}
