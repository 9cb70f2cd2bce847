//! What was meant by a word that is none.

use super::Vocabulary;

/// Words of other libraries, the key that takes their place, if one does, and how it is said here.
const TRANSLATIONS: &[(&str, Option<&str>, &str)] = &[
    ("nullable", None, "the type says it, and a column of type `Option<…>` accepts NULL"),
    ("not_null", None, "the type says it, and only a column of type `Option<…>` accepts NULL"),
    ("backref", Some("back_populates"), "each side names the other with `back_populates`"),
    ("deferrable", None, "it stands in the foreign key, as in `foreign_key(User, deferrable)`"),
];

/// A key that a place doesn't take: the key that was meant, if that can be told, and the sentence
/// for it.
pub(super) fn unknown_key(key: &str, vocabulary: &Vocabulary) -> (Option<&'static str>, String) {
    let place = vocabulary.place;
    if let Some((other, _)) = vocabulary.elsewhere.iter().find(|(_, keys)| keys.contains(&key)) {
        return (None, format!("`{key}` belongs on {other}, and this is {place}"));
    }
    if let Some((_, meant, instead)) = TRANSLATIONS.iter().find(|(word, ..)| *word == key) {
        return (*meant, format!("unknown key `{key}`: {instead}"));
    }
    match closest(key, vocabulary.keys) {
        Some(meant) => (Some(meant), format!("unknown key `{key}`: did you mean `{meant}`?")),
        None => {
            let keys: Vec<String> = vocabulary.keys.iter().map(|key| format!("`{key}`")).collect();
            (None, format!("unknown key `{key}`: {place} takes {}", keys.join(", ")))
        }
    }
}

/// The sentence for a word that a key doesn't take.
pub(super) fn unknown_word<'a>(
    key: &str,
    word: &str,
    words: impl IntoIterator<Item = &'a str>,
) -> String {
    let words: Vec<&str> = words.into_iter().collect();
    match closest(word, &words) {
        Some(meant) => format!("`{key}` doesn't know \"{word}\": did you mean \"{meant}\"?"),
        None => format!(
            "`{key}` doesn't know \"{word}\": it takes {}",
            words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(", ")
        ),
    }
}

/// The nearest candidate, if it is near: by its letters, or because one is the beginning of the
/// other.
pub(crate) fn closest<'a>(word: &str, candidates: &[&'a str]) -> Option<&'a str> {
    let simplified = simplify(word);
    let by_letters = candidates
        .iter()
        .map(|candidate| (distance(&simplified, &simplify(candidate)), *candidate))
        .min_by_key(|(distance, _)| *distance)
        .filter(|(distance, candidate)| *distance <= (candidate.len().min(word.len()) + 1) / 3)
        .map(|(_, candidate)| candidate);
    let is_beginning = |candidate: &&&str| {
        let (shorter, longer) = match candidate.len() < word.len() {
            true => (**candidate, word),
            false => (word, **candidate),
        };
        shorter.len() >= SHORTEST_BEGINNING && longer.starts_with(shorter)
    };
    by_letters.or_else(|| candidates.iter().find(is_beginning).copied())
}

/// With fewer letters in common it is chance.
const SHORTEST_BEGINNING: usize = 4;

/// Case and separators are what is mistaken most.
fn simplify(word: &str) -> Vec<char> {
    word.to_lowercase().chars().filter(|c| !matches!(c, '_' | '-' | ' ')).collect()
}

/// How many insertions, deletions, replacements and swaps of neighbours lead from one word to the
/// other.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let replaced = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut least = replaced.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(rows[i - 2][j - 2] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}
