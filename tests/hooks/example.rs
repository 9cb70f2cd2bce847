//! The example's audit trail and soft deletion, on every database.

use orm_core::Error;
use orm_examples::audit::{
    AuditEntry, CurrentUser, Customer, Invoice, Operation, schema, sessions,
};
use orm_tests::{Database, backend_tests};
use serde_json::json;

/// What the trail has, in order: who, what, of whom.
async fn trail(db: &Database) -> orm_core::Result<Vec<(Option<i64>, Operation, String)>> {
    let entries = AuditEntry::select().order_by(AuditEntry::id.asc());
    let columns = (AuditEntry::who, AuditEntry::operation, AuditEntry::object);
    entries.columns(columns).all(&mut db.session()).await
}

backend_tests! {
    async fn the_trail_is_written_in_the_same_transaction(db) {
        db.create(&schema()).await?;
        let mut session = sessions(db.engine.clone()).session();
        session.info_mut().insert(CurrentUser(7));
        let customer = Customer::draft().name("Ada").email("ADA@example.org").password("secret");
        let ada = session.add(customer.invoices([Invoice::draft().total(100)]));
        let log = db.log();
        session.commit().await?;
        assert_eq!(
            log.all(),
            ["BEGIN", "INSERT customers", "INSERT invoices", "INSERT audit", "COMMIT"],
        );
        assert_eq!(session[ada].email, "ada@example.org");
        session[ada].password = "another secret".into();
        session.commit().await?;
        assert_eq!(
            trail(&db).await?,
            [
                (Some(7), Operation::Insert, "Customer 1".to_owned()),
                (Some(7), Operation::Insert, "Invoice 1".to_owned()),
                (Some(7), Operation::Update, "Customer 1".to_owned()),
            ],
        );
        let changes = AuditEntry::select().order_by(AuditEntry::id.asc());
        let changes = changes.columns(AuditEntry::change).all(&mut session).await?;
        assert_eq!(changes[2]["password"], json!({}));
        assert!(!json!(changes).to_string().contains("secret"));

        session[ada].name = "Augusta".into();
        session.flush().await?;
        session.rollback().await?;
        assert_eq!(trail(&db).await?.len(), 3, "what is undone leaves no trace");
    }

    async fn what_is_deleted_is_kept_with_a_date(db) {
        db.create(&schema()).await?;
        let mut session = sessions(db.engine.clone()).session();
        let customer = Customer::draft().name("Ada").email("ada@example.org").password("secret");
        let ada = session.add(customer.invoices([1, 2].map(|total| Invoice::draft().total(total))));
        session.commit().await?;
        let log = db.log();
        session.delete(ada);
        session.commit().await?;
        assert_eq!(log.emitted(), ["UPDATE customers", "UPDATE invoices", "INSERT audit"]);
        session.flush().await?;
        assert_eq!(log.emitted(), [""; 0]);
        assert!(session[ada].deleted_at.is_some());
        let invoices = Invoice::select().columns(Invoice::deleted_at).all(&mut db.session()).await?;
        assert_eq!(invoices.len(), 2);
        assert!(invoices.iter().all(Option::is_some));
    }

    async fn a_customer_needs_an_address(db) {
        db.create(&schema()).await?;
        let mut session = sessions(db.engine.clone()).session();
        let ada = session.add(Customer::draft().name("Ada").email("nowhere").password("secret"));
        let error = session.commit().await.unwrap_err();
        assert!(matches!(error, Error::Refused(_)), "{error}");
        session[ada].email = "ada@example.org".into();
        session.commit().await?;
        session[ada].email = "nowhere".into();
        session.commit().await.unwrap_err();
    }
}
