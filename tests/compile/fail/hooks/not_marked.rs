use orm_core::{HookContext, Hooks, Model, Result};

#[derive(Model)]
pub struct User {
    pub name: String,
}

impl Hooks for User {
    fn before_insert(&mut self, _: &HookContext<'_>) -> Result<()> {
        self.name.make_ascii_lowercase();
        Ok(())
    }
}

fn main() {}
