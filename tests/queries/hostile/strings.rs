//! Texts that were written to break things.

use std::collections::BTreeSet;

pub(super) const HOSTILE: &[&str] = &[
    "",
    " ",
    "  leading and trailing  ",
    "\t\r\n",
    "'",
    "''",
    "'''",
    "\"",
    "\"\"",
    "`",
    "``",
    "\\",
    "\\\\",
    "\\'",
    "\\\"; SELECT 1",
    "';",
    "'; DROP TABLE words; --",
    "\"; DROP TABLE words; --",
    "`; DROP TABLE words; --",
    "' OR '1'='1",
    "' OR 1=1 --",
    "\") OR (\"1\"=\"1",
    "x' UNION SELECT name, sql FROM sqlite_schema --",
    "-- comment",
    "/* comment */",
    "# comment",
    "; ROLLBACK; BEGIN",
    "?",
    "??",
    "?1",
    "$1",
    "$$body$$",
    ":name",
    "@name",
    "{}",
    "{0}",
    "%s %d %n",
    "%",
    "_",
    "!",
    "!!",
    "%_!",
    "!%",
    "[a-z]*?",
    "NULL",
    "null",
    "None",
    "true",
    "0",
    "-0",
    "00",
    "1e308",
    "0x10",
    "9223372036854775808",
    "2024-02-29",
    "[]",
    "{\"a\": [null, 'x', \"\\u0000\"]}",
    "<script>alert('x')</script>",
    "é",
    "e\u{301}",
    "ß ẞ SS ss",
    "İ i ı I",
    "\u{feff}bom",
    "\u{200b}zero\u{200d}width",
    "\u{202e}right to left",
    "שלום عليكم",
    "你好，世界",
    "👩‍👩‍👧‍👦 🏳️‍🌈 😀",
    "\u{10ffff}\u{10fffe}",
    "\u{fffd}\u{ffff}",
    "\u{1}\u{1b}[31m\u{7f}\u{1a}",
    "ＤＲＯＰ　ＴＡＢＬＥ＇",
];

/// How a text may be set among others: each of them meets the quotes, comments, placeholders and
/// escapes of every database.
const SETTINGS: &[(&str, &str)] = &[
    ("", ""),
    ("'", "'"),
    ("\"", "\""),
    ("`", "`"),
    ("\\", "\\"),
    ("x'", " --"),
    ("/*", "*/"),
    ("%", "_"),
    ("!", "!"),
    ("$1", "?"),
    ("')); DELETE FROM canaries; --", ""),
    ("\\'; DROP TABLE canaries; #", "\n"),
    ("E'\\\\", "$$"),
    ("😀", "e\u{301}"),
    ("{\"a\": \"", "\"}"),
];

/// More than a thousand different texts: every hostile one in every setting, some that are long, and
/// some with a NUL, which not every database can hold.
pub(super) fn all() -> Vec<String> {
    let mut texts = BTreeSet::new();
    for text in HOSTILE {
        texts.extend(SETTINGS.iter().map(|(before, after)| format!("{before}{text}{after}")));
    }
    texts.extend(["'", "\\", "\"", "%", "?", "é", "😀"].map(|text| text.repeat(10_000)));
    texts.extend(["\0", "a\0b", "'\0'; --", "\0\0"].map(str::to_owned));
    assert!(texts.len() > 1_000);
    texts.into_iter().collect()
}

/// Those of them that fit a key, whose length is limited.
pub(super) fn short() -> Vec<String> {
    all().into_iter().filter(|text| text.chars().count() < 200).collect()
}
