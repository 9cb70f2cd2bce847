//! Models whose fields are private, or visible to a part of the crate.

use ::orm::{BelongsTo, HasMany, Model};
use ::std::string::String;

/// A model without a public field.
#[derive(Debug, Model)]
#[orm(crate = ::orm)]
pub struct Account {
    number: String,
    #[orm(default)]
    pub(crate) balance: i64,
    #[orm(foreign_key = Owner)]
    pub(super) owner_id: i64,
    #[orm(back_populates = accounts)]
    owner: BelongsTo<Owner>,
}

/// The owner of accounts.
#[derive(Debug, Model)]
#[orm(crate = ::orm)]
pub struct Owner {
    name: String,
    #[orm(back_populates = owner)]
    pub(in crate::elsewhere) accounts: HasMany<Account>,
}

impl Account {
    /// An account of somebody.
    pub fn open(session: &mut ::orm::Session, name: &str, number: &str) -> ::orm::Handle<Self> {
        let owner = Owner::draft().name(name);
        session.add(Self::draft().number(number).owner(owner))
    }
}

/// A model that nobody else knows.
#[derive(Debug, Model)]
#[orm(crate = ::orm)]
struct Secret {
    text: String,
}

/// Uses it.
pub(crate) fn keep(session: &mut ::orm::Session, text: &str) {
    let secret = session.add(Secret::draft().text(text));
    session[secret].text.clear();
}
