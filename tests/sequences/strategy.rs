//! How likely each operation is.

use proptest::prelude::*;

use crate::operation::{End, How, Operation, Pick};
use crate::tables::{Kind, Relation, Side, View};
use crate::tree::{Branch, Key, Tree};

/// How many objects a sequence begins with at most, and how many steps follow.
const OBJECTS: usize = 10;
const LENGTH: usize = 40;

fn kind() -> impl Strategy<Value = Kind> {
    prop::sample::select(&Kind::ALL[..])
}

fn view() -> impl Strategy<Value = View> {
    let side = prop_oneof![Just(Side::Owner), Just(Side::Member)];
    (prop::sample::select(&Relation::ALL[..]), side)
}

/// Few objects are more often the same.
fn pick() -> impl Strategy<Value = Pick> {
    0..4_u8
}

/// Few texts are more often the same: the unique one has to meet itself.
fn text() -> impl Strategy<Value = char> {
    prop_oneof![1 => Just('-'), 9 => prop::char::range('a', 'h')]
}

fn codes() -> impl Strategy<Value = Vec<char>> {
    prop::collection::vec(prop::char::range('a', 'h'), 1..4)
}

fn how() -> impl Strategy<Value = How> {
    prop_oneof![Just(How::Plain), Just(How::Again), Just(How::Locked)]
}

fn end() -> impl Strategy<Value = End> {
    prop_oneof![3 => Just(End::Commit), 2 => Just(End::Rollback), 1 => Just(End::Drop)]
}

fn addition() -> impl Strategy<Value = Operation> {
    use Operation::*;
    let relation = prop::sample::select(&Relation::ALL[..]);
    prop_oneof![
        4 => (kind(), text()).prop_map(|(kind, text)| Add(kind, text)),
        3 => (relation, pick(), text()).prop_map(|(of, owner, text)| AddTo(of, owner, text)),
    ]
}

fn key() -> impl Strategy<Value = Key> {
    prop_oneof![
        2 => Just(Key::None),
        4 => pick().prop_map(Key::Known),
        1 => pick().prop_map(Key::Gone),
        1 => Just(Key::Fresh),
    ]
}

/// A draft with members so deep inside each other.
fn tree(depth: u32) -> BoxedStrategy<Tree> {
    let branch = match depth {
        0 => pick().prop_map(Branch::Known).boxed(),
        _ => prop_oneof![pick().prop_map(Branch::Known), tree(depth - 1).prop_map(Branch::New),]
            .boxed(),
    };
    let members = (pick(), prop::collection::vec(branch, 0..4));
    (key(), prop::option::weighted(0.8, text()), prop::collection::vec(members, 0..4))
        .prop_map(|(key, text, members)| Tree { key, text, members })
        .boxed()
}

/// A bulk statement, of a model with a text that is not unique.
fn bulk() -> impl Strategy<Value = Operation> {
    let updated = prop::sample::select(&[Kind::Team, Kind::Badge, Kind::Person, Kind::Task][..]);
    let deleted = prop::sample::select(&[Kind::Badge, Kind::Task][..]);
    let text = || prop::char::range('a', 'h');
    prop_oneof![
        2 => (updated, text(), text()).prop_map(|(of, from, to)| Operation::Update(of, from, to)),
        1 => (deleted, text()).prop_map(|(of, text)| Operation::DeleteAll(of, text)),
    ]
}

fn operation() -> impl Strategy<Value = Operation> {
    use Operation::*;
    let picks = || prop::collection::vec(pick(), 0..3);
    prop_oneof![
        10 => addition(),
        5 => (kind(), pick(), text()).prop_map(|(kind, object, text)| Write(kind, object, text)),
        12 => (view(), pick(), pick()).prop_map(|(view, a, b)| Put(view, a, b)),
        6 => (view(), pick(), pick()).prop_map(|(view, a, b)| TakeOut(view, a, b)),
        4 => (view(), pick(), picks()).prop_map(|(view, a, b)| Replace(view, a, b)),
        2 => (view(), pick(), picks()).prop_map(|(view, a, b)| Assign(view, a, b)),
        5 => (kind(), pick()).prop_map(|(kind, object)| Delete(kind, object)),
        2 => (kind(), pick()).prop_map(|(kind, object)| Expunge(kind, object)),
        2 => (kind(), pick()).prop_map(|(kind, object)| Expire(kind, object)),
        1 => Just(ExpireAll),
        2 => (kind(), pick()).prop_map(|(kind, object)| Refresh(kind, object)),
        4 => (kind(), pick()).prop_map(|(kind, row)| Get(kind, row)),
        6 => (view(), pick()).prop_map(|(view, owner)| Load(view, owner)),
        4 => (kind(), text(), how()).prop_map(|(kind, text, how)| Find(kind, text, how)),
        2 => (view(), any::<bool>()).prop_map(|(view, joined)| FindWith(view, joined)),
        6 => (kind(), tree(2)).prop_map(|(kind, tree)| Merge(kind, tree)),
        4 => (kind(), pick(), prop::option::of(text()))
            .prop_map(|(kind, row, text)| MergeRow(kind, row, text)),
        2 => codes().prop_map(FindOrAdd),
        3 => bulk(),
        2 => any::<bool>().prop_map(Autoflush),
        6 => Just(Flush),
        4 => Just(Commit),
        3 => Just(Rollback),
        2 => Just(Forget),
        3 => Just(Savepoint),
        3 => end().prop_map(End),
        1 => pick().prop_map(UseGone),
    ]
}

pub(crate) fn sequence() -> impl Strategy<Value = Vec<Operation>> {
    let objects = prop::collection::vec(addition(), 0..OBJECTS);
    let steps = prop::collection::vec(operation(), 1..LENGTH);
    (objects, steps).prop_map(|(objects, steps)| [objects, steps].concat())
}
