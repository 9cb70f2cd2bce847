use orm_core::Model;

#[derive(Model)]
#[orm(hooks)]
pub struct User {
    pub name: String,
}

fn main() {}
