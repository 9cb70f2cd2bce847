//! Rows that refer to their own table, or to each other in a circle.

use crate::models::*;
use crate::sweep::{scenarios, sweep};
use crate::world::Start;
use crate::worlds::Circles;

scenarios! { Circles:
    /// SEMANTICS 4.4
    fn a_tree_is_inserted(session, circles) {
        let leaf = |name: &str| Folder::draft().name(name);
        let branch = |name: &str| leaf(name).children([leaf("left"), leaf("right")]);
        let tree = session.add(leaf("new").children([branch("one"), branch("two")]));
        session.set_one(tree, Folder::parent, circles.folders[1]);
    }

    /// SEMANTICS 4.4
    fn a_tree_is_deleted(session, circles) {
        session.delete(circles.folders[0]);
    }

    fn a_branch_moves_and_its_old_place_is_deleted(session, circles) {
        let [root, other, branch] = [0, 1, 2].map(|at| circles.folders[at]);
        session.push(other, Folder::children, branch);
        session[branch].name = "moved".into();
        session.delete(root);
    }

    /// SEMANTICS 4.5
    fn a_circle_is_inserted(session, circles) {
        let company = session.add(Company::draft().name("New"));
        let chief = session.add(Employee::draft().name("founder").company(company));
        session.set_one(company, Company::chief, chief);
        session[circles.employees[0]].name = "old".into();
    }

    /// SEMANTICS 4.5
    fn a_circle_is_deleted(session, circles) {
        session.delete(circles.companies[0]);
    }

    /// SEMANTICS 4.5, 4.8
    @sparse fn circles_are_read_and_deleted(session, circles) {
        session.delete(circles.companies[0]);
        session.delete(circles.companies[1]);
    }

    /// SEMANTICS 4.5
    fn a_circle_is_turned(session, circles) {
        let [acme, bell] = [circles.companies[0], circles.companies[1]];
        let next = session.add(Employee::draft().name("next").company(acme));
        session.set_one(acme, Company::chief, next);
        session.delete(circles.employees[0]);
        session.push(bell, Company::employees, circles.employees[1]);
        session.set_one(bell, Company::chief, circles.employees[1]);
    }

    /// SEMANTICS 4.5
    fn a_post_update_follows_the_inserts(session, circles) {
        let album = session.add(Album::draft().title("New"));
        let photo = session.add(Photo::draft().file("3.jpg").album(album));
        session.set_one(album, Album::cover, photo);
        session.set_one(circles.albums[0], Album::cover, circles.photos[1]);
    }

    /// SEMANTICS 4.5
    fn a_post_update_goes_before_the_deletes(session, circles) {
        session.delete(circles.albums[0]);
    }
}
