//! More rows than one statement takes.

use crate::models::*;
use crate::sweep::{scenarios, sweep};
use crate::world::Start;
use crate::worlds::{Bulk, MANY};

scenarios! { Bulk:
    /// SEMANTICS 5.1
    @sparse fn many_rows_are_inserted(session, bulk) {
        let entries = (0..MANY).map(|amount| Entry::draft().amount(amount));
        session.add(Ledger::draft().name("third").entries(entries));
        session[bulk.ledgers[0]].name = "old".into();
    }

    /// SEMANTICS 6.3
    fn many_rows_are_updated(session, bulk) {
        for (at, entry) in bulk.entries.iter().enumerate() {
            session[*entry].amount = -(at as i64);
        }
    }

    /// SEMANTICS 4.8, 7.2
    @sparse fn many_rows_are_read_and_deleted(session, bulk) {
        session.delete(bulk.ledgers[0]);
    }
}
