//! Keys that people make, that change, that are other rows', and that the server makes in no order.

use crate::models::*;
use crate::sweep::{scenarios, sweep};
use crate::world::Start;
use crate::worlds::Keys;

scenarios! { Keys:
    fn rows_with_keys_of_their_own_are_inserted(session, keys) {
        let harbours = ["Genoa", "Naples"].map(|name| Harbour::draft().name(name));
        session.add(Country::draft().code("IT").name("Italy").harbours(harbours));
        session.add(Harbour::draft().name("Basel").country(keys.countries[0]));
    }

    /// SEMANTICS 2.4
    fn a_primary_key_changes(session, keys) {
        session[keys.harbours[0]].name = "Brest (Finistère)".into();
        session[keys.harbours[1]].country_code = "CH".into();
        session[keys.seats[1]].number = "9z".into();
        session[keys.seats[1]].comfort = "hard".into();
    }

    /// SEMANTICS 2.4, 6.7
    fn a_key_that_was_changed_is_taken_again(session, keys) {
        session[keys.seats[1]].number = "2b".into();
        session.add(Seat::draft().hall(2).number("1b").tickets([Ticket::draft().holder("eve")]));
        session.delete(keys.tickets[0]);
    }

    fn composite_keys_are_inserted_and_deleted(session, keys) {
        session.delete(keys.seats[0]);
        let tickets = ["zoe", "yan"].map(|holder| Ticket::draft().holder(holder));
        session.add(Seat::draft().hall(3).number("1a").tickets(tickets));
    }

    @sparse fn rows_with_keys_of_their_own_are_read_and_deleted(session, keys) {
        session.delete(keys.countries[1]);
        session.delete(keys.seats[0]);
        session.delete(keys.people[0]);
        session.delete(keys.shops[0]);
    }

    fn keys_of_others_are_inserted(session, keys) {
        session.add(Person::draft().name("eve").passport(Passport::draft().number("P3")));
        session[keys.passports[0]].number = "P4".into();
        session.delete(keys.people[1]);
    }

    /// SEMANTICS 5.2: without RETURNING, by the default that the model declares.
    fn keys_are_made_before(session, keys) {
        session.add(Voucher::draft().worth(3));
        session.add(Voucher::draft().code("four").worth(4));
        session[keys.vouchers[0]].worth = 10;
        session.delete(keys.vouchers[1]);
    }

    /// SEMANTICS 5.2: the rows behind wait for what the server fills in.
    fn rows_wait_for_what_is_read_back(session, keys) {
        let shelves = ["left", "right"].map(|name| Shelf::draft().name(name));
        let shop = session.add(Shop::draft().name("new").shelves(shelves));
        session.push(shop, Shop::shelves, keys.shelves[0]);
    }
}
