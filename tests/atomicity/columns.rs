//! Versions, defaults and expressions.

use crate::models::*;
use crate::sweep::{scenarios, sweep};
use crate::world::Start;
use crate::worlds::Columns;

scenarios! { Columns:
    /// SEMANTICS 6.5
    fn versions_count(session, columns) {
        for document in &columns.documents {
            session[*document].title.push('!');
        }
        session.add(Document::draft().title("new").pages([Page::draft().text("p")]));
    }

    /// SEMANTICS 6.5
    fn rows_with_versions_are_deleted(session, columns) {
        session[columns.documents[0]].title = "kept".into();
        session.delete(columns.documents[1]);
        session.delete(columns.documents[2]);
    }

    /// SEMANTICS 4.8, 6.5
    @sparse fn rows_with_versions_are_read_and_deleted(session, columns) {
        session.delete(columns.documents[1]);
        session.delete(columns.documents[2]);
    }

    /// SEMANTICS 5.3, 5.4
    fn defaults_are_read_back(session, columns) {
        session.add(Setting::draft().name("new"));
        session.add(Setting::draft().name("newer").by_application(11).nullable_by_server(None));
        session.add(Setting::draft().name("newest").by_server(22));
        session[columns.settings[0]].nullable = Some(2);
    }

    /// SEMANTICS 6.6
    fn expressions_see_the_old_row(session, columns) {
        let [a, b, c] = [0, 1, 2].map(|at| columns.counters[at]);
        session.set(a, Counter::left, Counter::right + 1);
        session.set(a, Counter::right, Counter::left + 2);
        session.set(b, Counter::left, Counter::left * 2);
        session[b].name = "twice".into();
        session[c].right = 7;
    }

    fn a_bit_of_every_column(session, columns) {
        session[columns.documents[1]].title = "edited".into();
        session[columns.pages[0]].text = "edited".into();
        session.push(columns.documents[1], Document::pages, columns.pages[0]);
        session.set(columns.counters[0], Counter::left, Counter::left + 1);
        session.delete(columns.counters[1]);
        session.delete(columns.settings[1]);
        session.add(Setting::draft().name("new"));
    }
}
