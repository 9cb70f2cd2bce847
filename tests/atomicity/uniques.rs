//! Unique values that are given up, taken over and swapped, and rows that come back.

use crate::models::*;
use crate::sweep::{scenarios, sweep};
use crate::world::Start;
use crate::worlds::Uniques;

scenarios! { Uniques:
    /// SEMANTICS 4.3
    fn values_are_given_up_before_they_are_taken(session, uniques) {
        session.delete(uniques.badges[0]);
        session[uniques.badges[1]].number = Some(1);
        session[uniques.badges[2]].number = Some(2);
        session.add(Badge::draft().label("new").number(3));
    }

    /// SEMANTICS 4.3
    fn values_are_swapped(session, uniques) {
        session[uniques.badges[0]].number = Some(2);
        session[uniques.badges[1]].number = Some(3);
        session[uniques.badges[2]].number = Some(1);
        session[uniques.badges[2]].label = "last".into();
    }

    /// SEMANTICS 4.7
    fn a_row_comes_back(session, uniques) {
        session.delete(uniques.lockers[0]);
        let things = ["hat", "coat"].map(|name| Thing::draft().name(name));
        let back = session.add(Locker::draft().code("A1").things(things));
        session.push(back, Locker::things, uniques.things[0]);
    }

    /// SEMANTICS 4.3, 8.5
    fn a_scalar_with_a_unique_key_is_replaced(session, uniques) {
        let new = session.add(Key::draft().teeth("new").locker(uniques.lockers[0]));
        session.set_one(uniques.lockers[0], Locker::key, new);
        session.set_one(uniques.lockers[1], Locker::key, None);
    }
}
