//! Bulk statements on any model with a text that is not unique, and `find_or_add` on the one that
//! has a unique one.

use orm_core::Session;
use orm_core::error::Result;

use super::MISFIT;
use crate::models::*;
use crate::observe::Object;
use crate::tables::Kind;

/// # Errors
/// Those of the statement.
pub(crate) async fn update(session: &mut Session, kind: Kind, from: char, to: char) -> Result<u64> {
    macro_rules! update {
        ($model:ident, $column:ident) => {{
            let update = $model::update().set($model::$column, to.to_string());
            update.filter($model::$column.eq(from.to_string())).execute(session).await
        }};
    }
    match kind {
        Kind::Team => update!(Team, name),
        Kind::Badge => update!(Badge, text),
        Kind::Person => update!(Person, name),
        Kind::Task => update!(Task, title),
        Kind::Skill => unreachable!("{MISFIT}"),
    }
}

/// Of a model whose rows no others refer to.
///
/// # Errors
/// Those of the statement.
pub(crate) async fn delete(session: &mut Session, kind: Kind, text: char) -> Result<u64> {
    let text = text.to_string();
    match kind {
        Kind::Badge => Badge::delete().filter(Badge::text.eq(text)).execute(session).await,
        Kind::Task => Task::delete().filter(Task::title.eq(text)).execute(session).await,
        Kind::Team | Kind::Person | Kind::Skill => unreachable!("{MISFIT}"),
    }
}

/// # Errors
/// Those of `find_or_add`.
pub(crate) async fn find_or_add(session: &mut Session, codes: &[char]) -> Result<Vec<Object>> {
    let codes: Vec<String> = codes.iter().map(char::to_string).collect();
    let found = session
        .find_or_add(Skill::code, codes.into_iter().map(Some), |code| Skill::draft().code(code))
        .await?;
    Ok(found.into_iter().map(Object::Skill).collect())
}
