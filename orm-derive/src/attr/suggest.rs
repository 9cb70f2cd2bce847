//! What was meant by a word that is none.

use super::Vocabulary;

/// The sentence for a key that a place doesn't take.
pub(super) fn unknown_key(key: &str, vocabulary: &Vocabulary) -> String {
    let place = vocabulary.place;
    if let Some((other, _)) = vocabulary.elsewhere.iter().find(|(_, keys)| keys.contains(&key)) {
        return format!("`{key}` belongs on {other}, and this is {place}");
    }
    match closest(key, vocabulary.keys) {
        Some(meant) => format!("unknown key `{key}`: did you mean `{meant}`?"),
        None => format!(
            "unknown key `{key}`: {place} takes {}",
            vocabulary.keys.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ")
        ),
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

/// The nearest candidate, if it is near.
pub(crate) fn closest<'a>(word: &str, candidates: &[&'a str]) -> Option<&'a str> {
    let simplified = simplify(word);
    candidates
        .iter()
        .map(|candidate| (distance(&simplified, &simplify(candidate)), *candidate))
        .min_by_key(|(distance, _)| *distance)
        .filter(|(distance, candidate)| *distance <= candidate.len().min(word.len()) / 3)
        .map(|(_, candidate)| candidate)
}

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
