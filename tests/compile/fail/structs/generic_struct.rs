use orm_core::Model;

#[derive(Model)]
struct Setting<T> {
    value: T,
}

fn main() {}
